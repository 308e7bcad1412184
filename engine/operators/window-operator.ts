import type { AggregateFunction, KeySelector, WindowFunction } from "../api/functions.ts";
import { InvariantError, invariant } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import { MAX_WATERMARK, NO_TIMESTAMP } from "../base/units.ts";
import type { WindowNode } from "../graph/stream-graph.ts";
import type { Tracer } from "../ports/tracer.ts";
import { TRACE } from "../ports/tracer.ts";
import { valueState } from "../state/descriptors.ts";
import type { NamespacedState, Timer, ValueState } from "../state/state.ts";
import { windowStart } from "../stream/tumbling-windows.ts";
import { KeyedOperator } from "./keyed-operator.ts";
import type { OperatorContext, Output } from "./operator.ts";

/** Name of the state that holds the accumulator of each key and window. */
export const WINDOW_STATE = "window-contents";

/**
 * Tumbling event-time windows with Flink's default trigger. The accumulator of a window lives in the
 * namespace of its start. A window fires at its last timestamp, then once more for every record that comes
 * late but allowed, and is forgotten when the watermark reaches its cleanup time (last timestamp + allowed
 * lateness); what comes after that is late.
 */
export class WindowOperator extends KeyedOperator {
  readonly #name: string;
  readonly #keySelector: KeySelector<unknown>;
  readonly #aggregate: AggregateFunction<unknown, unknown, unknown>;
  readonly #windowFn: WindowFunction<unknown, unknown> | null;
  readonly #sizeMs: number;
  readonly #offsetMs: number;
  readonly #latenessMs: number;
  readonly #lateTag: string | null;
  readonly #output: Output;
  readonly #tracer: Tracer;
  readonly #subject: number;
  #contents!: NamespacedState<ValueState<unknown>>;
  #accumulator!: ValueState<unknown>;

  constructor(node: WindowNode, context: OperatorContext) {
    super(context);
    this.#name = context.name;
    this.#keySelector = node.keySelector;
    this.#aggregate = node.aggregate;
    this.#windowFn = node.windowFn;
    this.#sizeMs = node.sizeMs;
    this.#offsetMs = node.offsetMs;
    this.#latenessMs = node.allowedLatenessMs;
    this.#lateTag = node.lateTag;
    this.#output = context.output;
    this.#tracer = context.ports.tracer;
    this.#subject = context.subject;
  }

  override open(): void {
    super.open();
    this.#contents = this.backend.bind(valueState<unknown>(WINDOW_STATE));
    this.#accumulator = this.#contents.state;
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    if (timestampMs === NO_TIMESTAMP) this.#refuseWithoutTimestamp();
    const keySelector = this.#keySelector;
    const key = keySelector(value);
    const start = windowStart(timestampMs, this.#offsetMs, this.#sizeMs);
    const lastMs = start + this.#sizeMs - 1;
    const watermarkMs = this.backend.watermarkMs;
    if (this.#cleanupMs(lastMs) <= watermarkMs) {
      this.#late(value, timestampMs);
      return;
    }
    this.backend.setCurrentKey(key);
    this.#contents.setNamespace(start);
    const before = this.#accumulator.value();
    const after = this.#aggregate.add(value, before ?? this.#aggregate.createAccumulator());
    this.#accumulator.update(after);
    if (lastMs <= watermarkMs) this.#emit(start, after);
    // A window that holds something already has the timers it still needs.
    if (before === null) this.#registerTimers(start, lastMs, watermarkMs);
  }

  protected override onTimer(timer: Timer): void {
    const start = timer.namespace;
    if (typeof start !== "number") throw new InvariantError("the namespace of a window is its start");
    const lastMs = start + this.#sizeMs - 1;
    this.#contents.setNamespace(start);
    if (timer.timestampMs === lastMs) {
      const accumulator = this.#accumulator.value();
      if (accumulator !== null) this.#emit(start, accumulator);
    }
    if (timer.timestampMs === this.#cleanupMs(lastMs)) this.#accumulator.clear();
  }

  #registerTimers(start: number, lastMs: TimestampMs, watermarkMs: TimestampMs): void {
    if (lastMs > watermarkMs) this.timers.register(0, start, lastMs);
    const cleanupMs = this.#cleanupMs(lastMs);
    const isSame = cleanupMs === lastMs && lastMs > watermarkMs;
    if (cleanupMs !== MAX_WATERMARK && !isSame) this.timers.register(0, start, cleanupMs);
  }

  /** MAX_WATERMARK, which is never, where the sum would be beyond it. */
  #cleanupMs(lastMs: TimestampMs): TimestampMs {
    const cleanupMs = lastMs + this.#latenessMs;
    return cleanupMs < MAX_WATERMARK ? cleanupMs : MAX_WATERMARK;
  }

  #emit(start: TimestampMs, accumulator: unknown): void {
    const end = start + this.#sizeMs;
    const result = this.#aggregate.getResult(accumulator);
    const windowFn = this.#windowFn;
    const emitted = windowFn === null ? result : windowFn(result, this.backend.currentKey(), { start, end });
    this.#output.collect(emitted, end - 1);
  }

  #late(value: unknown, timestampMs: TimestampMs): void {
    if (this.#lateTag === null) this.#tracer.point(TRACE.recordDropped, this.#subject, timestampMs, 0);
    else this.#output.collectSide(this.#lateTag, value, timestampMs);
  }

  #refuseWithoutTimestamp(): never {
    invariant(
      false,
      `window operator "${this.#name}" got a record without a timestamp: give the source a watermark strategy ` +
        "with a timestamp assigner, or records with timestamps",
    );
  }
}
