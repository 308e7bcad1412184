import type { RunContext } from "./run-context.ts";
import { back, land } from "./moves.ts";
import { focusOn, type UiState } from "./ui-state.ts";

/** The letter that a mark is set by, gone to, or compared with. */
export function withLetter(state: UiState, letter: string, run: RunContext): UiState {
  const quiet: UiState = { ...state, awaiting: null };
  const isMark = /^[a-zA-Z]$/.test(letter);
  if (state.awaiting === "mark" && isMark) {
    return { ...quiet, marks: { ...state.marks, [letter]: state.step }, message: { text: `mark ${letter} is step ${state.step}`, tone: "plain" } };
  }
  const isBack = state.awaiting === "jump" && (letter === "'" || letter === "`");
  const step = isBack ? state.before : isMark && Object.hasOwn(state.marks, letter) ? state.marks[letter] : undefined;
  if (step === undefined) return { ...quiet, message: { text: isMark ? `there is no mark ${letter}` : "a mark is a letter", tone: "warn" } };
  return state.awaiting === "compare" ? comparedWith(quiet, String(step)) : land(back(quiet), step, run);
}

/** State is compared with the reference, or again with the step before. */
export function otherComparison(state: UiState): UiState {
  return comparedWith(state, state.against === null ? "reference" : null);
}

function comparedWith(state: UiState, against: string | null): UiState {
  const what = against === null ? "the step before" : against === "reference" ? "the reference" : `step ${against}`;
  return { ...focusOn(state, "inspector"), against, message: { text: `state is compared with ${what}`, tone: "plain" } };
}
