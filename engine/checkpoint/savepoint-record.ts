import type { CheckpointId } from "../base/units.ts";
import type { StopMode } from "./checkpoint-properties.ts";
import type { FileHandle } from "./checksummed-file.ts";

/** A savepoint as its record says it: whoever has this can start a job from it. */
export interface SavepointRecord {
  readonly requestId: string;
  readonly checkpointId: CheckpointId;
  /** The job stopped with it. */
  readonly stop: StopMode | null;
  /** The metadata file. */
  readonly file: FileHandle;
}

/** The register that says that a savepoint is complete; its files are the user's, and nothing of the job's deletes them. */
export function savepointKey(jobId: string, requestId: string): string {
  return `${savepointPrefix(jobId)}${requestId}`;
}

export function savepointPrefix(jobId: string): string {
  return `${jobId}/savepoints/`;
}

export function parseSavepoint(value: string): SavepointRecord {
  return JSON.parse(value) as SavepointRecord;
}

/**
 * Whose the files of a savepoint are once a job was started from it (Flink: RecoveryClaimMode). "claim": the job's, and
 * deleted when a later checkpoint takes its place. "no-claim": the user's, and never touched.
 */
export type ClaimMode = "claim" | "no-claim";

export interface SavepointRestore {
  readonly savepoint: SavepointRecord;
  readonly claim: ClaimMode;
  /** State of operators that the job does not have any more is left behind. */
  readonly allowNonRestoredState: boolean;
  /** What the job runs with; null: as it says itself. */
  readonly parallelism: number | null;
}
