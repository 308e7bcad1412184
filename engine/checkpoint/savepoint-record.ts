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
