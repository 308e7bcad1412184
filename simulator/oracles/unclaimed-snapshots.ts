import type { World } from "../world/world.ts";
import type { CheckpointRecord } from "./checkpoint-records.ts";

/**
 * True for what the present version of the job was started from without a claim: a savepoint; or a checkpoint, and the
 * older ones, which may share files with it. All of that stays as it is, whatever becomes of the job.
 */
export function isUnclaimed({ startedFrom }: World, { checkpointId, metadata }: CheckpointRecord): boolean {
  if (startedFrom === null || startedFrom.claim === "claim") return false;
  const { snapshot } = startedFrom;
  if (snapshot.kind === "savepoint") return checkpointId === snapshot.checkpointId;
  return checkpointId <= snapshot.checkpointId && metadata?.kind !== "savepoint";
}
