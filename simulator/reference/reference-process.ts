import type { KeySelector, OutputTag, ProcessContext, ProcessFunctionBase, RuntimeContext } from "../../engine/api/functions.ts";
import { InvariantError } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MIN_WATERMARK, NO_TIMESTAMP } from "../../engine/base/units.ts";
import type { CoProcessNode, ProcessNode } from "../../engine/graph/stream-graph.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { StateDescriptor } from "../../engine/state/descriptors.ts";
import type { Key } from "../../engine/state/state.ts";
import type { Emitter, ReferenceOperator } from "./dataflow.ts";
import { ReferenceKeyedState } from "./reference-state.ts";
import type { ReferenceEntry } from "./reference-state.ts";
import { ReferenceTimers } from "./reference-timers.ts";

/** A keyed process function, of one input or of two, with its state and timers, sequentially: one subtask, one attempt. */
export class ReferenceProcess implements ReferenceOperator {
  readonly #fn: ProcessFunctionBase<unknown>;
  readonly #node: ProcessNode | CoProcessNode;
  readonly #emitter: Emitter;
  readonly #state: ReferenceKeyedState = new ReferenceKeyedState(() => this.#nowMs);
  /** By one key, that of the whole subtask. */
  readonly #subtaskState: ReferenceKeyedState = new ReferenceKeyedState(() => this.#nowMs);
  readonly #isTrusted: boolean;
  readonly #eventTimers: ReferenceTimers<Key> = new ReferenceTimers();
  readonly #processingTimers: ReferenceTimers<Key> = new ReferenceTimers();
  readonly #context: ProcessContext;
  readonly #collect: (value: unknown) => void;
  #watermarkMs: TimestampMs = MIN_WATERMARK;
  #nowMs: TimestampMs = 0;
  /** Of the record or timer that is being processed. */
  #timestampMs: TimestampMs = NO_TIMESTAMP;
  /** Of what is emitted now: a processing-time timer emits records without one. */
  #emittedMs: TimestampMs = NO_TIMESTAMP;

  /**
   * `isTrusted`: what comes out is the only right result. Otherwise (a replay that is given up as soon as the
   * function uses what cannot be known) there are stand-ins for that.
   */
  constructor(node: ProcessNode | CoProcessNode, emitter: Emitter, isTrusted: boolean) {
    this.#node = node;
    this.#isTrusted = isTrusted;
    this.#fn = node.fn;
    this.#emitter = emitter;
    this.#context = this.#createContext();
    this.#collect = (value) => this.#emitter.collect(value, this.#emittedMs);
    this.#fn.open?.(this.#runtimeContext());
  }

  process(value: unknown, timestampMs: TimestampMs): void {
    const node = this.#node;
    this.#begin(node.kind === "process" ? node.keySelector : node.keySelectors[0], value, timestampMs);
    if (node.kind === "process") node.fn.processElement(value, this.#context, this.#collect);
    else node.fn.processElement1(value, this.#context, this.#collect);
  }

  process2(value: unknown, timestampMs: TimestampMs): void {
    const node = this.#node;
    if (node.kind === "process") throw new InvariantError("a process function of one input has no second one");
    this.#begin(node.keySelectors[1], value, timestampMs);
    node.fn.processElement2(value, this.#context, this.#collect);
  }

  advance(watermarkMs: TimestampMs): void {
    this.#watermarkMs = watermarkMs;
    this.#fireUpTo(this.#eventTimers, watermarkMs);
  }

  advanceProcessingTime(nowMs: TimestampMs): void {
    this.#nowMs = nowMs;
    this.#fireUpTo(this.#processingTimers, nowMs);
  }

  /** The watermark that it goes on from, when the parallelism changes. */
  resume(watermarkMs: TimestampMs): void {
    this.#watermarkMs = watermarkMs;
  }

  /** Takes over what another one holds of some keys, when the parallelism changes. */
  adopt(other: ReferenceProcess, owns: (key: Key) => boolean): void {
    this.#state.adopt(other.#state, owns);
    adoptTimers(this.#eventTimers, other.#eventTimers, owns);
    adoptTimers(this.#processingTimers, other.#processingTimers, owns);
  }

  /** How often state was asked for that was expired. */
  get expirations(): number {
    return this.#state.expirations;
  }

  entriesByKey(): ReadonlyMap<string, readonly ReferenceEntry[]> {
    return this.#state.entriesByKey();
  }

  #begin(keySelector: KeySelector<unknown>, value: unknown, timestampMs: TimestampMs): void {
    this.#state.setCurrentKey(keySelector(value));
    this.#timestampMs = timestampMs;
    this.#emittedMs = timestampMs;
  }

  #fireUpTo(timers: ReferenceTimers<Key>, upToMs: TimestampMs): void {
    for (let timer = timers.poll(upToMs); timer !== null; timer = timers.poll(upToMs)) {
      this.#state.setCurrentKey(timer.target);
      this.#timestampMs = timer.timestampMs;
      this.#emittedMs = timers === this.#eventTimers ? timer.timestampMs : NO_TIMESTAMP;
      this.#fn.onTimer?.(timer.timestampMs, this.#context, this.#collect);
    }
  }

  /** One subtask that was never restored: what operator state holds depends on parallelism and restores. */
  #ofSubtask<S>(descriptor: StateDescriptor<S>): S {
    this.#standIn(`what operator state "${descriptor.name}" holds`);
    return this.#subtaskState.bind(descriptor);
  }

  /** Something that a sequential interpreter cannot know: refused where its word would count. */
  #standIn(unknown: string): void {
    if (!this.#isTrusted) return;
    throw new InvariantError(
      `${this.#node.name}: nobody can foretell ${unknown}, as it depends on processing time, parallelism or ` +
        "restores: the scenario is not confluent, and is judged by its surviving history",
    );
  }

  #createContext(): ProcessContext {
    const state = this.#state;
    const register = (timers: ReferenceTimers<Key>, timestampMs: TimestampMs): void =>
      timers.register(timestampMs, state.currentCanonicalKey(), state.currentKey());
    const remove = (timers: ReferenceTimers<Key>, timestampMs: TimestampMs): void =>
      timers.remove(timestampMs, state.currentCanonicalKey());
    return {
      timestampMs: () => (this.#timestampMs === NO_TIMESTAMP ? null : this.#timestampMs),
      currentKey: () => state.currentKey(),
      output: <T>(tag: OutputTag<T>, value: T) => this.#emitter.collectSide(tag.tag, value, this.#emittedMs),
      timers: {
        currentWatermarkMs: () => this.#watermarkMs,
        currentProcessingTimeMs: () => this.#nowMs,
        registerEventTimeTimer: (timestampMs) => register(this.#eventTimers, timestampMs),
        registerProcessingTimeTimer: (timestampMs) => register(this.#processingTimers, timestampMs),
        deleteEventTimeTimer: (timestampMs) => remove(this.#eventTimers, timestampMs),
        deleteProcessingTimeTimer: (timestampMs) => remove(this.#processingTimers, timestampMs),
      },
    };
  }

  #runtimeContext(): RuntimeContext {
    return {
      subtaskIndex: 0,
      parallelism: 1,
      attempt: 1,
      taskName: this.#node.name,
      getState: (descriptor) => {
        if (descriptor.ttl !== null) this.#standIn(`when state "${descriptor.name}" expires`);
        return this.#state.bind(descriptor);
      },
      getListState: (descriptor) => this.#ofSubtask(descriptor),
      getUnionListState: (descriptor) => this.#ofSubtask(descriptor),
      getBroadcastState: (descriptor) => this.#ofSubtask(descriptor),
      random: new ReferenceRandom(),
    };
  }
}

function adoptTimers(timers: ReferenceTimers<Key>, others: ReferenceTimers<Key>, owns: (key: Key) => boolean): void {
  for (const { timestampMs, identity, target } of others.all()) if (owns(target)) timers.register(timestampMs, identity, target);
}

/** Some sequence: a job whose result depends on it has no reference anyway. */
class ReferenceRandom implements RandomStream {
  #state = 12345;

  below(bound: number): number {
    if (bound === 1) return 0;
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((this.#state / 4_294_967_296) * bound);
  }
}
