import { RESTART_BACKOFF_LIMIT_MS } from "../base/limits.ts";
import type { RestartStrategy } from "../graph/stream-graph.ts";
import { JobDefinitionError, requireWhole, requireWholeMs } from "./job-definition-error.ts";

/** Times in whole milliseconds; the values in brackets are Flink's defaults, and ours. */
export interface ExponentialDelayOptions {
  /** The first wait [1 s]. */
  readonly initialBackoffMs?: number;
  /** No wait is longer [1 min]. */
  readonly maxBackoffMs?: number;
  /** By this factor each wait in a row is longer than the one before; at least 1 [1.5]. */
  readonly backoffMultiplier?: number;
  /** So long without a failure after a restart, and the waits begin anew [1 h]. */
  readonly resetBackoffThresholdMs?: number;
  /** Each wait is drawn longer or shorter by up to this share of it, 0 to 1 [0.1]. */
  readonly jitterFactor?: number;
  /** Restarts in a row before the job fails [any number]. */
  readonly maxAttempts?: number;
}

const MINUTE_MS = 60_000;

/**
 * What happens after a failure, as Flink's RestartStrategies. Without a word on it, a job with checkpoints
 * restarts with exponential delay, and one without does not restart.
 */
export const RestartStrategies = {
  /** The job fails with its first failure. */
  none(): RestartStrategy {
    return { kind: "none" };
  },
  /** `attempts` restarts [1], each `delayMs` [1 s] after the failure; the next failure fails the job. */
  fixedDelay(attempts: number = 1, delayMs: number = 1000): RestartStrategy {
    const where = "RestartStrategies.fixedDelay";
    return {
      kind: "fixed-delay",
      attempts: requireWhole(attempts, 0, where, "the number of attempts"),
      delayMs: requireDelayMs(delayMs, 0, where, "the delay"),
    };
  },
  /** Waits that grow with each restart in a row, up to a maximum. */
  exponentialDelay(options: ExponentialDelayOptions = {}): RestartStrategy {
    const where = "RestartStrategies.exponentialDelay";
    const initialBackoffMs = requireDelayMs(options.initialBackoffMs ?? 1000, 1, where, "the initial backoff");
    const maxBackoffMs = requireDelayMs(options.maxBackoffMs ?? MINUTE_MS, 1, where, "the maximum backoff");
    if (maxBackoffMs < initialBackoffMs) {
      throw new JobDefinitionError(
        where,
        `the maximum backoff of ${maxBackoffMs} milliseconds is less than the initial one of ${initialBackoffMs}`,
        "Raise the maximum, or lower the initial backoff",
      );
    }
    const { maxAttempts } = options;
    return {
      kind: "exponential-delay",
      initialBackoffMs,
      maxBackoffMs,
      backoffMultiplier: requireBetween(options.backoffMultiplier ?? 1.5, 1, Number.MAX_VALUE, where, "the multiplier"),
      resetBackoffThresholdMs: requireWholeMs(options.resetBackoffThresholdMs ?? 60 * MINUTE_MS, 1, where, "the reset threshold"),
      jitterFactor: requireBetween(options.jitterFactor ?? 0.1, 0, 1, where, "the jitter factor"),
      maxAttempts: maxAttempts === undefined ? null : requireWhole(maxAttempts, 1, where, "the number of attempts"),
    };
  },
  /**
   * Restarts `delayMs` [1 s] after a failure, while no more than `maxFailures` [1] lie within `intervalMs`
   * [1 min]; one more within that time fails the job.
   */
  failureRate(maxFailures: number = 1, intervalMs: number = MINUTE_MS, delayMs: number = 1000): RestartStrategy {
    const where = "RestartStrategies.failureRate";
    return {
      kind: "failure-rate",
      maxFailures: requireWhole(maxFailures, 1, where, "the number of failures"),
      intervalMs: requireWholeMs(intervalMs, 1, where, "the interval"),
      delayMs: requireDelayMs(delayMs, 0, where, "the delay"),
    };
  },
} as const;

function requireDelayMs(value: number, least: number, where: string, what: string): number {
  requireWholeMs(value, least, where, what);
  if (value <= RESTART_BACKOFF_LIMIT_MS) return value;
  const reason = `${what} of ${value} milliseconds is longer than ${RESTART_BACKOFF_LIMIT_MS}, the most there can be`;
  throw new JobDefinitionError(where, reason, "Lower it");
}

function requireBetween(value: number, least: number, most: number, where: string, what: string): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  const range = most === Number.MAX_VALUE ? `a number of at least ${least}` : `a number from ${least} to ${most}`;
  throw new JobDefinitionError(where, `${what} is ${String(value)}, but must be ${range}`, `Give ${range}`);
}
