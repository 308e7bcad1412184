import type { OutputTag, ProcessContext, RuntimeContext, TimerService } from "../api/functions.ts";
import { invariant } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import { NO_TIMESTAMP } from "../base/units.ts";
import type { Clock } from "../ports/clock.ts";
import { bindState } from "../state/bind-state.ts";
import type { KeyedBackend } from "../state/keyed-backend.ts";
import type { Key } from "../state/state.ts";
import type { OperatorContext, Output } from "./operator.ts";

/** Timers and state of user functions live in the void namespace. */
const VOID_NAMESPACE = "";

/** What a process function learns in `open`. */
export function runtimeContextOf(context: OperatorContext, backend: KeyedBackend): RuntimeContext {
  const { subtaskIndex, parallelism, attempt, name, uid, ports, lists } = context;
  return {
    subtaskIndex,
    parallelism,
    attempt,
    taskName: `${name}[${subtaskIndex}]`,
    getState: (descriptor) => {
      const bound = bindState(backend, descriptor, ports.clock);
      bound.setNamespace(VOID_NAMESPACE);
      return bound.state;
    },
    getListState: (descriptor) => lists.listState(descriptor),
    getUnionListState: (descriptor) => lists.unionListState(descriptor),
    getBroadcastState: (descriptor) => lists.broadcastState(descriptor),
    random: ports.rng.stream(`user/${uid}[${subtaskIndex}]`),
  };
}

/** The one context object of a process operator: it always speaks of the record or timer at hand. */
export class CurrentRecord implements ProcessContext {
  readonly timers: TimerService;
  contextTimestampMs: TimestampMs = NO_TIMESTAMP;
  emittedTimestampMs: TimestampMs = NO_TIMESTAMP;
  readonly #backend: KeyedBackend;
  readonly #output: Output;

  constructor({ ports, name, output }: OperatorContext, backend: KeyedBackend) {
    this.#backend = backend;
    this.timers = new UserTimers(backend, ports.clock, name);
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
