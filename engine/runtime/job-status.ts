import { readRegister, writeRegister } from "../checkpoint/register-writer.ts";
import type { Fence } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

/** How a job ended. */
export type JobEndStatus = "finished" | "failed";

interface JobStatusRecord {
  readonly status: JobEndStatus;
  readonly epoch: number;
}

/** The register that says how the job ended; absent while it has not. */
export function jobStatusKey(jobId: string): string {
  return `${jobId}/status`;
}

/** Null where the job has not ended. */
export function readJobEnd(
  ports: ProcessPorts,
  jobId: string,
  isWanted: () => boolean,
  done: (status: JobEndStatus | null) => void,
): void {
  readRegister(ports, jobStatusKey(jobId), isWanted, ({ value }) => {
    done(value === null ? null : (JSON.parse(value) as JobStatusRecord).status);
  });
}

/** The job's end is a record too, so that no later leader starts it again. `done` gets false where another leader rules. */
export function recordJobEnd(
  ports: ProcessPorts,
  jobId: string,
  status: JobEndStatus,
  fence: Fence,
  isWanted: () => boolean,
  done: (recorded: boolean) => void,
): void {
  const record: JobStatusRecord = { status, epoch: fence.epoch };
  const write = { key: jobStatusKey(jobId), expectedVersion: 0, value: JSON.stringify(record), fence };
  writeRegister(ports, write, isWanted, (outcome) => done(outcome.kind === "written"));
}
