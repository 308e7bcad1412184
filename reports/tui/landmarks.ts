import { unreachable } from "../../engine/base/assert.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { nextCheckpoint, nextEventOf, nextFault, nextFinding, previousCheckpoint, previousEventOf, previousFault, previousFinding } from "../travel/navigation.ts";
import { runIndexOf } from "../travel/run-index.ts";
import { pointText } from "../views/point-text.ts";
import type { Landmark } from "./ui-action.ts";
import type { UiState } from "./ui-state.ts";

/** The nearest step behind or before `from` that has one of these; null: there is none. */
export function neighbourOf(tape: RunTape, what: Landmark, from: number, direction: 1 | -1, state: UiState): number | null {
  const index = runIndexOf(tape);
  const isNext = direction === 1;
  switch (what) {
    case "checkpoint":
      return (isNext ? nextCheckpoint : previousCheckpoint)(index, from);
    case "fault":
      return (isNext ? nextFault : previousFault)(index, from);
    case "finding":
      return (isNext ? nextFinding : previousFinding)(index, from);
    case "event": {
      const subject = state.chosen.graph;
      return subject === null ? null : (isNext ? nextEventOf : previousEventOf)(index, subject, from);
    }
    case "match":
      return nextMatch(tape, from, direction, state.search);
    default:
      return unreachable(what, "neighbourOf");
  }
}

function nextMatch(tape: RunTape, from: number, direction: 1 | -1, search: string): number | null {
  const wanted = search.toLowerCase();
  for (let step = from + direction; step >= 0 && step <= tape.steps; step += direction) {
    if (tape.pointsOf(step).some((point) => pointText(point).toLowerCase().includes(wanted))) return step;
  }
  return null;
}
