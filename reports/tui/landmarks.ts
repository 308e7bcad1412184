import { TRACE } from "../../engine/ports/tracer.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";
import { pointText } from "../views/point-text.ts";
import type { Landmark } from "./ui-action.ts";
import type { UiState } from "./ui-state.ts";

/** The nearest step behind or before `from` that has one of these. */
export function neighbourOf(tape: RunTape, what: Landmark, from: number, direction: 1 | -1, state: UiState): number | null {
  if (what === "finding") {
    const steps = tape.result.findings.map(({ step }) => Math.min(step, tape.steps)).filter((step) => (step - from) * direction > 0);
    return steps.length === 0 ? null : direction === 1 ? Math.min(...steps) : Math.max(...steps);
  }
  const wanted = state.search.toLowerCase();
  for (let step = from + direction; step >= 0 && step <= tape.steps; step += direction) {
    for (let point = tape.firstPointOf(step); point < tape.endOf(step); point += 1) {
      const kind = tape.kindOf(point);
      if (what === "checkpoint" && (kind === TRACE.checkpointCompleted || kind === TRACE.checkpointAborted)) return step;
      if (what === "fault" && kind === PORT_TRACE.faultFired) return step;
      if (what === "event" && tape.subjectOf(point) === state.chosen.graph) return step;
      if (what === "match" && pointText(tape.pointAt(point)).toLowerCase().includes(wanted)) return step;
    }
  }
  return null;
}
