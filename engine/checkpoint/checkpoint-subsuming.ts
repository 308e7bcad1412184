import type { CheckpointId } from "../base/units.ts";
import type { CheckpointProperties } from "./checkpoint-properties.ts";

/** What subsumption looks at. */
export interface Subsumable {
  readonly checkpointId: CheckpointId;
  readonly properties: Pick<CheckpointProperties, "kind" | "stop">;
}

/**
 * Which checkpoints leave the store so that `retained` stay, the oldest first (Flink: CheckpointSubsumeHelper).
 * `checkpoints` are in the order of their ids.
 *
 * The latest never leaves. A savepoint always may: its files are not the store's. The latest that is no savepoint
 * stays too, because the next increment builds on it; unless the job ended with a savepoint, when no increment
 * follows.
 */
export function subsumed<Checkpoint extends Subsumable>(
  checkpoints: readonly Checkpoint[],
  retained: number,
): readonly Checkpoint[] {
  const latest = checkpoints.at(-1);
  const latestCheckpoint = checkpoints.findLast(({ properties }) => properties.kind === "checkpoint");
  const stopped = latest !== undefined && latest.properties.kind === "savepoint" && latest.properties.stop !== null;
  const leaving: Checkpoint[] = [];
  for (const checkpoint of checkpoints) {
    if (checkpoints.length - leaving.length <= retained) break;
    if (checkpoint === latest) continue;
    const mayLeave = checkpoint.properties.kind === "savepoint" || stopped || checkpoint !== latestCheckpoint;
    if (mayLeave) leaving.push(checkpoint);
  }
  return leaving;
}

/** Entries of shared files last used below this id can go; null while only savepoints are retained. */
export function lowestRetainedCheckpoint(checkpoints: readonly Subsumable[]): CheckpointId | null {
  return checkpoints.find(({ properties }) => properties.kind === "checkpoint")?.checkpointId ?? null;
}
