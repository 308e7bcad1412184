import type { BudgetedKind } from "../simulator/faults/fault.ts";
import type { ClusterShape, FaultBudget, RunOptions, Scenario } from "../simulator/scenario.ts";
import type { CheckpointSettings } from "../engine/api/checkpoint-settings.ts";
import type { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { RestartStrategies } from "../engine/api/restart-strategies.ts";
import { RestoreStrategies } from "../engine/api/restore-strategies.ts";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../engine/graph/job-modes.ts";
import type { StateBackendConfig } from "../engine/state/state-backend.ts";

/** What the scenarios of this folder have in common: the cluster, what it must survive, and the settings of the job. */

/** One JobManager and three workers of two slots: parallelism 4 still fits while one worker is away. */
export const THREE_WORKERS: ClusterShape = {
  jobManagers: 1,
  workers: 3,
  slotsPerWorker: 2,
  processRestartUs: 500_000,
  hostRestartUs: 2_000_000,
};

export const TWO_WORKERS: ClusterShape = { ...THREE_WORKERS, workers: 2 };

/** Most faults of each kind in one plan. */
const MOST: Readonly<Record<BudgetedKind, number>> = {
  "process-crash": 4,
  "process-pause": 3,
  "host-crash": 2,
  "user-exception": 3,
  "rpc-drop": 8,
  "rpc-duplicate": 8,
  "rpc-delay": 8,
  "rpc-reply-drop": 8,
  "connection-break": 3,
  "frame-delay": 6,
  "blob-error": 6,
  "blob-slow": 4,
  "blob-late-delete": 4,
  "coordination-error": 4,
  "coordination-slow": 4,
  "log-error": 6,
  "log-slow": 4,
  "transaction-timeout": 2,
  latency: 20,
  partition: 2,
  "rpc-chaos": 2,
  "network-slow": 2,
  "blob-outage": 2,
  "coordination-outage": 2,
  "lease-loss": 2,
  "log-outage": 2,
  "disk-error": 6,
  "disk-fsync-failure": 4,
  "disk-short-read": 6,
  "disk-bit-flip": 4,
  "disk-misdirected-write": 3,
  "disk-slow": 4,
  "disk-full": 2,
  "disk-stall": 2,
  "disk-loss": 2,
};

/** Every kind of fault, and still exactly-once: the job may fall behind, but never fail. */
export const SURVIVES_EVERYTHING: FaultBudget = { most: MOST, jobMayFail: false };

/**
 * One virtual second between checkpoints; one that hangs is given up after two and a half, before a silent
 * worker counts as lost.
 */
export const CHECKPOINT_INTERVAL_MS = 1000;
const CHECKPOINT_TIMEOUT_MS = 2500;
/** Short beside what a slow channel takes, long beside a quick one. */
const ALIGNED_TIMEOUT_MS = 20;
/** Small, because every snapshot writes a line for each key group; founding-checkpointing keeps Flink's 128. */
const MAX_PARALLELISM = 32;
/** No number of failures in a row may fail a job that must survive. */
const UNLIMITED = 1_000_000;

/**
 * Sizes so small that even the state of a few keys outgrows a memtable and a buffer many times: with the defaults
 * it would all stay in memory, and no run would ever read or write a table.
 */
function smallBackend(name: RunOptions["backend"]): StateBackendConfig {
  const changelog = name.startsWith("changelog:") ? { materializeAfterBytes: 8_192 } : {};
  if (name.endsWith("lsm")) {
    return { name, writeBufferBytes: 1_024, tableBytes: 1_024, levelOneBytes: 768, blockCacheBytes: 4_096, ...changelog };
  }
  return name.endsWith("sqlite") ? { name, writeBufferBytes: 2_048, ...changelog } : { name, ...changelog };
}

/** Barriers may overtake data: then there is one checkpoint at a time. */
export function mayOvertake({ mode }: RunOptions): boolean {
  return mode === "unaligned" || mode === "aligned-timeout";
}

/** Checkpoints, restarts and backends as the scenarios want them, and what the run's options say. */
export function configure(environment: StreamExecutionEnvironment, options: RunOptions): CheckpointSettings {
  environment
    .setStateBackend(smallBackend(options.backend))
    .setParallelism(options.parallelism)
    .setMaxParallelism(MAX_PARALLELISM)
    .setBufferElements(options.bufferElements)
    .setAutoWatermarkInterval(400)
    .enableCheckpointing(CHECKPOINT_INTERVAL_MS, options.mode === "at-least-once" ? "at-least-once" : "exactly-once")
    .setRestoreStrategy(RestoreStrategies[options.restore]())
    .setFailoverStrategy(options.failover)
    .setRestartStrategy(RestartStrategies.fixedDelay(UNLIMITED, 500));
  return environment
    .getCheckpointConfig()
    .enableUnalignedCheckpoints(mayOvertake(options))
    .setAlignedCheckpointTimeout(options.mode === "aligned-timeout" ? ALIGNED_TIMEOUT_MS : 0)
    .setCheckpointTimeout(CHECKPOINT_TIMEOUT_MS)
    .setTolerableCheckpointFailureNumber(UNLIMITED);
}

/** What a job that is set up by `configure` runs with. */
export const CONFIGURED: Pick<Required<Scenario>, "modes" | "restores" | "failovers" | "rescales"> = {
  modes: CHECKPOINT_MODES,
  restores: RESTORE_STRATEGIES,
  failovers: FAILOVER_SCOPES,
  rescales: true,
};

/** Paths that a sweep over any job with checkpoints and a transactional sink reaches. */
export const RECOVERY_PATHS: readonly string[] = [
  "crash between snapshot and ack",
  "crash between ack and completion",
  "crash between completion and notification",
  "crash between pre-commit and commit",
  "crash during a restore",
  "two crashes within one recovery",
  "a checkpoint expired",
  "a checkpoint aborted",
  "a zombie that tried to act",
];

/** What a sweep over at-least-once jobs must have seen: without a record that comes again it was not where they differ. */
export const AT_LEAST_ONCE_PATHS: readonly string[] = ["a record applied twice (at-least-once)"];

/** Further paths of modes in which two checkpoints may be under way, of jobs that allow it. */
export const CONCURRENT_PATHS: NonNullable<Scenario["sometimesWith"]> = {
  aligned: ["a checkpoint subsumed"],
  "at-least-once": ["a checkpoint subsumed"],
};

/** Where a seventh of all runs restores from local copies; local-recovery takes the rarer paths. */
export const LOCAL_COPY_PATHS: readonly string[] = ["a restore with no remote byte"];

/** Further paths of runs whose checkpoints share files: what nearly each of them takes. */
export const SHARED_FILE_PATHS: readonly string[] = [
  "a file shared by two retained checkpoints",
  "a shared file deleted at last",
  "a file named again by a later checkpoint",
  "a local file reused by a restore",
];
