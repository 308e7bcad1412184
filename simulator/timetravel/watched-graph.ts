import type { AggregateFunction, KeyedCoProcessFunction, KeyedProcessFunction, KeySelector, OutputTag, ProcessContext, ProcessFunctionBase, TimerService, WindowFunction } from "../../engine/api/functions.ts";
import type { Sink, SinkWriter } from "../../engine/api/sink.ts";
import type { Source, SourceBatch, SourceReader } from "../../engine/api/source.ts";
import { unreachable } from "../../engine/base/assert.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import type { StreamGraph, StreamNode, WindowNode } from "../../engine/graph/stream-graph.ts";
import type { Key } from "../../engine/state/state.ts";
import type { Tagged } from "../oracles/graph-rewriting-ids.ts";
import { keyText, PASSAGE } from "./record-passages.ts";

/** Hears what happens to records in one operator of one attempt of a subtask. */
export interface OperatorWatch {
  passage(what: number, id: number, detail?: number, number?: number): void;
  /** The number of a key. */
  intern(text: string): number;
  written(id: number): void;
  /** The sink closed what it wrote since the last time. `committables`: all that are not committed yet. */
  closed(checkpointId: CheckpointId, committables: readonly unknown[]): void;
}

/**
 * A job whose records carry their ids, with somebody who watches them pass: each function is called as before, and
 * gives what it gave before. Nothing of this can be seen by the engine.
 */
export function watchedGraph(graph: StreamGraph, watchOf: (node: StreamNode) => OperatorWatch): StreamGraph {
  return { ...graph, nodes: graph.nodes.map((node) => watchedNode(node, watchOf(node))) };
}

function watchedNode(node: StreamNode, watch: OperatorWatch): StreamNode {
  switch (node.kind) {
    case "source":
      return { ...node, source: watchedSource(node.source, watch) };
    case "map":
      return { ...node, fn: passing(node.fn, watch) };
    case "flatMap": {
      const { fn } = node;
      return {
        ...node,
        fn: (record: Tagged, collect: (record: Tagged) => void) => {
          watch.passage(PASSAGE.passed, record.id);
          fn(record, collect);
        },
      };
    }
    case "filter": {
      const { fn } = node;
      return {
        ...node,
        fn: (record: Tagged) => {
          const passes = fn(record);
          watch.passage(passes ? PASSAGE.passed : PASSAGE.filtered, record.id);
          return passes;
        },
      };
    }
    case "reduce":
      return { ...node, keySelector: watchedSelector(node.keySelector, watch) };
    case "process": {
      const fn: KeyedProcessFunction<Tagged, Tagged> = node.fn;
      const emitting = new Emitting(watch);
      const processElement: typeof fn.processElement = (record, context, collect) =>
        fn.processElement(record, emitting.forRecord(record.id, context), emitting.collecting(collect));
      return { ...node, keySelector: watchedSelector(node.keySelector, watch), fn: { ...watchedBase(fn, emitting), processElement } };
    }
    case "coProcess": {
      const fn: KeyedCoProcessFunction<Tagged, Tagged, Tagged> = node.fn;
      const emitting = new Emitting(watch);
      const [first, second] = node.keySelectors;
      const processElement1: typeof fn.processElement1 = (record, context, collect) =>
        fn.processElement1(record, emitting.forRecord(record.id, context), emitting.collecting(collect));
      const processElement2: typeof fn.processElement2 = (record, context, collect) =>
        fn.processElement2(record, emitting.forRecord(record.id, context), emitting.collecting(collect));
      return {
        ...node,
        keySelectors: [watchedSelector(first, watch), watchedSelector(second, watch)],
        fn: { ...watchedBase(fn, emitting), processElement1, processElement2 },
      };
    }
    case "window":
      return watchedWindow(node, watch);
    case "sink":
      return { ...node, sink: watchedSink(node.sink, watch) };
    default:
      return unreachable(node, "watchedNode");
  }
}

function passing(fn: (record: Tagged) => Tagged, watch: OperatorWatch): (record: Tagged) => Tagged {
  return (record) => {
    watch.passage(PASSAGE.passed, record.id);
    return fn(record);
  };
}

function watchedSelector(selector: KeySelector<Tagged>, watch: OperatorWatch): KeySelector<Tagged> {
  return (record) => {
    const key = selector(record);
    watch.passage(PASSAGE.processed, record.id, watch.intern(keyText(key)));
    return key;
  };
}

function watchedWindow(node: WindowNode, watch: OperatorWatch): WindowNode {
  const aggregate: AggregateFunction<Tagged, unknown, unknown> = node.aggregate;
  const windowFn: WindowFunction<unknown, Tagged> | null = node.windowFn;
  /** Of the record that the operator looks at. */
  let key = "";
  const keySelector: KeySelector<Tagged> = (record) => {
    const selected = (node.keySelector as KeySelector<Tagged>)(record);
    key = keyText(selected);
    watch.passage(PASSAGE.processed, record.id, watch.intern(key));
    return selected;
  };
  const watched: AggregateFunction<Tagged, unknown, unknown> = {
    createAccumulator: () => aggregate.createAccumulator(),
    add: (record, accumulator) => {
      watch.passage(PASSAGE.added, record.id, watch.intern(key));
      return aggregate.add(record, accumulator);
    },
    getResult: (accumulator) => {
      const result = aggregate.getResult(accumulator);
      // Then it is what the window emits, and nobody says of which key.
      if (windowFn === null) watch.passage(PASSAGE.emittedByWindow, (result as Tagged).id);
      return result;
    },
    ...(aggregate.merge !== undefined && { merge: (left: unknown, right: unknown) => aggregate.merge?.(left, right) }),
  };
  const watchedFn: WindowFunction<unknown, Tagged> = (result, ofKey, window) => {
    const emitted = (windowFn as WindowFunction<unknown, Tagged>)(result, ofKey, window);
    watch.passage(PASSAGE.emittedByWindow, emitted.id, watch.intern(keyText(ofKey)), window.start);
    return emitted;
  };
  return { ...node, keySelector, aggregate: watched, windowFn: windowFn === null ? null : watchedFn };
}

/** What a process function emits: its records have ids of their own. */
class Emitting {
  readonly #watch: OperatorWatch;
  #what: number = PASSAGE.emittedForRecord;
  #number = 0;
  #context: WatchedContext | null = null;

  constructor(watch: OperatorWatch) {
    this.#watch = watch;
  }

  forRecord(id: number, context: ProcessContext): ProcessContext {
    return this.#by(PASSAGE.emittedForRecord, id, context);
  }

  byTimer(timestampMs: number, context: ProcessContext): ProcessContext {
    return this.#by(PASSAGE.emittedByTimer, timestampMs, context);
  }

  collecting(collect: (record: Tagged) => void): (record: Tagged) => void {
    return (record) => {
      this.emitted(record);
      collect(record);
    };
  }

  emitted({ id }: Tagged): void {
    const key = this.#context?.of.currentKey();
    this.#watch.passage(this.#what, id, key === undefined ? -1 : this.#watch.intern(keyText(key)), this.#number);
  }

  /** The engine has one context object an operator, so there is one of these. */
  #by(what: number, number: number, context: ProcessContext): ProcessContext {
    this.#what = what;
    this.#number = number;
    if (this.#context === null || this.#context.of !== context) this.#context = new WatchedContext(context, this);
    return this.#context;
  }
}

class WatchedContext implements ProcessContext {
  readonly of: ProcessContext;
  readonly timers: TimerService;
  readonly #emitting: Emitting;

  constructor(of: ProcessContext, emitting: Emitting) {
    this.of = of;
    this.timers = of.timers;
    this.#emitting = emitting;
  }

  timestampMs(): number | null {
    return this.of.timestampMs();
  }

  currentKey(): Key {
    return this.of.currentKey();
  }

  output<T>(tag: OutputTag<T>, value: T): void {
    this.#emitting.emitted(value as Tagged);
    this.of.output(tag, value);
  }
}

function watchedBase(fn: ProcessFunctionBase<Tagged>, emitting: Emitting): ProcessFunctionBase<Tagged> {
  return {
    open: (context) => fn.open?.(context),
    onTimer: (timestampMs, context, collect) => fn.onTimer?.(timestampMs, emitting.byTimer(timestampMs, context), emitting.collecting(collect)),
    notifyCheckpointComplete: (checkpointId) => fn.notifyCheckpointComplete?.(checkpointId),
    notifyCheckpointAborted: (checkpointId) => fn.notifyCheckpointAborted?.(checkpointId),
    close: () => fn.close?.(),
  };
}

function watchedSource(source: Source<Tagged>, watch: OperatorWatch): Source<Tagged> {
  return {
    name: source.name,
    bounded: source.bounded,
    ...(source.defaultTimestampMs !== undefined && { defaultTimestampMs: source.defaultTimestampMs }),
    partitionCount: (ports) => source.partitionCount(ports),
    createReader: (context) => watchedReader(source.createReader(context), watch),
  };
}

function watchedReader(reader: SourceReader, watch: OperatorWatch): SourceReader {
  return {
    start: (partition, offset) => reader.start(partition, offset),
    poll: (limit): SourceBatch | null => {
      const batch = reader.poll(limit);
      for (const { value } of batch?.records ?? []) watch.passage(PASSAGE.read, (value as Tagged).id);
      return batch;
    },
    ended: () => reader.ended(),
    close: () => reader.close(),
  };
}

function watchedSink(sink: Sink<Tagged>, watch: OperatorWatch): Sink<Tagged> {
  return { name: sink.name, commits: sink.commits ?? true, createWriter: (context) => watchedWriter(sink.createWriter(context), watch) };
}

function watchedWriter(writer: SinkWriter<Tagged>, watch: OperatorWatch): SinkWriter<Tagged> {
  return {
    restore: (committables, done) => writer.restore(committables, done),
    write: (record, timestampMs) => {
      watch.written(record.id);
      writer.write(record, timestampMs);
    },
    prepareSnapshot: (checkpointId) => {
      const committables = writer.prepareSnapshot(checkpointId);
      watch.closed(checkpointId, committables);
      return committables;
    },
    prepare: (checkpointId, done) => writer.prepare(checkpointId, done),
    commit: (checkpointId, done) => writer.commit(checkpointId, done),
    close: () => writer.close(),
  };
}
