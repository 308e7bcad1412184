import type { SnapshotKind } from "../engine/checkpoint/checkpoint-properties.ts";
import type { ClaimMode } from "../engine/checkpoint/snapshot-restore.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import type { TimestampMs, TimeUs } from "../engine/base/units.ts";
import type { StateBackendName } from "../engine/state/state-backend.ts";
import type { CheckpointMode, FailoverScope, RestoreStrategyName } from "../engine/graph/job-modes.ts";
import type { RandomStream } from "../engine/ports/rng.ts";
import type { BudgetedKind } from "./faults/fault.ts";
import type { DiskProfile } from "./hosts/disk-survivors.ts";

/** A record of an input partition and the virtual time at which it can be read. */
export interface ArrivingRecord {
  readonly arrivesAtUs: TimeUs;
  readonly timestampMs: TimestampMs;
  /** Immutable; anything the structural codec keeps. */
  readonly value: unknown;
}

/** One input topic. Partitions are in arrival order, and closed after their last record. */
export interface InputTopic {
  readonly topic: string;
  readonly partitions: readonly (readonly ArrivingRecord[])[];
}

export interface OutputTopic {
  readonly topic: string;
  readonly partitions: number;
  /** The key whose records must stay in order; null: no order is promised. */
  readonly keyOf: ((value: unknown) => string) | null;
}

export interface ClusterShape {
  readonly jobManagers: number;
  readonly workers: number;
  readonly slotsPerWorker: number;
  /** After a crash a process is started again on its host after this long. */
  readonly processRestartUs: number;
  /** After a power loss a host is up again (or replaced by an empty one) after this long. */
  readonly hostRestartUs: number;
  /** What the file systems of the hosts promise beyond POSIX; absent: "adversarial", nothing. */
  readonly diskProfile?: DiskProfile;
  /** Virtual microseconds that a task takes for an element, so that a job can be slower than its input; absent: 1. */
  readonly elementUs?: number;
}

/**
 * What a scenario promises to survive: how many faults of a kind one plan may hold (absent: none), and
 * whether the job may end as failed.
 */
export interface FaultBudget {
  readonly most: Readonly<Partial<Record<BudgetedKind, number>>>;
  readonly jobMayFail: boolean;
}

/** What one run varies, all of it drawn from the seed unless it is fixed by the caller. */
export interface RunOptions {
  readonly backend: StateBackendName;
  readonly mode: CheckpointMode;
  readonly restore: RestoreStrategyName;
  readonly parallelism: number;
  /** After the plan's rescaling; the same where there is none. */
  readonly parallelismAfter: number;
  readonly failover: FailoverScope;
  /** Elements a buffer, 1 to 64. */
  readonly bufferElements: number;
}

/** What an option that names something may be; no two options share a name. */
export type OptionValue = StateBackendName | CheckpointMode | RestoreStrategyName | FailoverScope;

export interface WorkloadContext {
  readonly options: RunOptions;
  /** Randomness of the workload: the same seed gives the same input. */
  readonly random: (label: string) => RandomStream;
}

/**
 * The version of the job that a run begins with. Every drawn plan ends it on the way: with a savepoint, or cancelled,
 * where its latest retained checkpoint is what matters. The scenario's job goes on from that.
 */
export interface JobUpgrade {
  /** Its operators are declared as those of the scenario's job; behind them, those that it alone has. */
  readonly before: (options: RunOptions) => StreamGraph;
  /** What the scenario's job then runs with. */
  readonly after: (options: RunOptions) => RunOptions;
  /** What the scenario's job starts from; absent: a savepoint. Of a job that retains none when it is cancelled there is no next version. */
  readonly from?: SnapshotKind;
  /** Whose that is from then on; and whose the older checkpoints are, which may share files with it. */
  readonly claim: ClaimMode;
  /** State of operators that the scenario's job does not have may be left behind; absent: the job is refused then. */
  readonly allowNonRestoredState?: boolean;
  /** A value of a keyed state as the version before wrote it, and as the version after reads it. */
  readonly migrated: (uid: string, state: string, value: unknown) => unknown;
}

/**
 * A scenario: a job, its input, the cluster it runs on, what may go wrong, and what must hold. A user's own
 * is the default export (or the export `scenario`) of a file.
 */
export interface Scenario {
  readonly name: string;
  /** One line for lists. */
  readonly title: string;
  /** The manual page: what the job does and which anomalies the scenario hunts. */
  readonly doc: string;
  /**
   * Builds the job anew at every call: called for the JobManager and for every attempt of every subtask.
   * Whatever it closes over must be immutable.
   */
  readonly job: (options: RunOptions) => StreamGraph;
  /** Absent: the job goes on as it was. */
  readonly upgrade?: JobUpgrade;
  readonly workload: (context: WorkloadContext) => readonly InputTopic[];
  readonly outputs: readonly OutputTopic[];
  readonly cluster: ClusterShape;
  readonly budget: FaultBudget;
  /** State backends that the job runs with; absent: all of them. A job that sets its own names just that one. */
  readonly backends?: readonly StateBackendName[];
  /** Those of them that the seed draws from, the more often one is named, the likelier; absent: all, the heap in three runs of four. */
  readonly drawnBackends?: readonly StateBackendName[];
  /** Checkpoint modes that the job runs with, as its options say; absent: "aligned". */
  readonly modes?: readonly CheckpointMode[];
  /** Restore strategies that the job runs with, as its options say; absent: "full". */
  readonly restores?: readonly RestoreStrategyName[];
  /** Failover scopes that the job runs with, as its options say; absent: "job". */
  readonly failovers?: readonly FailoverScope[];
  /** Parallelisms that the seed draws from. */
  readonly parallelisms: readonly number[];
  /** The job may be given another of its parallelisms while it runs; absent: no. */
  readonly rescales?: boolean;
  /** Elements a buffer (1 to 64) that the seed draws from; absent: 1, 4, 16 and 64. */
  readonly bufferSizes?: readonly number[];
  /**
   * The result does not depend on how inputs interleave, so that a sequential interpreter of the job gives
   * the one right answer. Tested by permuting the input.
   */
  readonly confluent: boolean;
  /** Declared paths that a sweep must reach at least once (names of `simulator/oracles/sometimes.ts`). */
  readonly sometimes: readonly string[];
  /** More of them, which only runs with a certain state backend, mode, restore strategy or failover scope can reach. */
  readonly sometimesWith?: Readonly<Partial<Record<OptionValue, readonly string[]>>>;
}

/** Identity on scenarios, for type inference in users' files. */
export function defineScenario(scenario: Scenario): Scenario {
  return scenario;
}
