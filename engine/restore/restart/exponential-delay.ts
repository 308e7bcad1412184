import { invariant } from "../../base/assert.ts";
import { RESTART_BACKOFF_LIMIT_MS } from "../../base/limits.ts";
import type { TimeUs } from "../../base/units.ts";
import { US_PER_MS } from "../../base/units.ts";
import type { RestartStrategy } from "../../graph/stream-graph.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RandomStream } from "../../ports/rng.ts";
import type { RestartBackoff, RestartBackoffSnapshot } from "./restart-backoff.ts";

export type ExponentialDelayConfig = Extract<RestartStrategy, { readonly kind: "exponential-delay" }>;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Each restart waits longer than the one before, up to a maximum, with some jitter; after a long time without
 * a failure it begins anew. Failures up to the moment of the next restart, that one included, belong to it: a
 * crash that fails many regions is one attempt.
 *
 * The k-th wait in a row (k from 0) is the whole part of initial * multiplier^k plus the jitter, not above the
 * maximum, not below the initial backoff. The power is multiplied up step by step, so that it has the same
 * bits everywhere.
 */
export class ExponentialDelay implements RestartBackoff {
  readonly #clock: Clock;
  readonly #config: ExponentialDelayConfig;
  readonly #jitter: () => RandomStream;
  /** initial * multiplier^k, until it exceeds the maximum. */
  #backoffMs: number;
  /** Restart attempts since the last time it began anew. */
  #attempts = 0;
  #nextRestartUs: TimeUs = NEVER;

  constructor(clock: Clock, config: ExponentialDelayConfig, jitter: () => RandomStream) {
    this.#clock = clock;
    this.#config = config;
    this.#jitter = jitter;
    this.#backoffMs = config.initialBackoffMs;
  }

  notifyFailure(): boolean {
    const { initialBackoffMs, backoffMultiplier, maxBackoffMs, resetBackoffThresholdMs } = this.#config;
    const nowUs = this.#clock.nowUs();
    if (nowUs <= this.#nextRestartUs) return false;
    if (nowUs - this.#nextRestartUs >= resetBackoffThresholdMs * US_PER_MS) {
      this.#attempts = 0;
      this.#backoffMs = initialBackoffMs;
    } else if (this.#backoffMs < maxBackoffMs) {
      this.#backoffMs *= backoffMultiplier;
    }
    this.#attempts += 1;
    this.#nextRestartUs = nowUs + this.#drawnBackoffMs() * US_PER_MS;
    return true;
  }

  canRestart(): boolean {
    const { maxAttempts } = this.#config;
    return maxAttempts === null || this.#attempts <= maxAttempts;
  }

  delayUs(): number {
    invariant(this.#nextRestartUs !== NEVER, "a restart follows a failure");
    return Math.max(0, this.#nextRestartUs - this.#clock.nowUs());
  }

  inspect(): RestartBackoffSnapshot {
    return { strategy: "exponential-delay", failures: this.#attempts, tolerated: this.#config.maxAttempts, delayMs: this.#backoffMs };
  }

  #drawnBackoffMs(): number {
    const { initialBackoffMs, maxBackoffMs, jitterFactor } = this.#config;
    const wholeMs = Math.min(Math.trunc(this.#backoffMs), RESTART_BACKOFF_LIMIT_MS);
    const reachMs = Math.trunc(wholeMs * jitterFactor);
    const jitterMs = reachMs === 0 ? 0 : this.#jitter().below(2 * reachMs + 1) - reachMs;
    return Math.max(initialBackoffMs, Math.min(wholeMs + jitterMs, maxBackoffMs));
  }
}
