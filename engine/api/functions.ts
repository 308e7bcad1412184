import type { TimestampMs } from "../base/units.ts";
import type { RandomStream } from "../ports/rng.ts";
import type { StateDescriptor } from "../state/descriptors.ts";
import type { Key, ListState, MapState } from "../state/state.ts";

/** Names a side output. Two tags of one name are the same output. */
export interface OutputTag<T> {
  readonly tag: string;
  readonly shape?: T;
}
export function outputTag<T>(tag: string): OutputTag<T> {
  return { tag };
}

export type MapFunction<In, Out> = (value: In) => Out;
export type FlatMapFunction<In, Out> = (value: In, collect: (value: Out) => void) => void;
export type FilterFunction<In> = (value: In) => boolean;
export type KeySelector<In, K extends Key = Key> = (value: In) => K;
export type ReduceFunction<T> = (left: T, right: T) => T;

/** As in Flink: `merge` is needed by merging windows only. Accumulators are immutable. */
export interface AggregateFunction<In, Acc, Out> {
  createAccumulator(): Acc;
  add(value: In, accumulator: Acc): Acc;
  getResult(accumulator: Acc): Out;
  merge?(left: Acc, right: Acc): Acc;
}

/** A time window [start, end), milliseconds of event time. */
export interface TimeWindow {
  readonly start: TimestampMs;
  readonly end: TimestampMs;
}

/** Wraps the aggregate's result with its key and window. */
export type WindowFunction<Result, Out> = (result: Result, key: Key, window: TimeWindow) => Out;

/** What a function learns in `open`. */
export interface RuntimeContext {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly attempt: number;
  readonly taskName: string;
  /** Keyed state; only in functions after keyBy, where it throws otherwise. */
  getState<S>(descriptor: StateDescriptor<S>): S;
  /**
   * Operator state, as Flink's OperatorStateStore gives to a CheckpointedFunction: one list of this subtask,
   * the same whatever the current key is. What it holds when a checkpoint passes is what comes back. When the
   * number of subtasks changes, the elements of all of them are dealt out anew, each to one subtask.
   */
  getListState<T>(descriptor: StateDescriptor<ListState<T>>): ListState<T>;
  /**
   * Not keyed either. After every restore each subtask has the elements of all subtasks, and must itself keep
   * what concerns it: what stays in the list is written by each of them.
   */
  getUnionListState<T>(descriptor: StateDescriptor<ListState<T>>): ListState<T>;
  /**
   * Not keyed either: a map that every subtask is expected to change in the same way, because it sees the same
   * broadcast records. When the number of subtasks changes, each gets a copy of one of them.
   */
  getBroadcastState<K, V>(descriptor: StateDescriptor<MapState<K, V>>): MapState<K, V>;
  /** Randomness that replays with the seed. */
  readonly random: RandomStream;
}

export interface TimerService {
  currentWatermarkMs(): TimestampMs;
  currentProcessingTimeMs(): TimestampMs;
  registerEventTimeTimer(timestampMs: TimestampMs): void;
  registerProcessingTimeTimer(timestampMs: TimestampMs): void;
  deleteEventTimeTimer(timestampMs: TimestampMs): void;
  deleteProcessingTimeTimer(timestampMs: TimestampMs): void;
}

export interface ProcessContext {
  /** Timestamp of the current record, or of the firing timer; null where the record has none. */
  timestampMs(): TimestampMs | null;
  currentKey(): Key;
  readonly timers: TimerService;
  output<T>(tag: OutputTag<T>, value: T): void;
}

/** What process functions of one and of two inputs have in common. One object a subtask attempt; fields are lost with it. */
export interface ProcessFunctionBase<Out> {
  open?(context: RuntimeContext): void;
  onTimer?(timestampMs: TimestampMs, context: ProcessContext, collect: (value: Out) => void): void;
  /** CheckpointListener: ids strictly rise within an attempt and exceed the restored one. */
  notifyCheckpointComplete?(checkpointId: number): void;
  notifyCheckpointAborted?(checkpointId: number): void;
  close?(): void;
}

/** Flink's KeyedProcessFunction. */
export interface KeyedProcessFunction<In, Out> extends ProcessFunctionBase<Out> {
  processElement(value: In, context: ProcessContext, collect: (value: Out) => void): void;
}

/**
 * Flink's KeyedCoProcessFunction: two inputs, keyed alike. State and timers belong to the key, whichever input
 * they were made from; event time is the least of both.
 */
export interface KeyedCoProcessFunction<In1, In2, Out> extends ProcessFunctionBase<Out> {
  processElement1(value: In1, context: ProcessContext, collect: (value: Out) => void): void;
  processElement2(value: In2, context: ProcessContext, collect: (value: Out) => void): void;
}
