import { unreachable } from "../../engine/base/assert.ts";
import { UsageError } from "../files/usage-error.ts";
import { chooseBy, focusNext, foldChosen, openChosen, pageBy, shiftBy } from "./look-around.ts";
import { otherComparison, withLetter } from "./marks.ts";
import { back, gone, land, leapOf, nextOf } from "./moves.ts";
import { erased, prompted, submitted, typed } from "./prompt.ts";
import { PANELS, byPanel } from "./panel-name.ts";
import type { RunContext } from "./run-context.ts";
import { tourBy } from "./tour-moves.ts";
import type { Request, UiAction } from "./ui-action.ts";
import { SPEEDS, focusOn, type UiState } from "./ui-state.ts";

/** Largest count that is taken. */
const COUNT_LIMIT = 9_999_999;

export interface Reduction {
  readonly state: UiState;
  /** What the program is to do now; null: nothing. */
  readonly request: Request | null;
}

/** What a number before it can multiply, and what happens by itself: the number stays, or is used up as one. */
const LEAVE_COUNT: readonly UiAction["type"][] = [
  "step", "leap", "next", "go", "choose", "page", "digit", "digits-ended", "cancel", "tick", "resize", "say", "jump", "run-changed",
];

/** What becomes of the screen. Pure: the same arguments give the same. */
export function reduce(before: UiState, action: UiAction, run: RunContext): Reduction {
  // Behind a number, what takes none says that it was that of a panel.
  const state = LEAVE_COUNT.includes(action.type) ? before : withoutDigits(before);
  try {
    if (action.type === "request") return { state: { ...state, count: null, message: null, playing: false }, request: action.what };
    if (action.type === "submit") return submitted(state, run);
    return { state: reduced(state, action, run), request: null };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { state: { ...state, prompt: null, count: null, message: { text: error.message, tone: "bad" } }, request: null };
  }
}

type Quiet = Exclude<UiAction, { readonly type: "request" | "submit" }>;

function reduced(state: UiState, action: Quiet, run: RunContext): UiState {
  switch (action.type) {
    case "digit":
      return withDigit(state, action.digit);
    case "digits-ended":
      return withoutDigits(state);
    case "resize":
      return { ...state, columns: action.columns, rows: action.rows };
    case "say":
      return { ...state, message: { text: action.text, tone: action.tone } };
    case "jump":
      return land(back(state), action.step, run);
    case "tick":
      return ticked(state, action.steps, run);
    case "run-changed":
      return { ...land(state, action.step, run), playing: false, chosen: { ...byPanel(null), graph: state.chosen.graph, faults: state.chosen.faults }, opened: byPanel(null), scroll: byPanel(0) };
    case "type":
      return typed(state, action.text);
    case "erase":
      return erased(state, action.what);
    case "prompt":
      return prompted(state, action.what);
    default:
      return { ...afterKey({ ...state, message: null }, action, run), count: null };
  }
}

type KeyAction = Exclude<
  Quiet,
  { readonly type: "digit" | "digits-ended" | "resize" | "say" | "jump" | "tick" | "run-changed" | "type" | "erase" | "prompt" }
>;

/** Whatever uses up the count. */
function afterKey(state: UiState, action: KeyAction, run: RunContext): UiState {
  const times = state.count ?? 1;
  switch (action.type) {
    case "step":
      return land(paused(state), state.step + action.by * times, run);
    case "leap":
      return land(paused(state), state.step + action.direction * times * leapOf(run.steps), run);
    case "next":
      return nextOf(paused(state), action.what, action.direction, times, run);
    case "go":
      return gone(paused(state), action.to, run);
    case "focus":
      return focusOn(state, action.panel);
    case "focus-next":
      return focusNext(state, action.direction);
    case "choose":
      return chooseBy(state, action.by * times, run);
    case "page":
      return pageBy(state, action.pages * times, run);
    case "shift":
      return shiftBy(state, action.direction);
    case "open":
      return openChosen(state, run);
    case "zoom":
      return { ...state, zoomed: !state.zoomed };
    case "fold":
      return foldChosen(state, run);
    case "await":
      return { ...state, awaiting: action.what };
    case "letter":
      return withLetter(state, action.letter, run);
    case "against":
      return otherComparison(state);
    case "cancel":
      return cancelled(state);
    case "play":
      return { ...state, playing: !state.playing && state.step < run.steps };
    case "speed":
      return faster(state, action.by);
    case "tour":
      return action.to === "end" ? { ...state, tour: null } : tourBy(state, action.to === "next" ? 1 : -1, run);
    case "help":
      return { ...state, help: !state.help, helpScroll: 0, playing: false };
    default:
      return unreachable(action, "afterKey");
  }
}

function paused(state: UiState): UiState {
  return state.playing ? { ...state, playing: false } : state;
}

function withDigit(state: UiState, digit: number): UiState {
  return { ...state, message: null, count: Math.min(COUNT_LIMIT, (state.count ?? 0) * 10 + digit) };
}

/** A digit alone is no count but the number of a panel. */
function withoutDigits(state: UiState): UiState {
  const panel = PANELS[(state.count ?? 0) - 1];
  return panel === undefined ? state : focusOn({ ...state, count: null }, panel);
}

function ticked(state: UiState, steps: number, run: RunContext): UiState {
  if (!state.playing) return state;
  const moved = land(state, state.step + steps, run);
  return { ...moved, playing: moved.step < run.steps };
}

function faster(state: UiState, by: 1 | -1): UiState {
  const speed = Math.max(0, Math.min(SPEEDS.length - 1, state.speed + by));
  return { ...state, speed, message: { text: `plays ${SPEEDS[speed]} steps a second`, tone: "plain" } };
}

/** One thing at a time, the newest first. */
function cancelled(state: UiState): UiState {
  if (state.prompt !== null) return { ...state, prompt: null };
  if (state.awaiting !== null || state.count !== null) return { ...state, awaiting: null };
  if (state.help) return { ...state, help: false };
  if (state.playing) return { ...state, playing: false };
  if (state.opened[state.focus] !== null) return { ...state, opened: { ...state.opened, [state.focus]: null } };
  if (state.focus === "inspector" && state.chosen.graph !== null) return { ...state, chosen: { ...state.chosen, graph: null } };
  if (state.zoomed) return { ...state, zoomed: false };
  return state.filter === "" ? state : { ...state, filter: "", message: { text: "all events are shown", tone: "plain" } };
}
