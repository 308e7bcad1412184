import { unreachable } from "../../engine/base/assert.ts";
import { SECTIONS } from "./picker-entry.ts";
import { chosenEntry, chosenFailure, shownEntries, type PickerAction, type PickerPrompt, type PickerRequest, type PickerState } from "./picker-state.ts";
import { isOver, sweepProgress } from "./sweep-progress.ts";

const FIRST_SEED = "1";
const FIRST_SEEDS = "1-100";
const LENGTH_LIMIT = 200;

export interface PickerReduction {
  readonly state: PickerState;
  /** What the program is to do now; null: nothing. */
  readonly request: PickerRequest | null;
}

/** What becomes of the picker. Pure. */
export function reducePicker(state: PickerState, action: PickerAction): PickerReduction {
  switch (action.type) {
    case "request":
      return { state: { ...state, message: null }, request: action.request };
    case "submit":
      return submitted(state);
    case "open":
      return opened({ ...state, message: null });
    default:
      return { state: reduced(state, action), request: null };
  }
}

type Quiet = Exclude<PickerAction, { readonly type: "request" | "submit" | "open" }>;

function reduced(state: PickerState, action: Quiet): PickerState {
  switch (action.type) {
    case "resize":
      return { ...state, columns: action.columns, rows: action.rows };
    case "entries":
      return { ...state, entries: action.entries };
    case "say":
      return { ...state, message: action.message };
    case "swept":
      return { ...state, hasSwept: true, sweep: sweepProgress(state.sweep, action.event) };
    case "type":
      return withText(state, (text) => `${text}${action.text}`.slice(0, LENGTH_LIMIT));
    case "erase":
      return erased(state, action.what);
    default:
      return afterKey({ ...state, message: null }, action);
  }
}

function afterKey(state: PickerState, action: Exclude<Quiet, { readonly type: "resize" | "entries" | "say" | "swept" | "type" | "erase" }>): PickerState {
  switch (action.type) {
    case "move":
      return moved(state, action.by);
    case "page":
      return moved(state, action.pages * Math.max(1, state.rows - 6));
    case "ends":
      return moved(state, action.to === "first" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    case "section":
      return toSection(state, action.direction);
    case "filter":
      return { ...state, view: "list", prompt: { kind: "filter", text: state.filter } };
    case "ask-seeds":
      return askSeeds(state, action.of);
    case "show":
      return shown(state, action.view);
    case "escape":
      return escaped(state);
    case "help":
      return { ...state, help: !state.help };
    default:
      return unreachable(action, "afterKey");
  }
}

function moved(state: PickerState, by: number): PickerState {
  if (state.view === "sweep") {
    return { ...state, failure: within(Math.min(state.failure, state.sweep.failures.length - 1) + by, state.sweep.failures.length) };
  }
  const entries = shownEntries(state);
  const now = entries.findIndex(({ id }) => id === chosenEntry(state)?.id);
  return { ...state, chosen: entries[within(now + by, entries.length)]?.id ?? null };
}

function within(index: number, length: number): number {
  return Math.max(0, Math.min(length - 1, index));
}

/** To the first entry of the next section that has any. */
function toSection(state: PickerState, direction: 1 | -1): PickerState {
  if (state.view === "sweep") return state;
  const entries = shownEntries(state);
  const there = SECTIONS.filter((section) => entries.some((entry) => entry.section === section));
  const now = chosenEntry(state);
  if (now === null) return state;
  const next = there[(there.indexOf(now.section) + direction + there.length) % there.length];
  return { ...state, chosen: entries.find(({ section }) => section === next)?.id ?? null };
}

function askSeeds(state: PickerState, of: "chosen" | "all"): PickerState {
  if (state.hasSwept && !isOver(state.sweep)) return { ...state, view: "sweep", message: { text: "one sweep at a time: c cancels this one", tone: "warn" } };
  const entry = of === "all" || state.view === "sweep" ? null : chosenEntry(state);
  if (of === "chosen" && entry?.section !== "scenarios") return { ...state, message: { text: "choose a scenario to sweep, or S for all of them", tone: "warn" } };
  return { ...state, prompt: { kind: "seeds", text: FIRST_SEEDS, scenario: entry?.name ?? null } };
}

function shown(state: PickerState, view: "list" | "sweep"): PickerState {
  if (view === "sweep" && !state.hasSwept) return { ...state, message: { text: "there is no sweep yet: s sweeps the chosen scenario, S all", tone: "warn" } };
  return { ...state, view };
}

/** One thing at a time, the newest first. */
function escaped(state: PickerState): PickerState {
  if (state.prompt !== null) return { ...state, prompt: null };
  if (state.help) return { ...state, help: false };
  return state.view === "sweep" ? { ...state, view: "list" } : { ...state, filter: "" };
}

function withText(state: PickerState, change: (text: string) => string): PickerState {
  return state.prompt === null ? state : { ...state, prompt: { ...state.prompt, text: change(state.prompt.text) } };
}

function erased(state: PickerState, what: "character" | "all"): PickerState {
  if (what === "character" && state.prompt?.text === "") return { ...state, prompt: null };
  return withText(state, (text) => (what === "all" ? "" : [...text].slice(0, -1).join("")));
}

function submitted(state: PickerState): PickerReduction {
  const { prompt } = state;
  if (prompt === null) return { state, request: null };
  const closed: PickerState = { ...state, prompt: null, message: null };
  if (prompt.kind === "filter") return { state: { ...closed, filter: prompt.text }, request: null };
  return { state: closed, request: requestOf(prompt) };
}

function requestOf(prompt: Exclude<PickerPrompt, { readonly kind: "filter" }>): PickerRequest {
  const text = prompt.text.trim();
  return prompt.kind === "seed" ? { type: "open", target: `${prompt.scenario}@${text}` } : { type: "sweep", scenario: prompt.scenario, seeds: text };
}

/** A record is opened as it is; a scenario needs a seed. */
function opened(state: PickerState): PickerReduction {
  if (state.view === "sweep") {
    const failure = chosenFailure(state);
    return { state, request: failure === null ? null : { type: "open", target: failure.target } };
  }
  const entry = chosenEntry(state);
  if (entry === null) return { state, request: null };
  if (!entry.isSound) return { state: { ...state, message: { text: `cannot be opened: ${entry.about}`, tone: "bad" } }, request: null };
  if (entry.section !== "scenarios") return { state, request: { type: "open", target: entry.id } };
  return { state: { ...state, prompt: { kind: "seed", text: FIRST_SEED, scenario: entry.name } }, request: null };
}
