import type { EngineTraceKind } from "../../engine/ports/tracer.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { TapePoint } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE, type PortTraceKind } from "../../simulator/trace/kinds.ts";
import { seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { ENGINE_PHRASES } from "./engine-phrases.ts";
import type { Tone } from "./line.ts";
import type { Phrase } from "./phrase.ts";
import { PORT_PHRASES } from "./port-phrases.ts";

const PHRASES: Readonly<Partial<Record<number, Phrase>>> = { ...ENGINE_PHRASES, ...PORT_PHRASES };

const BAD: ReadonlySet<number> = new Set<EngineTraceKind | PortTraceKind>([
  TRACE.alignmentAborted,
  TRACE.taskFailed,
  TRACE.leadershipLost,
  TRACE.jobFailing,
  TRACE.jobFailed,
  TRACE.workerLost,
  TRACE.checkpointAborted,
  TRACE.checkpointLost,
  PORT_TRACE.connectionBroken,
  PORT_TRACE.diskLost,
  PORT_TRACE.leaseExpired,
  PORT_TRACE.transactionTimedOut,
  PORT_TRACE.processCrashed,
  PORT_TRACE.hostCrashed,
  PORT_TRACE.faultFired,
  PORT_TRACE.partitionStarted,
]);

const GOOD: ReadonlySet<number> = new Set<EngineTraceKind | PortTraceKind>([
  TRACE.checkpointCompleted,
  TRACE.savepointCompleted,
  TRACE.transactionCommitted,
  TRACE.jobRunning,
  TRACE.jobFinished,
]);

/** What a trace point says, in a few words: "sum[1] took its snapshot of checkpoint 4". */
export function pointPhrase({ kind, event, subject, x, y, named }: Pick<TapePoint, "kind" | "event" | "subject" | "x" | "y" | "named">): string {
  const phrase = PHRASES[kind];
  if (phrase === undefined) return `${visible(event)} ${visible(subject)} ${x} ${y}`;
  return phrase({ subject: visible(subject), x, y, named: named === null ? null : visible(named) });
}

/** Something went wrong ("bad"), something came to its end as wanted ("good"), or neither. */
export function pointTone(kind: number): Tone {
  if (BAD.has(kind)) return "bad";
  return GOOD.has(kind) ? "good" : "plain";
}

/** "!" before what went wrong. */
export function pointMark(kind: number): string {
  return BAD.has(kind) ? "!" : " ";
}

/** Step, time and process of a trace point, as columns before its words. */
export function pointColumns({ step, atUs, process }: Pick<TapePoint, "step" | "atUs" | "process">): string {
  return `${String(step).padStart(6)} ${seconds(atUs).padStart(8)} ${visible(process ?? "-").padEnd(8)} `;
}

/** A trace point in one line. */
export function pointText(point: TapePoint): string {
  return `${pointColumns(point)} ${pointPhrase(point)}`;
}
