import { unreachable } from "../../engine/base/assert.ts";
import type { Journey } from "../travel/journey.ts";
import { nextCheckpoint, nextEventOf, nextFault, nextFinding, previousCheckpoint, previousEventOf, previousFault, previousFinding } from "../travel/navigation.ts";
import { runIndexOf } from "../travel/run-index.ts";
import { matchesOfFilter } from "./panels/events-panel.ts";
import type { Landmark } from "./ui-action.ts";
import { selectedSubject, type UiState } from "./ui-state.ts";

/** The nearest step behind or before `from` that has one of these; null: there is none. */
export function neighbourOf(journey: Journey, what: Landmark, from: number, direction: 1 | -1, state: UiState): number | null {
  const index = runIndexOf(journey.tape);
  const isNext = direction === 1;
  switch (what) {
    case "checkpoint":
      return (isNext ? nextCheckpoint : previousCheckpoint)(index, from);
    case "fault":
      return (isNext ? nextFault : previousFault)(index, from);
    case "finding":
      return (isNext ? nextFinding : previousFinding)(index, from);
    case "event": {
      const subject = selectedSubject(state);
      return subject === null ? null : (isNext ? nextEventOf : previousEventOf)(index, subject, from);
    }
    case "match":
      return nextMatch(journey, state.search, from, direction);
    default:
      return unreachable(what, "neighbourOf");
  }
}

/** `from` may lie before the first step, or behind the last one: the ends of the run are matches like all. */
function nextMatch(journey: Journey, search: string, from: number, direction: 1 | -1): number | null {
  const matches = matchesOfFilter(journey, search);
  if (from < 0) return matches.window(0, 1)[0]?.step ?? null;
  if (from > journey.tape.steps) return matches.window(matches.count - 1, 1)[0]?.step ?? null;
  return direction === 1 ? matches.next(from) : matches.previous(from);
}
