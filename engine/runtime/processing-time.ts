import { TIMERS_PER_STEP } from "../base/limits.ts";
import type { TimestampMs } from "../base/units.ts";
import { US_PER_MS } from "../base/units.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

/** Wakes a task for its earliest processing-time timer (one system timer, for the head of the queue). */
export class ProcessingTime {
  readonly #chain: OperatorChain;
  readonly #ports: ProcessPorts;
  readonly #mail: (action: () => void) => void;
  #armedMs: TimestampMs | null = null;

  constructor(chain: OperatorChain, ports: ProcessPorts, mail: (action: () => void) => void) {
    this.#chain = chain;
    this.#ports = ports;
    this.#mail = mail;
  }

  /** To be called after every step: the earliest timer may be another one now. */
  arm(): void {
    const dueMs = this.#chain.nextProcessingTimerMs();
    if (dueMs === null || dueMs === this.#armedMs) return;
    this.#armedMs = dueMs;
    const { clock, scheduler } = this.#ports;
    // A timer is due once its millisecond is over, as in Flink.
    const delayMs = Math.max(0, dueMs + 1 - clock.processingTimeMs());
    scheduler.after(delayMs * US_PER_MS, () => {
      if (this.#armedMs === dueMs) this.#armedMs = null;
      this.#mail(() => this.#fire());
    });
  }

  #fire(): void {
    const nowMs = this.#ports.clock.processingTimeMs() - 1;
    if (!this.#chain.advanceProcessingTime(nowMs, TIMERS_PER_STEP)) this.#mail(() => this.#fire());
  }
}
