import type {
  KeyedProcessFunction,
  KeySelector,
  OutputTag,
  ProcessContext,
  RuntimeContext,
  TimerService,
} from "../api/functions.ts";
import { invariant } from "../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import { NO_TIMESTAMP } from "../base/units.ts";
import type { ProcessNode } from "../graph/stream-graph.ts";
import type { Clock } from "../ports/clock.ts";
import { bindState } from "../state/bind-state.ts";
import type { KeyedBackend } from "../state/keyed-backend.ts";
import type { Key, Timer, TimerDomain } from "../state/state.ts";
import { KeyedOperator } from "./keyed-operator.ts";
import type { OperatorContext, Output } from "./operator.ts";

/** Timers of user functions live in the void namespace. */
const VOID_NAMESPACE = "";

/** Runs a KeyedProcessFunction. */
export class ProcessOperator extends KeyedOperator {
  readonly #keySelector: KeySelector<unknown>;
  readonly #fn: KeyedProcessFunction<unknown, unknown>;
  readonly #context: OperatorContext;
  readonly #current: CurrentRecord;
  readonly #collect: (value: unknown) => void;

  constructor(node: ProcessNode, context: OperatorContext) {
    super(context);
    this.#keySelector = node.keySelector;
    this.#fn = node.fn;
    this.#context = context;
    const timers = new UserTimers(this.backend, context.ports.clock, context.name);
    const current = new CurrentRecord(this.backend, timers, context.output);
    this.#current = current;
    this.#collect = (value): void => context.output.collect(value, current.emittedTimestampMs);
  }

  override open(): void {
    super.open();
    this.#fn.open?.(this.#runtimeContext());
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    const keySelector = this.#keySelector;
    this.backend.setCurrentKey(keySelector(value));
    this.#current.contextTimestampMs = timestampMs;
    this.#current.emittedTimestampMs = timestampMs;
    this.#fn.processElement(value, this.#current, this.#collect);
  }

  protected override onTimer(timer: Timer, domain: TimerDomain): void {
    this.#current.contextTimestampMs = timer.timestampMs;
    // As in Flink, what a processing-time timer emits has no event time.
    this.#current.emittedTimestampMs = domain === 0 ? timer.timestampMs : NO_TIMESTAMP;
    this.#fn.onTimer?.(timer.timestampMs, this.#current, this.#collect);
  }

  override notifyComplete(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#fn.notifyCheckpointComplete?.(checkpointId);
    done(null);
  }

  override notifyAborted(checkpointId: CheckpointId): void {
    this.#fn.notifyCheckpointAborted?.(checkpointId);
  }

  override close(): void {
    this.#fn.close?.();
    this.dispose();
  }

  #runtimeContext(): RuntimeContext {
    const { subtaskIndex, parallelism, attempt, name, uid, ports, lists } = this.#context;
    return {
      subtaskIndex,
      parallelism,
      attempt,
      taskName: `${name}[${subtaskIndex}]`,
      getState: (descriptor) => {
        const bound = bindState(this.backend, descriptor, ports.clock);
        bound.setNamespace(VOID_NAMESPACE);
        return bound.state;
      },
      getListState: (descriptor) => lists.listState(descriptor),
      getUnionListState: (descriptor) => lists.unionListState(descriptor),
      getBroadcastState: (descriptor) => lists.broadcastState(descriptor),
      random: ports.rng.stream(`user/${uid}[${subtaskIndex}]`),
    };
  }
}

/** The one context object of a process operator: it always speaks of the record or timer at hand. */
class CurrentRecord implements ProcessContext {
  readonly timers: TimerService;
  contextTimestampMs: TimestampMs = NO_TIMESTAMP;
  emittedTimestampMs: TimestampMs = NO_TIMESTAMP;
  readonly #backend: KeyedBackend;
  readonly #output: Output;

  constructor(backend: KeyedBackend, timers: TimerService, output: Output) {
    this.#backend = backend;
    this.timers = timers;
    this.#output = output;
  }

  timestampMs(): TimestampMs | null {
    return this.contextTimestampMs === NO_TIMESTAMP ? null : this.contextTimestampMs;
  }

  currentKey(): Key {
    return this.#backend.currentKey();
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    this.#output.collectSide(tag.tag, value, this.emittedTimestampMs);
  }
}

class UserTimers implements TimerService {
  readonly #backend: KeyedBackend;
  readonly #clock: Clock;
  readonly #operator: string;

  constructor(backend: KeyedBackend, clock: Clock, operator: string) {
    this.#backend = backend;
    this.#clock = clock;
    this.#operator = operator;
  }

  currentWatermarkMs(): TimestampMs {
    return this.#backend.watermarkMs;
  }

  currentProcessingTimeMs(): TimestampMs {
    return this.#clock.processingTimeMs();
  }

  registerEventTimeTimer(timestampMs: TimestampMs): void {
    this.#backend.timers().register(0, VOID_NAMESPACE, this.#whole(timestampMs));
  }

  registerProcessingTimeTimer(timestampMs: TimestampMs): void {
    this.#backend.timers().register(1, VOID_NAMESPACE, this.#whole(timestampMs));
  }

  deleteEventTimeTimer(timestampMs: TimestampMs): void {
    this.#backend.timers().remove(0, VOID_NAMESPACE, timestampMs);
  }

  deleteProcessingTimeTimer(timestampMs: TimestampMs): void {
    this.#backend.timers().remove(1, VOID_NAMESPACE, timestampMs);
  }

  #whole(timestampMs: TimestampMs): TimestampMs {
    invariant(
      Number.isSafeInteger(timestampMs),
      `${this.#operator} registers timers at whole milliseconds, not at ${String(timestampMs)}`,
    );
    return timestampMs;
  }
}
