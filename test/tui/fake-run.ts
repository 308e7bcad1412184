import { UsageError } from "#whitewater/reports/files/usage-error.js";
import { actionOf } from "#whitewater/reports/tui/keymap.js";
import { keyNames } from "#whitewater/reports/tui/key-names.js";
import { reduce } from "#whitewater/reports/tui/reducer.js";
import { NO_CHOICES, choicesOf } from "#whitewater/reports/tui/choices.js";
import type { RunContext } from "#whitewater/reports/tui/run-context.js";
import type { Landmark, Request } from "#whitewater/reports/tui/ui-action.js";
import { firstState, type UiState } from "#whitewater/reports/tui/ui-state.js";

const LANDMARKS: Readonly<Record<Landmark, readonly number[]>> = {
  checkpoint: [100, 200, 300],
  fault: [150],
  event: [10, 20, 30],
  match: [500],
  finding: [420, 430],
};

const CHOICES = choicesOf([
  { id: "first", step: 5, fold: "map", line: 1 },
  { id: "second", step: 50, fold: "sum", line: 2 },
  { id: "third", step: null, fold: null, line: 4 },
]);

/** A run of 1000 steps, without a run. */
export const fakeRun: RunContext = {
  steps: 1000,
  tour: null,
  neighbour(what, from, direction) {
    const found = LANDMARKS[what].filter((step) => (step - from) * direction > 0);
    return (direction === 1 ? found[0] : found.at(-1)) ?? null;
  },
  place(text) {
    if (!/^\d+$/.test(text)) throw new UsageError(text, "is no place", "give a step");
    return Number(text);
  },
  checkFilter(text) {
    if (text.includes('"')) throw new UsageError(text, "is no filter", "give words");
  },
  choices: (panel) => (panel === "verdict" ? NO_CHOICES : CHOICES),
  scrolling: () => ({ least: -3, most: 40, page: 10 }),
};

const NAMES = /^((shift|ctrl|page)-\w+|left|right|up|down|home|end|enter|escape|tab|space|backspace)$/;

export interface Pressed {
  readonly state: UiState;
  readonly requests: readonly Request[];
}

/** The state after these keys, each by its name ("shift-left") or as a text that is typed ("10l"). */
export function press(from: UiState | number, ...keys: readonly string[]): Pressed {
  let state = typeof from === "number" ? firstState(from, { columns: 80, rows: 24 }) : from;
  const requests: Request[] = [];
  for (const key of keys.flatMap((text) => (NAMES.test(text) ? [text] : keyNames(text, {})))) {
    const action = actionOf(key, state);
    if (action === null) continue;
    const reduction = reduce(state, action, fakeRun);
    state = reduction.state;
    if (reduction.request !== null) requests.push(reduction.request);
  }
  return { state, requests };
}
