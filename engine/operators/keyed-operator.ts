import { InvariantError, present } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import type { Tracer } from "../ports/tracer.ts";
import { TRACE } from "../ports/tracer.ts";
import type { KeyedBackend } from "../state/keyed-backend.ts";
import type { Timer, TimerDomain, TimerStore } from "../state/state.ts";
import type { OperatorContext } from "./operator.ts";
import { StatelessOperator } from "./stateless-operator.ts";

/**
 * What keyed operators share: the backend, and firing timers in the order and at the moments of Flink's
 * InternalTimerService. The watermark is set before any timer fires, and a timer that a firing timer
 * registers at or below it fires in the same advance.
 */
export abstract class KeyedOperator extends StatelessOperator {
  protected readonly backend: KeyedBackend;
  /** From `open` on: before that, the backend is not restored. */
  protected timers!: TimerStore;
  readonly #tracer: Tracer;
  readonly #subject: number;

  constructor(context: OperatorContext) {
    super();
    this.backend = present(context.keyed, `${context.name} is keyed and has keyed state`);
    this.#tracer = context.ports.tracer;
    this.#subject = context.subject;
  }

  override open(): void {
    this.timers = this.backend.timers();
  }

  /** The current key is the timer's. */
  protected abstract onTimer(timer: Timer, domain: TimerDomain): void;

  override advanceWatermark(watermarkMs: TimestampMs, timerBudget: number): boolean {
    // A restored watermark may be ahead of what the sources, which begin anew, have reached.
    if (watermarkMs > this.backend.watermarkMs) this.backend.watermarkMs = watermarkMs;
    return this.#fire(0, this.backend.watermarkMs, timerBudget);
  }

  override advanceProcessingTime(nowMs: TimestampMs, timerBudget: number): boolean {
    return this.#fire(1, nowMs, timerBudget);
  }

  override nextProcessingTimerMs(): TimestampMs | null {
    return this.timers.peek(1);
  }

  /** Fires at most `budget` timers that are due at `upToMs`; true if none is left. */
  #fire(domain: TimerDomain, upToMs: TimestampMs, budget: number): boolean {
    for (let fired = 0; fired < budget; fired++) {
      const timer = this.timers.poll(domain, upToMs);
      if (timer === null) return true;
      if (timer.timestampMs > upToMs) throw new InvariantError("a timer fires no earlier than it is due");
      this.backend.setCurrentKey(timer.key);
      this.#tracer.point(TRACE.timerFired, this.#subject, timer.timestampMs, domain);
      this.onTimer(timer, domain);
    }
    const next = this.timers.peek(domain);
    return next === null || next > upToMs;
  }
}
