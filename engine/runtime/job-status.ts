import type { SavepointRecord } from "../checkpoint/savepoint-record.ts";
import { readRegister, writeRegister } from "../checkpoint/register-writer.ts";
import type { Fence } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { ClusterConfig } from "./cluster-config.ts";

/** How a job ended. */
export type JobEndStatus = "finished" | "failed" | "cancelled";

export interface JobStatusRecord {
  readonly status: JobEndStatus;
  /** The job stopped with this one. */
  readonly savepoint: SavepointRecord | null;
  /** Why it failed; null where it did not. */
  readonly reason: string | null;
  /** Its checkpoints stay behind; false: they are to go. */
  readonly leavesCheckpoints: boolean;
  readonly epoch: number;
}

/** The register that says how the job ended; absent while it has not. */
export function jobStatusKey(jobId: string, submission: number): string {
  return submission === 1 ? `${jobId}/status` : `${jobId}/status/${submission}`;
}

/** How the job ended, and the savepoint that it stopped with, if any. */
export function parseJobEnd(value: string): JobStatusRecord {
  return JSON.parse(value) as JobStatusRecord;
}

/** Null where the job has not ended. */
export function readJobEnd(
  ports: ProcessPorts,
  { jobId, submission }: Pick<ClusterConfig, "jobId" | "submission">,
  isWanted: () => boolean,
  done: (end: JobStatusRecord | null) => void,
): void {
  readRegister(ports, jobStatusKey(jobId, submission), isWanted, ({ value }) => done(value === null ? null : parseJobEnd(value)));
}

/** The job's end is a record too, so that no later leader starts it again. `done` gets false where another leader rules. */
export function recordJobEnd(
  ports: ProcessPorts,
  { jobId, submission }: Pick<ClusterConfig, "jobId" | "submission">,
  end: Pick<JobStatusRecord, "status" | "savepoint" | "reason" | "leavesCheckpoints">,
  fence: Fence,
  isWanted: () => boolean,
  done: (recorded: boolean) => void,
): void {
  const record: JobStatusRecord = { ...end, epoch: fence.epoch };
  const write = { key: jobStatusKey(jobId, submission), expectedVersion: 0, value: JSON.stringify(record), fence };
  writeRegister(ports, write, isWanted, (outcome) => done(outcome.kind === "written"));
}
