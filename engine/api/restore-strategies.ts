import type { RestoreStrategyName } from "../graph/job-modes.ts";
import { requireWholeMs } from "./job-definition-error.ts";

/** What `setRestoreStrategy` takes. */
export interface RestoreStrategySetting {
  readonly strategy: RestoreStrategyName;
  /** Restarts come this long after a failure, without an end; null: the restart strategy says when. */
  readonly restartDelayMs: number | null;
  /** Where the latest checkpoint cannot be read any more, the one before is good enough. */
  readonly allowOlder: boolean;
}

export interface FullRestoreOptions {
  /**
   * Where files of the latest checkpoint are gone or damaged in remote storage: start from the one before, as far as
   * it is retained. Never past a commit: a job with a sink that commits fails instead. False where not given: the
   * job tries again as often as its restart strategy lets it.
   */
  readonly allowOlder?: boolean;
}

/** How a job gets its state back. */
export const RestoreStrategies = {
  /** Self-contained checkpoints, read whole from remote storage. */
  full({ allowOlder = false }: FullRestoreOptions = {}): RestoreStrategySetting {
    return { strategy: "full", restartDelayMs: null, allowOlder };
  },
  /** Checkpoints share files; a restore reads from remote storage only what its host does not hold intact. */
  incremental(): RestoreStrategySetting {
    return { strategy: "incremental", restartDelayMs: null, allowOlder: false };
  },
  /** A copy on the host's disk, which a restore prefers, piece by piece (Flink: state.backend.local-recovery). */
  local(): RestoreStrategySetting {
    return { strategy: "local", restartDelayMs: null, allowOlder: false };
  },
  /** From the latest snapshot, exactly `delayMs` after the failure, however often. */
  failureSnapshotRestore(delayMs: number): RestoreStrategySetting {
    const restartDelayMs = requireWholeMs(delayMs, 0, "RestoreStrategies.failureSnapshotRestore", "the delay");
    return { strategy: "full", restartDelayMs, allowOlder: false };
  },
} as const;
