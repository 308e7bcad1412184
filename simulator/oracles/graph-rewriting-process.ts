import type {
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  OutputTag,
  ProcessContext,
  ProcessFunctionBase,
  RuntimeContext,
  TimerService,
} from "../../engine/api/functions.ts";
import type { StateDescriptor } from "../../engine/state/descriptors.ts";
import { valueState } from "../../engine/state/descriptors.ts";
import type { Key, ValueState } from "../../engine/state/state.ts";
import { USER_CALLS } from "../trace/kinds.ts";
import { SHADOW_STATE } from "./graph-rewriting-functions.ts";
import type { Lineage, Shadow } from "./graph-rewriting-functions.ts";
import type { UserCodeGate } from "./graph-rewriting-gate.ts";
import type { Tagged } from "./graph-rewriting-ids.ts";

/**
 * State whose expiry follows from the times at which records are processed: a value that is never given out once
 * it is expired. What a timer reads expires at a time that nobody records.
 */
function isReplayable({ kind, ttl }: StateDescriptor<unknown>): boolean {
  return kind === "value" && ttl?.visibility === "never-return-expired";
}

/** A process function behind the wrapper: it sees values, and its records get ids. */
abstract class ShadowedFunction<Fn extends ProcessFunctionBase<unknown>> implements ProcessFunctionBase<Tagged> {
  protected readonly fn: Fn;
  protected readonly collectValue: (value: unknown) => void;
  readonly #gate: UserCodeGate;
  readonly #lineage: Lineage;
  #shadow!: ValueState<Shadow>;
  #context: UntaggedContext | null = null;
  /** State expires: the processing time of each record counts. */
  #isTimed = false;
  #collect: (record: Tagged) => void = () => undefined;

  constructor(fn: Fn, gate: UserCodeGate, lineage: Lineage) {
    this.fn = fn;
    this.#gate = gate;
    this.#lineage = lineage;
    this.collectValue = (value) => this.#collect({ id: lineage.derive(), value: gate.emitted(value) });
  }

  open(context: RuntimeContext): void {
    this.#shadow = context.getState(valueState<Shadow>(SHADOW_STATE));
    this.#gate.before(USER_CALLS.open);
    const lineage = this.#lineage;
    const { random } = context;
    const unrepeatable = (): void => {
      lineage.isRepeatable = false;
    };
    this.fn.open?.({
      ...context,
      getState: (descriptor) => {
        if (descriptor.ttl !== null) {
          this.#isTimed = true;
          if (!isReplayable(descriptor) || this.fn.onTimer !== undefined) unrepeatable();
        }
        return context.getState(descriptor);
      },
      // What a subtask's state holds depends on where earlier attempts left it.
      getListState: (descriptor) => {
        unrepeatable();
        return context.getListState(descriptor);
      },
      getUnionListState: (descriptor) => {
        unrepeatable();
        return context.getUnionListState(descriptor);
      },
      getBroadcastState: (descriptor) => {
        unrepeatable();
        return context.getBroadcastState(descriptor);
      },
      random: {
        below: (bound) => {
          lineage.isRepeatable = false;
          return random.below(bound);
        },
      },
    });
    this.#gate.after();
  }

  onTimer(timestampMs: number, context: ProcessContext, collect: (record: Tagged) => void): void {
    this.#gate.before(USER_CALLS.timer);
    this.#collect = collect;
    this.fn.onTimer?.(timestampMs, this.#untagged(context), this.collectValue);
    this.#gate.after();
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#gate.before(USER_CALLS.notify);
    this.fn.notifyCheckpointComplete?.(checkpointId);
    this.#gate.after();
  }

  notifyCheckpointAborted(checkpointId: number): void {
    this.#gate.before(USER_CALLS.notify);
    this.fn.notifyCheckpointAborted?.(checkpointId);
    this.#gate.after();
  }

  close(): void {
    this.fn.close?.();
  }

  /** Before a record is given to the function: what that will see as its context. */
  protected begin(record: Tagged, context: ProcessContext, collect: (record: Tagged) => void): ProcessContext {
    const before = this.#shadow.value();
    this.#shadow.update(before === null ? [1, record.id] : [before[0] + 1, before[1] + record.id]);
    if (this.#isTimed) this.#lineage.at(context.timers.currentProcessingTimeMs());
    this.#gate.before(USER_CALLS.process);
    this.#collect = collect;
    return this.#untagged(context);
  }

  protected end(): void {
    this.#gate.after();
  }

  /** The engine has one context object an operator, so there is one of these. */
  #untagged(context: ProcessContext): UntaggedContext {
    if (this.#context === null || this.#context.of !== context) {
      this.#context = new UntaggedContext(context, this.#gate, this.#lineage);
    }
    return this.#context;
  }
}

export class ShadowedProcess
  extends ShadowedFunction<KeyedProcessFunction<unknown, unknown>>
  implements KeyedProcessFunction<Tagged, Tagged>
{
  processElement(record: Tagged, context: ProcessContext, collect: (record: Tagged) => void): void {
    this.fn.processElement(record.value, this.begin(record, context, collect), this.collectValue);
    this.end();
  }
}

export class ShadowedCoProcess
  extends ShadowedFunction<KeyedCoProcessFunction<unknown, unknown, unknown>>
  implements KeyedCoProcessFunction<Tagged, Tagged, Tagged>
{
  processElement1(record: Tagged, context: ProcessContext, collect: (record: Tagged) => void): void {
    this.fn.processElement1(record.value, this.begin(record, context, collect), this.collectValue);
    this.end();
  }

  processElement2(record: Tagged, context: ProcessContext, collect: (record: Tagged) => void): void {
    this.fn.processElement2(record.value, this.begin(record, context, collect), this.collectValue);
    this.end();
  }
}

class UntaggedContext implements ProcessContext {
  readonly of: ProcessContext;
  readonly timers: TimerService;
  readonly #gate: UserCodeGate;
  readonly #lineage: Lineage;

  constructor(of: ProcessContext, gate: UserCodeGate, lineage: Lineage) {
    this.of = of;
    this.#gate = gate;
    this.#lineage = lineage;
    const { timers } = of;
    this.timers = {
      currentWatermarkMs: () => timers.currentWatermarkMs(),
      currentProcessingTimeMs: () => {
        lineage.isRepeatable = false;
        return timers.currentProcessingTimeMs();
      },
      registerEventTimeTimer: (timestampMs) => timers.registerEventTimeTimer(timestampMs),
      registerProcessingTimeTimer: (timestampMs) => {
        lineage.isRepeatable = false;
        timers.registerProcessingTimeTimer(timestampMs);
      },
      deleteEventTimeTimer: (timestampMs) => timers.deleteEventTimeTimer(timestampMs),
      deleteProcessingTimeTimer: (timestampMs) => timers.deleteProcessingTimeTimer(timestampMs),
    };
  }

  timestampMs(): number | null {
    return this.of.timestampMs();
  }

  currentKey(): Key {
    return this.of.currentKey();
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    this.of.output<unknown>(tag, { id: this.#lineage.derive(), value: this.#gate.emitted(value) });
  }
}
