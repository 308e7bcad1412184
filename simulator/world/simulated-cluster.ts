import type { ClusterConfig } from "../../engine/runtime/cluster-config.ts";
import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { StateBackendName } from "../../engine/state/state-backend.ts";

/** The one job of a World. */
export const JOB_ID = "job";
const STORAGE_PREFIX = "checkpoints";

/** How the cluster of a World is set up, as its job is submitted first. */
export function clusterConfig(slotsPerWorker: number, stateBackend: StateBackendName, libraries: StateLibraries): ClusterConfig {
  return {
    jobId: JOB_ID,
    submission: 1,
    restoreFrom: null,
    storagePrefix: STORAGE_PREFIX,
    slotsPerWorker,
    heartbeatIntervalMs: 1_000,
    heartbeatTimeoutMs: 3_000,
    rpcTimeoutMs: 1_000,
    registrationRetryMs: 200,
    leaseTtlMs: 3_000,
    tasksPerWorkerLimit: 256,
    stateBackend,
    libraries,
  };
}
