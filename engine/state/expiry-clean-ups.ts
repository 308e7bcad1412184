import { StateDefinitionError } from "./state-errors.ts";
import type { TtlConfig } from "./ttl-config.ts";

/** What a backend can do in the background about state whose time to live is over. */
export interface ExpiryCleanUps {
  /** The name of the backend, as a job gives it. */
  readonly backend: string;
  /** Looks at a few elements with every access. */
  readonly incrementally: boolean;
  /** Drops expired rows when it compacts. */
  readonly inCompaction: boolean;
}

/** What is looked at with every access where nothing else is said; Flink's number. */
const ELEMENTS_LOOKED_AT = 5;

/**
 * A time to live as a backend carries it out: what was left to the backend is what it can do. Throws
 * StateDefinitionError for a clean-up that the backend does not have, where Flink goes on without it.
 */
export function withCleanUps(ttl: TtlConfig, state: string, able: ExpiryCleanUps): TtlConfig {
  const { cleanupIncrementally, cleanupInCompaction } = ttl;
  if (cleanupIncrementally !== null && cleanupIncrementally > 0 && !able.incrementally) {
    refuse(state, able, `cleanupIncrementally: ${cleanupIncrementally}`, "clean state up incrementally");
  }
  if (cleanupInCompaction === true && !able.inCompaction) {
    refuse(state, able, "cleanupInCompaction: true", "clean state up in compaction");
  }
  return {
    ...ttl,
    cleanupIncrementally: cleanupIncrementally ?? (able.incrementally ? ELEMENTS_LOOKED_AT : 0),
    cleanupInCompaction: cleanupInCompaction ?? able.inCompaction,
  };
}

function refuse(state: string, able: ExpiryCleanUps, asked: string, what: string): never {
  const choices = ["cleanupInFullSnapshot"];
  if (able.incrementally) choices.push("cleanupIncrementally");
  if (able.inCompaction) choices.push("cleanupInCompaction");
  throw new StateDefinitionError(
    `state "${state}" asks for ${asked}, but the state backend ${able.backend} does not ${what}. ` +
      `It has: ${choices.join(", ")}; leave both out to have what the backend of the run can do`,
  );
}
