import { present } from "../../base/assert.ts";
import { Fifo } from "../../base/fifo.ts";
import type { TimeUs } from "../../base/units.ts";
import { US_PER_MS } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RestartBackoff, RestartBackoffSnapshot } from "./restart-backoff.ts";

/**
 * Restarts while failures are rare: refuses once `maxFailures + 1` of them lie within one interval, its ends
 * included. Only so many times of failures are kept, the oldest gives way.
 */
export class FailureRate implements RestartBackoff {
  readonly #clock: Clock;
  readonly #maxFailures: number;
  readonly #intervalMs: number;
  readonly #delayMs: number;
  /** Times of the latest failures, oldest first. */
  readonly #failures = new Fifo<TimeUs>();

  constructor(clock: Clock, maxFailures: number, intervalMs: number, delayMs: number) {
    this.#clock = clock;
    this.#maxFailures = maxFailures;
    this.#intervalMs = intervalMs;
    this.#delayMs = delayMs;
  }

  notifyFailure(): boolean {
    if (this.#isFull()) this.#failures.shift();
    this.#failures.push(this.#clock.nowUs());
    return true;
  }

  canRestart(): boolean {
    if (!this.#isFull()) return true;
    const oldestUs = present(this.#failures.at(0), "a full queue has an oldest failure");
    return this.#clock.nowUs() - oldestUs > this.#intervalMs * US_PER_MS;
  }

  delayUs(): number {
    return this.#delayMs * US_PER_MS;
  }

  inspect(): RestartBackoffSnapshot {
    const sinceUs = this.#clock.nowUs() - this.#intervalMs * US_PER_MS;
    let failures = 0;
    for (let i = 0; i < this.#failures.size; i += 1) if ((this.#failures.at(i) as TimeUs) >= sinceUs) failures += 1;
    return { strategy: "failure-rate", failures, tolerated: this.#maxFailures, delayMs: this.#delayMs };
  }

  #isFull(): boolean {
    return this.#failures.size > this.#maxFailures;
  }
}
