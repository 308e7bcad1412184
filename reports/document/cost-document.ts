import type { RestoreStrategyName } from "../../engine/graph/job-modes.ts";
import type { StateBackendName } from "../../engine/state/state-backend.ts";

export const COST_FORMAT = "whitewater-cost";
export const COST_VERSION = 1;

/**
 * What goes wrong, once, at the same moment of a run in which nothing else does: a worker's process dies and starts
 * again; the same, and the disk of its host is empty then; its host is lost and comes back as an empty one.
 */
export const COST_INCIDENTS = ["process-crash", "disk-lost", "host-replaced"] as const;
export type CostIncident = (typeof COST_INCIDENTS)[number];

/** Of all that the run had, and of the last. */
export interface MedianAndLast {
  readonly median: number;
  readonly last: number;
}

export interface CheckpointCosts {
  readonly count: number;
  /** Written to remote storage for it. */
  readonly bytes: MedianAndLast;
  /** Virtual, from its trigger to its record. */
  readonly durationUs: MedianAndLast;
}

/** One recovery of the job, all its tasks together. */
export interface RecoveryCost {
  /** The checkpoint. */
  readonly from: number;
  /** What remote storage gave to the workers. */
  readonly remoteBytes: number;
  readonly requests: number;
  /** Of the checkpoint, from the disks of the hosts. */
  readonly localBytes: number;
  readonly files: number;
  /** Virtual, from the first task that begins to restore to the last that has its state. */
  readonly restoreUs: number;
  /** Virtual, from the failure to the moment when all tasks run again. */
  readonly downUs: number;
}

export interface CostRow {
  readonly backend: StateBackendName;
  readonly strategy: RestoreStrategyName;
  readonly checkpoints: CheckpointCosts;
  readonly recoveries: Readonly<Record<CostIncident, RecoveryCost>>;
}

/** A pair that was not measured, and why. */
export interface CostGap {
  readonly backend: StateBackendName;
  readonly strategy: RestoreStrategyName;
  readonly reason: string;
}

/** What checkpoints and restores of one job cost, by state backend and restore strategy. */
export interface CostDocument {
  readonly format: typeof COST_FORMAT;
  readonly version: typeof COST_VERSION;
  readonly tool: string;
  readonly scenario: string;
  readonly seed: string;
  readonly parallelism: number;
  /** The incident strikes when so many checkpoints have completed. */
  readonly afterCheckpoints: number;
  /** By backend, then strategy. */
  readonly rows: readonly CostRow[];
  readonly notMeasured: readonly CostGap[];
}
