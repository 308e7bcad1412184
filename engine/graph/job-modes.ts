import type { StateBackendName } from "../state/state-backend.ts";

/**
 * How checkpoints get through the channels. "aligned": barriers wait for each other. "unaligned": barriers
 * overtake data, which becomes part of the checkpoint. "aligned-timeout": aligned, unless that takes too long.
 * "at-least-once": nobody waits, so that records may be applied again after a restore.
 */
export type CheckpointMode = "aligned" | "aligned-timeout" | "unaligned" | "at-least-once";
export const CHECKPOINT_MODES: readonly CheckpointMode[] = ["aligned", "aligned-timeout", "unaligned", "at-least-once"];

/**
 * What a checkpoint consists of, and what a restore reads. "full": self-contained snapshots, read whole from
 * remote storage. "incremental": files shared between checkpoints, of which a restore reads those that the host
 * does not hold. "local": full snapshots with a copy on the host's disk, which a restore prefers.
 */
export type RestoreStrategyName = "full" | "incremental" | "local";
export const RESTORE_STRATEGIES: readonly RestoreStrategyName[] = ["full", "incremental", "local"];

/** What restarts after a failure: the whole job, or the region of the failed task. */
export type FailoverScope = "job" | "region";
export const FAILOVER_SCOPES: readonly FailoverScope[] = ["job", "region"];

/** What can be combined at will, with few exceptions. */
export interface JobModes {
  readonly backend: StateBackendName;
  readonly restore: RestoreStrategyName;
  readonly failover: FailoverScope;
  /** The parallelism changes with a restore. */
  readonly rescales: boolean;
}

/** A combination that cannot be. */
export interface InvalidCombination {
  readonly reason: string;
  readonly wayOut: string;
}

/** Why these do not go together, or null. */
export function invalidCombination({ backend, restore, failover, rescales }: JobModes): InvalidCombination | null {
  if (backend === "heap" && restore === "incremental") {
    const wayOut = "Choose full or local, or a backend with increments: lsm, sqlite, changelog:heap, changelog:lsm, changelog:sqlite";
    return { reason: "heap has no increments to restore from", wayOut };
  }
  if (failover === "region" && rescales) {
    const wayOut = "Let the whole job fail over, or keep the parallelism";
    return { reason: "one region cannot change its parallelism alone", wayOut };
  }
  return null;
}
