/**
 * State time to live, as Flink's StateTtlConfig, on processing time. An element is expired once
 * `now >= lastUpdate + ttlMs`.
 */
export interface TtlConfig {
  /** Whole milliseconds, at least 1. */
  readonly ttlMs: number;
  /** What counts as an update. */
  readonly update: "on-create-and-write" | "on-read-and-write";
  readonly visibility: "never-return-expired" | "return-expired-if-not-cleaned-up";
  /** Expired elements are left out of full snapshots. */
  readonly cleanupInFullSnapshot: boolean;
  /** Elements looked at, of some key, with every access; 0: none. Heap only (Flink: cleanupIncrementally). */
  readonly cleanupIncrementally: number;
  /** Expired rows are dropped by compaction. LSM only. */
  readonly cleanupInCompaction: boolean;
}
