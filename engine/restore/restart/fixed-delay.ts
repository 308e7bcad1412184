import { US_PER_MS } from "../../base/units.ts";
import type { RestartBackoff, RestartBackoffSnapshot } from "./restart-backoff.ts";

/** A number of restarts, each the same time after its failure; the failure after the last of them is final. */
export class FixedDelay implements RestartBackoff {
  readonly #attempts: number;
  readonly #delayMs: number;
  #failures = 0;

  constructor(attempts: number, delayMs: number) {
    this.#attempts = attempts;
    this.#delayMs = delayMs;
  }

  notifyFailure(): boolean {
    this.#failures += 1;
    return true;
  }

  canRestart(): boolean {
    return this.#failures <= this.#attempts;
  }

  delayUs(): number {
    return this.#delayMs * US_PER_MS;
  }

  inspect(): RestartBackoffSnapshot {
    return { strategy: "fixed-delay", failures: this.#failures, tolerated: this.#attempts, delayMs: this.#delayMs };
  }
}
