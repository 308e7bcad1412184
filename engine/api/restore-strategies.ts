import type { RestoreStrategyName } from "../graph/job-modes.ts";
import { requireWholeMs } from "./job-definition-error.ts";

/** What `setRestoreStrategy` takes. */
export interface RestoreStrategySetting {
  readonly strategy: RestoreStrategyName;
  /** Restarts come this long after a failure, without an end; null: the restart strategy says when. */
  readonly restartDelayMs: number | null;
}

/** How a job gets its state back. */
export const RestoreStrategies = {
  /** Self-contained checkpoints, read whole from remote storage. */
  full(): RestoreStrategySetting {
    return { strategy: "full", restartDelayMs: null };
  },
  /** Checkpoints share files; a restore reads from remote storage only what its host does not hold intact. */
  incremental(): RestoreStrategySetting {
    return { strategy: "incremental", restartDelayMs: null };
  },
  /** A copy on the host's disk, which a restore prefers, piece by piece (Flink: state.backend.local-recovery). */
  local(): RestoreStrategySetting {
    return { strategy: "local", restartDelayMs: null };
  },
  /** From the latest snapshot, exactly `delayMs` after the failure, however often. */
  failureSnapshotRestore(delayMs: number): RestoreStrategySetting {
    return { strategy: "full", restartDelayMs: requireWholeMs(delayMs, 0, "RestoreStrategies.failureSnapshotRestore", "the delay") };
  },
} as const;
