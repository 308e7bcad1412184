import type { SnapshotRestore } from "../checkpoint/snapshot-restore.ts";
import type { StreamGraph } from "../graph/stream-graph.ts";
import type { StateLibraries } from "../state/backends/state-libraries.ts";
import type { StateBackendName } from "../state/state-backend.ts";
import type { ExecutionId } from "../graph/execution-id.ts";

/**
 * The job's code: builds its graph anew at every call, with new user function objects. Called with null by
 * the JobManager, and with its execution for every attempt of every subtask. `parallelism`: what the job was
 * asked to run with instead of its own; null where it was not.
 */
export type JobFactory = (execution: ExecutionId | null, parallelism: number | null) => StreamGraph;

/** What every process of a cluster is started with. Times in milliseconds. */
export interface ClusterConfig {
  readonly jobId: string;
  /**
   * Which of the versions of the job this is, from 1 on. Each goes on from where the one before stopped, with its id,
   * its leader's lease and its counters, and has an end of its own.
   */
  readonly submission: number;
  /** Where the first attempt of this version starts; null: from nothing. */
  readonly restoreFrom: SnapshotRestore | null;
  readonly storagePrefix: string;
  readonly slotsPerWorker: number;
  readonly heartbeatIntervalMs: number;
  /** Without a sign of life for this long the other side counts as lost. */
  readonly heartbeatTimeoutMs: number;
  readonly rpcTimeoutMs: number;
  readonly registrationRetryMs: number;
  readonly leaseTtlMs: number;
  readonly tasksPerWorkerLimit: number;
  /** Of jobs that name no state backend of their own (Flink: state.backend.type). */
  readonly stateBackend: StateBackendName;
  readonly libraries: StateLibraries;
}
