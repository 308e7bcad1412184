import { invariant, present } from "../base/assert.ts";
import { TIMERS_PER_STEP } from "../base/limits.ts";
import type { TimestampMs } from "../base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../base/units.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import type { Tracer } from "../ports/tracer.ts";
import { TRACE } from "../ports/tracer.ts";
import type { WatermarkValveOutput } from "../stream/watermark-valve.ts";
import type { ChannelEvent } from "./buffer.ts";

export interface WatermarkReceiver {
  readonly chain: OperatorChain;
  readonly tracer: Tracer;
  readonly subject: number;
  broadcast(event: ChannelEvent): void;
  /** Every operator saw the end of the input, and everybody downstream was told. */
  inputEnded(): void;
}

/**
 * Brings watermarks to the operators of a task, one after the other, each in steps of a bounded number of
 * timers; downstream gets a watermark only when every timer it is due for has fired here. The end of the
 * input is the watermark MAX, after which the operators flush.
 */
export class WatermarkDelivery implements WatermarkValveOutput {
  readonly #receiver: WatermarkReceiver;
  /** The last one delivered, or restored. */
  watermarkMs: TimestampMs = MIN_WATERMARK;
  /** Every operator saw the end of the input. */
  inputEnded = false;
  #pendingMs: TimestampMs | null = null;
  /** What came while a watermark was being delivered, in order: watermarks, and idleness. */
  #waiting: (TimestampMs | boolean)[] = [];
  #endsInput = false;
  #tellsEnd = true;

  constructor(receiver: WatermarkReceiver) {
    this.#receiver = receiver;
  }

  get isPending(): boolean {
    return this.#pendingMs !== null;
  }

  restore(watermarkMs: TimestampMs): void {
    this.watermarkMs = Math.max(this.watermarkMs, watermarkMs);
  }

  /** Begins to deliver a watermark, unless it is none: an operator's watermark never goes back. */
  advance(watermarkMs: TimestampMs): void {
    if (this.isPending) this.#waiting.push(watermarkMs);
    else if (watermarkMs > this.watermarkMs) this.#begin(watermarkMs);
  }

  emitWatermark(watermarkMs: TimestampMs): void {
    this.advance(watermarkMs);
  }

  /** Downstream learns it behind the watermarks before it: those of an idle channel count for nothing. */
  emitIdle(idle: boolean): void {
    if (this.isPending) this.#waiting.push(idle);
    else this.#receiver.broadcast({ kind: "idle", idle });
  }

  /** `tells`: downstream gets the watermark MAX too. */
  endInput(tells: boolean = true): void {
    invariant(!this.inputEnded, "an input ends once");
    this.#endsInput = true;
    this.#tellsEnd = tells;
    this.#begin(MAX_WATERMARK);
  }

  /** Delivers on, for one step; returns how much work that was. */
  proceed(): number {
    const { chain, tracer, subject } = this.#receiver;
    const watermarkMs = present(this.#pendingMs, "a watermark is being delivered");
    if (!chain.advanceWatermark(watermarkMs, TIMERS_PER_STEP)) return TIMERS_PER_STEP;
    this.#pendingMs = null;
    if (watermarkMs > this.watermarkMs) {
      this.watermarkMs = watermarkMs;
      tracer.point(TRACE.watermarkAdvanced, subject, watermarkMs, 0);
    }
    if (this.#tellsEnd) this.#receiver.broadcast({ kind: "watermark", watermarkMs });
    if (this.#endsInput) this.#end();
    else if (this.#waiting.length > 0) this.#resume();
    return 1;
  }

  #resume(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (typeof one === "boolean") this.emitIdle(one);
      else this.advance(one);
    }
  }

  #begin(watermarkMs: TimestampMs): void {
    invariant(this.#pendingMs === null, "watermarks are delivered one after the other");
    this.#pendingMs = watermarkMs;
    this.proceed();
  }

  #end(): void {
    const { chain, tracer, subject } = this.#receiver;
    this.#endsInput = false;
    this.inputEnded = true;
    chain.endInput();
    tracer.point(TRACE.inputEnded, subject, 0, 0);
    this.#receiver.broadcast({ kind: "end-of-input" });
    this.#receiver.inputEnded();
  }
}
