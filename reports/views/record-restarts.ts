import { TRACE } from "../../engine/ports/tracer.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";
import { pointPhrase } from "./point-text.ts";

/** A region of the job, or all of it, started. */
export interface Restart {
  readonly step: number;
  readonly attempt: number;
  /** -1: from the beginning. */
  readonly checkpointId: number;
  /** What happened first of all that leads to a restart, since the one before; null: nothing like it. */
  readonly cause: string | null;
}

const CAUSES: ReadonlySet<number> = new Set<number>([
  TRACE.taskFailed,
  TRACE.workerLost,
  TRACE.leadershipLost,
  TRACE.jobRescaled,
  PORT_TRACE.processCrashed,
  PORT_TRACE.hostCrashed,
  PORT_TRACE.diskLost,
  PORT_TRACE.versionStarted,
]);

/** All starts of a run, in order. */
export function restartsOf(tape: RunTape): readonly Restart[] {
  const restarts = KEPT.get(tape) ?? findRestarts(tape);
  KEPT.set(tape, restarts);
  return restarts;
}

const KEPT: WeakMap<RunTape, readonly Restart[]> = new WeakMap();

function findRestarts(tape: RunTape): readonly Restart[] {
  const restarts: Restart[] = [];
  let cause: string | null = null;
  for (let point = 0; point < tape.points; point += 1) {
    const kind = tape.kindOf(point);
    if (CAUSES.has(kind)) cause ??= pointPhrase(tape.pointAt(point));
    if (kind !== TRACE.jobDeploying) continue;
    restarts.push({ step: tape.stepOf(point), attempt: tape.xOf(point), checkpointId: tape.yOf(point), cause });
    cause = null;
  }
  return restarts;
}
