import { US_PER_MS } from "../base/units.ts";
import type { SourceOperator } from "../operators/operator.ts";
import type { Scheduler } from "../ports/scheduler.ts";
import type { ChannelEvent } from "./buffer.ts";
import type { WatermarkDelivery } from "./watermark-delivery.ts";

export interface SourceLoopContext {
  readonly source: SourceOperator;
  readonly watermarks: WatermarkDelivery;
  readonly scheduler: Scheduler;
  readonly batchElements: number;
  readonly watermarkIntervalMs: number;
  isRunning(): boolean;
  broadcast(event: ChannelEvent): void;
  mail(action: () => void): void;
  wake(): void;
}

/** What a source task does instead of reading input channels: emit records, and now and then a watermark. */
export class SourceLoop {
  readonly #context: SourceLoopContext;
  #hasRecords = true;
  #ended = false;
  #announcedIdle = false;

  constructor(context: SourceLoopContext) {
    this.#context = context;
    context.source.onAvailable = (): void => {
      this.#hasRecords = true;
      context.wake();
    };
  }

  get isReady(): boolean {
    return this.#hasRecords && !this.#ended;
  }

  start(): void {
    this.#armTimer();
  }

  /** Emits one batch; returns how much work that was. */
  emit(): number {
    if (!this.isReady) return 0;
    const { source, batchElements } = this.#context;
    const more = source.emitNext(batchElements);
    if (more === "nothing") this.#hasRecords = false;
    if (more === "ended") this.#end();
    else if (this.#announcedIdle && !source.isIdle()) this.#announceIdle(false);
    return batchElements;
  }

  /**
   * A subtask without partitions knows nothing of event time: it ends as idle, without a watermark. Were it
   * to say MAX, that would be the watermark of everybody as soon as all others are idle for a moment, and
   * whatever comes after that would be late.
   */
  #end(): void {
    const { source, watermarks } = this.#context;
    const hadInput = source.hasPartitions();
    this.#ended = true;
    if (this.#announcedIdle === hadInput) this.#announceIdle(!hadInput);
    watermarks.endInput(hadInput);
  }

  /** The job is drained: what was not read yet stays unread, and this is the end of the input. */
  drain(): void {
    if (!this.#ended) this.#end();
  }

  #armTimer(): void {
    const { scheduler, watermarkIntervalMs } = this.#context;
    scheduler.after(watermarkIntervalMs * US_PER_MS, () => {
      if (!this.#context.isRunning() || this.#ended) return;
      this.#context.mail(() => this.#emitWatermark());
      this.#armTimer();
    });
  }

  #emitWatermark(): void {
    if (this.#ended) return;
    const { source, watermarks } = this.#context;
    watermarks.advance(source.watermarkMs());
    const idle = source.isIdle();
    if (idle !== this.#announcedIdle) this.#announceIdle(idle);
  }

  #announceIdle(idle: boolean): void {
    this.#announcedIdle = idle;
    this.#context.broadcast({ kind: "idle", idle });
  }
}
