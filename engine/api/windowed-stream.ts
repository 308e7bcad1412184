import type { Key } from "../state/state.ts";
import type { SingleOutputStreamOperator } from "./data-stream.ts";
import type { AggregateFunction, KeySelector, OutputTag, ReduceFunction, WindowFunction } from "./functions.ts";
import type { NodeBody } from "./graph-builder.ts";
import { requireFunction, requireWholeMs } from "./job-definition-error.ts";
import type { TumblingEventTimeWindows } from "./tumbling-event-time-windows.ts";

/** Adds the finished window operator to the job. */
type AddOperator = (body: NodeBody) => SingleOutputStreamOperator<any>;

/** A keyed stream cut into windows. Ends in `aggregate` or `reduce`. */
export class WindowedStream<T, K extends Key> {
  readonly #windows: TumblingEventTimeWindows;
  readonly #keySelector: KeySelector<T, K>;
  readonly #add: AddOperator;
  #allowedLatenessMs: number = 0;
  #lateTag: string | null = null;

  constructor(windows: TumblingEventTimeWindows, keySelector: KeySelector<T, K>, add: AddOperator) {
    this.#windows = windows;
    this.#keySelector = keySelector;
    this.#add = add;
  }

  /** A window stays this long after its end passed; each late record until then makes it fire again. */
  allowedLateness(latenessMs: number): this {
    this.#allowedLatenessMs = requireWholeMs(latenessMs, 0, "window", "the allowed lateness");
    return this;
  }

  /** Records that came too late go to this side output instead of being dropped. */
  sideOutputLateData(tag: OutputTag<T>): this {
    this.#lateTag = tag.tag;
    return this;
  }

  aggregate<Acc, Result>(fn: AggregateFunction<T, Acc, Result>): SingleOutputStreamOperator<Result>;
  aggregate<Acc, Result, Out>(
    fn: AggregateFunction<T, Acc, Result>,
    windowFn: WindowFunction<Result, Out>,
  ): SingleOutputStreamOperator<Out>;
  aggregate(
    fn: AggregateFunction<T, any, any>,
    windowFn: WindowFunction<any, any> | null = null,
  ): SingleOutputStreamOperator<any> {
    requireFunction(fn.createAccumulator, "window", "createAccumulator");
    requireFunction(fn.add, "window", "add");
    requireFunction(fn.getResult, "window", "getResult");
    if (windowFn !== null) requireFunction(windowFn, "window", "the window function");
    return this.#add({
      kind: "window",
      keySelector: this.#keySelector,
      sizeMs: this.#windows.sizeMs,
      offsetMs: this.#windows.offsetMs,
      allowedLatenessMs: this.#allowedLatenessMs,
      aggregate: fn,
      windowFn,
      lateTag: this.#lateTag,
    });
  }

  reduce(fn: ReduceFunction<T>): SingleOutputStreamOperator<T>;
  reduce<Out>(fn: ReduceFunction<T>, windowFn: WindowFunction<T, Out>): SingleOutputStreamOperator<Out>;
  reduce(fn: ReduceFunction<T>, windowFn: WindowFunction<T, any> | null = null): SingleOutputStreamOperator<any> {
    requireFunction(fn, "window", "the reduce function");
    const aggregate = reducing(fn);
    return windowFn === null ? this.aggregate(aggregate) : this.aggregate(aggregate, windowFn);
  }
}

/** A reduce is an aggregate whose accumulator is the value itself; null before the first. */
function reducing<T>(fn: ReduceFunction<T>): AggregateFunction<T, T | null, T> {
  return {
    createAccumulator: () => null,
    add: (value, accumulator) => (accumulator === null ? value : fn(accumulator, value)),
    // A window fires only once it holds something.
    getResult: (accumulator) => accumulator as T,
  };
}
