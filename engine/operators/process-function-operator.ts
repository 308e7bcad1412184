import type { ProcessFunctionBase } from "../api/functions.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import { NO_TIMESTAMP } from "../base/units.ts";
import type { Key, Timer, TimerDomain } from "../state/state.ts";
import { KeyedOperator } from "./keyed-operator.ts";
import type { OperatorContext } from "./operator.ts";
import { CurrentRecord, runtimeContextOf } from "./process-context.ts";

/** What the operators share that run a process function, of one input or of two. */
export abstract class ProcessFunctionOperator<Fn extends ProcessFunctionBase<unknown>> extends KeyedOperator {
  protected readonly fn: Fn;
  protected readonly current: CurrentRecord;
  protected readonly collect: (value: unknown) => void;
  readonly #context: OperatorContext;

  constructor(fn: Fn, context: OperatorContext) {
    super(context);
    const current = new CurrentRecord(context, this.backend);
    this.fn = fn;
    this.current = current;
    this.collect = (value): void => context.output.collect(value, current.emittedTimestampMs);
    this.#context = context;
  }

  override open(): void {
    super.open();
    this.fn.open?.(runtimeContextOf(this.#context, this.backend));
  }

  /** Before a record is given to the function. */
  protected begin(key: Key, timestampMs: TimestampMs): void {
    this.backend.setCurrentKey(key);
    this.current.contextTimestampMs = timestampMs;
    this.current.emittedTimestampMs = timestampMs;
  }

  protected override onTimer(timer: Timer, domain: TimerDomain): void {
    this.current.contextTimestampMs = timer.timestampMs;
    // As in Flink, what a processing-time timer emits has no event time.
    this.current.emittedTimestampMs = domain === 0 ? timer.timestampMs : NO_TIMESTAMP;
    this.fn.onTimer?.(timer.timestampMs, this.current, this.collect);
  }

  override notifyComplete(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.fn.notifyCheckpointComplete?.(checkpointId);
    done(null);
  }

  override notifyAborted(checkpointId: CheckpointId): void {
    this.fn.notifyCheckpointAborted?.(checkpointId);
  }

  override close(): void {
    this.fn.close?.();
    this.dispose();
  }
}
