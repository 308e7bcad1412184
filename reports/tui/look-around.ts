import { NO_CHOICES, chosenOf } from "./choices.ts";
import type { PanelName } from "./panel-name.ts";
import { PANELS } from "./panel-name.ts";
import type { RunContext } from "./run-context.ts";
import { back, land } from "./moves.ts";
import { focusOn, type UiState } from "./ui-state.ts";

export function focusNext(state: UiState, direction: 1 | -1): UiState {
  const at = PANELS.indexOf(state.focus);
  return focusOn(state, PANELS[(at + direction + PANELS.length) % PANELS.length] as PanelName);
}

/** Chooses what stands further down or up; scrolls where there is nothing to choose. */
export function chooseBy(state: UiState, by: number, run: RunContext): UiState {
  const { focus } = state;
  const choices = state.help ? NO_CHOICES : run.choices(focus, state);
  if (choices.count === 0) return scrolled(state, by, run);
  const id = state.chosen[focus];
  const now = id === null ? -1 : choices.indexOf(id);
  const from = now >= 0 ? now : choices.indexAt(state.step);
  const next = from < 0 ? (by > 0 ? by - 1 : choices.count + by) : from + by;
  const chosen = choices.at(Math.max(0, Math.min(choices.count - 1, next)));
  // What is chosen in the graph is what is inspected.
  const opened = focus === "graph" ? { ...state.opened, inspector: null } : state.opened;
  return { ...state, opened, chosen: { ...state.chosen, [focus]: chosen?.id ?? null }, scroll: { ...state.scroll, [focus]: 0 } };
}

/** A page is what a panel has room for, about. */
export function pageBy(state: UiState, pages: number, run: RunContext): UiState {
  return scrolled(state, Math.round(pages * run.scrolling(state.help ? "help" : state.focus, state).page), run);
}

/** Columns of one shift. */
const SHIFT = 16;
const FURTHEST_SHIFT = 400;

export function shiftBy(state: UiState, direction: 1 | -1): UiState {
  const shift = Math.max(0, Math.min(FURTHEST_SHIFT, state.shift[state.focus] + direction * SHIFT));
  return { ...state, shift: { ...state.shift, [state.focus]: shift } };
}

function scrolled(state: UiState, by: number, run: RunContext): UiState {
  if (state.help) {
    const { most } = run.scrolling("help", state);
    return { ...state, helpScroll: Math.max(0, Math.min(most, state.helpScroll + by)) };
  }
  const { least, most } = run.scrolling(state.focus, state);
  const scroll = Math.max(least, Math.min(most, state.scroll[state.focus] + by));
  return { ...state, scroll: { ...state.scroll, [state.focus]: scroll } };
}

/** What Enter does to what is chosen. */
const OPENING: Readonly<Record<PanelName, "inspect" | "detail" | "go">> = {
  graph: "inspect",
  inspector: "detail",
  checkpoints: "detail",
  faults: "go",
  events: "go",
  verdict: "go",
};

export function openChosen(state: UiState, run: RunContext): UiState {
  const { focus } = state;
  const what = OPENING[focus];
  const choice = chosenOf(run.choices(focus, state), state.chosen[focus]);
  if (state.opened[focus] !== null && choice !== null && choice.step !== null) return land(back(state), choice.step, run);
  if (state.opened[focus] !== null) return { ...state, opened: { ...state.opened, [focus]: null }, scroll: { ...state.scroll, [focus]: 0 } };
  if (choice === null) return { ...state, message: { text: "choose something with j and k first", tone: "warn" } };
  if (what === "inspect") return focusOn(state, "inspector");
  if (what === "detail") return { ...state, opened: { ...state.opened, [focus]: choice.id }, scroll: { ...state.scroll, [focus]: 0 } };
  if (choice.step === null) return { ...state, message: { text: "it has no place in this run", tone: "warn" } };
  return land(back(state), choice.step, run);
}

export function foldChosen(state: UiState, run: RunContext): UiState {
  const fold = chosenOf(run.choices("graph", state), state.chosen.graph)?.fold ?? null;
  if (fold === null) return { ...state, message: { text: "choose an operator in the graph first", tone: "warn" } };
  const folded = state.folded.includes(fold) ? state.folded.filter((id) => id !== fold) : [...state.folded, fold];
  return { ...state, folded };
}
