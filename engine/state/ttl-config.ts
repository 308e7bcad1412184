import { invariant } from "../base/assert.ts";

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
  /**
   * Elements looked at, of some key, with every access (Flink: cleanupIncrementally); 0: none. Null: 5 where the
   * backend can do it. Only `heap` can; a number above 0 with another backend is refused when the state is bound.
   */
  readonly cleanupIncrementally: number | null;
  /** Expired rows are dropped by compaction. Null: where the backend can do it. Only `lsm` can; true is refused elsewhere. */
  readonly cleanupInCompaction: boolean | null;
}

/** More with one access would no longer be a bounded slice of work. */
const ELEMENTS_LOOKED_AT_LIMIT = 10_000;

/**
 * A time to live of `ttlMs`, with Flink's defaults for what is absent: only writing is an update, nothing
 * expired is ever returned, and the backend cleans up in the background in the way it can. Throws
 * InvariantError for what makes no sense.
 */
export function ttlConfig(options: Partial<TtlConfig> & Pick<TtlConfig, "ttlMs">): TtlConfig {
  const config: TtlConfig = {
    ttlMs: options.ttlMs,
    update: options.update ?? "on-create-and-write",
    visibility: options.visibility ?? "never-return-expired",
    cleanupInFullSnapshot: options.cleanupInFullSnapshot ?? false,
    cleanupIncrementally: options.cleanupIncrementally ?? null,
    cleanupInCompaction: options.cleanupInCompaction ?? null,
  };
  const { ttlMs, update, visibility, cleanupIncrementally } = config;
  const isWhole = Number.isSafeInteger(ttlMs) && ttlMs >= 1;
  if (!isWhole) invariant(false, `a time to live is a whole number of milliseconds from 1 on, not ${String(ttlMs)}`);
  if (update !== "on-create-and-write" && update !== "on-read-and-write") {
    invariant(false, `a time to live is updated "on-create-and-write" or "on-read-and-write", not "${String(update)}"`);
  }
  if (visibility !== "never-return-expired" && visibility !== "return-expired-if-not-cleaned-up") {
    invariant(
      false,
      `expired state is visible as "never-return-expired" or "return-expired-if-not-cleaned-up", not "${String(visibility)}"`,
    );
  }
  const looked = cleanupIncrementally ?? 0;
  if (!Number.isSafeInteger(looked) || looked < 0 || looked > ELEMENTS_LOOKED_AT_LIMIT) {
    invariant(
      false,
      `incremental clean-up looks at 0 to ${ELEMENTS_LOOKED_AT_LIMIT} elements, not ${String(cleanupIncrementally)}`,
    );
  }
  return config;
}
