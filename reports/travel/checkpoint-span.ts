import type { AbortReason } from "../../engine/checkpoint/checkpoint-failure-manager.ts";
import type { CheckpointId, TimeUs } from "../../engine/base/units.ts";

/** The leader counts an acknowledgement. */
export interface CheckpointAck {
  readonly step: number;
  readonly atUs: TimeUs;
  /** "sum[1]". */
  readonly subtask: string;
  /** Acknowledgements that are still missing then. */
  readonly missing: number;
}

/** One checkpoint (or savepoint) of a run, from its trigger on. Steps are null for what never happened. */
export interface CheckpointSpan {
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  /** The JobManager that triggered it ("jm-1"). */
  readonly leader: string;
  /** Known from its completion on: one that did not complete is no savepoint here. */
  readonly isSavepoint: boolean;
  readonly triggerStep: number;
  readonly triggerUs: TimeUs;
  readonly completeStep: number | null;
  readonly abortStep: number | null;
  readonly abortReason: AbortReason | null;
  /** Its leader died or was deposed before it was decided. */
  readonly abandonStep: number | null;
  /** After that, a later leader found it complete. */
  readonly recoverStep: number | null;
  readonly subsumeStep: number | null;
  /** Its files began to be deleted. */
  readonly discardStep: number | null;
  /** In the order in which they came. */
  readonly acks: readonly CheckpointAck[];
  /** Numbers of all trace points of the engine's checkpoint protocol that name it, ascending. */
  readonly points: readonly number[];
}

export type CheckpointState = "running" | "complete" | "aborted" | "abandoned" | "subsumed";

/** What a checkpoint was at the end of a step; null before its trigger. */
export function checkpointStateAt(span: CheckpointSpan, step: number): CheckpointState | null {
  const reached = (at: number | null): boolean => at !== null && at <= step;
  if (!reached(span.triggerStep)) return null;
  if (reached(span.subsumeStep)) return "subsumed";
  if (reached(span.completeStep) || reached(span.recoverStep)) return "complete";
  if (reached(span.abortStep)) return "aborted";
  return reached(span.abandonStep) ? "abandoned" : "running";
}

/** Where it was decided; null where it never was. */
export function decisionOf({ completeStep, recoverStep, abortStep, abandonStep }: CheckpointSpan): number | null {
  return completeStep ?? abortStep ?? recoverStep ?? abandonStep;
}

/** Where somebody goes who asks for it: where it completed or was given up, else where it began (as `parsePlace`). */
export function placeOfCheckpoint({ completeStep, abortStep, triggerStep }: CheckpointSpan): number {
  return completeStep ?? abortStep ?? triggerStep;
}
