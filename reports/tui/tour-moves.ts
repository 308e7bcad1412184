import { land } from "./moves.ts";
import type { RunContext } from "./run-context.ts";
import { focusOn, type UiState } from "./ui-state.ts";

/** The next or the previous stop; says so where there is none. */
export function tourBy(state: UiState, by: 1 | -1, run: RunContext): UiState {
  if (run.tour === null) return { ...state, message: { text: "the tour goes through the run that this branch came from: b goes back to it", tone: "warn" } };
  const stop = (state.tour ?? 0) + by;
  if (stop < 0) return { ...state, message: { text: "this is the first stop of the tour", tone: "warn" } };
  if (stop >= run.tour.length) return { ...state, message: { text: "this is the last stop of the tour: look around, ? shows the keys, q quits", tone: "plain" } };
  return atStop(state, stop, run);
}

/** The screen as a stop of the tour wants it: at its step, with what it talks about in sight. */
export function atStop(state: UiState, stop: number, run: RunContext): UiState {
  const tourStep = run.tour?.[stop];
  if (tourStep === undefined) return state;
  const { step, sight } = tourStep;
  const landed = land({ ...state, tour: stop, playing: false }, step, run);
  const opened = { ...landed.opened, [sight.panel]: null, inspector: sight.inspected };
  return focusOn({ ...landed, chosen: { ...landed.chosen, graph: sight.subject }, opened, scroll: { ...landed.scroll, [sight.panel]: 0 } }, sight.panel);
}
