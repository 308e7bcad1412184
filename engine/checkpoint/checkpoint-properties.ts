import { invariant } from "../base/assert.ts";

/** A checkpoint belongs to the engine, a savepoint to whoever asked for it. */
export type SnapshotKind = "checkpoint" | "savepoint";

/** How a job stops with a savepoint: as it stands, or after everything its sources have brought so far is worked off. */
export type StopMode = "suspend" | "drain";

/** What one checkpoint is taken for (Flink: CheckpointProperties). */
export interface CheckpointProperties {
  readonly kind: SnapshotKind;
  /** Savepoints only: the job ends with it (Flink: a synchronous savepoint). */
  readonly stop: StopMode | null;
  /** Goes ahead of the limit on concurrent checkpoints and of the minimum pause. */
  readonly isForced: boolean;
}

export const CHECKPOINT: CheckpointProperties = { kind: "checkpoint", stop: null, isForced: false };
export const SAVEPOINT: CheckpointProperties = { kind: "savepoint", stop: null, isForced: true };
export const SUSPEND: CheckpointProperties = { kind: "savepoint", stop: "suspend", isForced: true };
export const DRAIN: CheckpointProperties = { kind: "savepoint", stop: "drain", isForced: true };

export function stopProperties(mode: StopMode): CheckpointProperties {
  return mode === "suspend" ? SUSPEND : DRAIN;
}

/** True where completing it tells the tasks, so that they commit: a plain savepoint must not commit anything. */
export function notifiesTasks({ kind, stop }: CheckpointProperties): boolean {
  invariant(stop === null || kind === "savepoint", "a job stops with a savepoint");
  return kind === "checkpoint" || stop !== null;
}
