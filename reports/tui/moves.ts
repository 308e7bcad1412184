import { unreachable } from "../../engine/base/assert.ts";
import type { RunContext } from "./run-context.ts";
import type { Landmark } from "./ui-action.ts";
import { selectedSubject, type UiState } from "./ui-state.ts";

const NAMES: Readonly<Record<Landmark, string>> = {
  checkpoint: "checkpoint",
  fault: "fault",
  event: "event of what is selected",
  match: "match",
  finding: "finding",
};

/** To a step; to the first or last one where it would be none. What is opened and scrolled in panels that follow the step is let go. */
export function land(state: UiState, step: number, { steps }: RunContext): UiState {
  const target = Math.max(0, Math.min(steps, Math.round(step)));
  if (target === state.step) return state;
  return { ...state, step: target, scroll: { ...state.scroll, events: 0 }, chosen: { ...state.chosen, events: null } };
}

/** Remembers where a jump went from. */
export function back(state: UiState): UiState {
  return { ...state, before: state.step };
}

/** Steps of a leap: a fiftieth of the run, as a round number, and ten at least. */
export function leapOf(steps: number): number {
  let leap = 10;
  for (const factor of [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]) if (factor * 50 <= steps) leap = factor;
  return leap;
}

/** The step of the `times`-th landmark from here, or of the last one there is; null: there is none. */
function matched(state: UiState, what: Landmark, direction: 1 | -1, times: number, run: RunContext): number | null {
  let found: number | null = null;
  for (let i = 0; i < times; i += 1) {
    const further = run.neighbour(what, found ?? state.step, direction, state);
    if (further === null) break;
    found = further;
  }
  return found;
}

function sayNone(state: UiState, what: Landmark, direction: 1 | -1): UiState {
  const text = what === "finding" ? "nothing was found in this run" : `no ${direction === 1 ? "further" : "earlier"} ${NAMES[what]}`;
  return { ...state, message: { text, tone: "warn" } };
}

/** To an end of the run, or to what was found in it. A number before it is a step. */
export function gone(state: UiState, to: "start" | "end" | "violation", run: RunContext): UiState {
  switch (to) {
    case "start":
      return land(back(state), state.count ?? 0, run);
    case "end":
      return land(back(state), state.count ?? run.steps, run);
    case "violation": {
      const further = run.neighbour("finding", state.step, 1, state) ?? run.neighbour("finding", -1, 1, state);
      return further === null ? sayNone(state, "finding", 1) : land(back(state), further, run);
    }
    default:
      return unreachable(to, "gone");
  }
}

/** To the next landmark, the `times`-th of them. */
export function nextOf(state: UiState, what: Landmark, direction: 1 | -1, times: number, run: RunContext): UiState {
  if (what === "match" && state.search === "") return { ...state, message: { text: "nothing to search for yet: type / and a text", tone: "warn" } };
  if (what === "event" && selectedSubject(state) === null) return { ...state, message: { text: "choose something in the graph or the inspector first", tone: "warn" } };
  const step = matched(state, what, direction, times, run);
  if (step === null && what === "match") return fromTheOtherEnd(state, direction, run);
  return step === null ? sayNone(state, what, direction) : land(what === "event" ? state : back(state), step, run);
}

/** A search that came to an end begins again. */
function fromTheOtherEnd(state: UiState, direction: 1 | -1, run: RunContext): UiState {
  const step = run.neighbour("match", direction === 1 ? -1 : run.steps + 1, direction, state);
  if (step === null) return { ...state, message: { text: `nothing has ${JSON.stringify(state.search)}`, tone: "warn" } };
  const text = direction === 1 ? "the search went on from the start" : "the search went on from the end";
  return { ...land(back(state), step, run), message: { text, tone: "warn" } };
}
