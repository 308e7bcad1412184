import type { NodeId, Partitioning } from "../graph/stream-graph.ts";
import type { Key } from "../state/state.ts";
import { ConnectedStreams } from "./connected-streams.ts";
import type { ConnectedInput } from "./connected-streams.ts";
import type {
  FilterFunction,
  FlatMapFunction,
  KeyedProcessFunction,
  KeySelector,
  MapFunction,
  OutputTag,
  ReduceFunction,
} from "./functions.ts";
import type { GraphBuilder, NodeBody, Upstream } from "./graph-builder.ts";
import { JobDefinitionError, requireFunction } from "./job-definition-error.ts";
import type { Sink } from "./sink.ts";
import type { TumblingEventTimeWindows } from "./tumbling-event-time-windows.ts";
import { WindowedStream } from "./windowed-stream.ts";

/**
 * A stream of `T`, as in Flink. Streams are immutable descriptions: each call adds an operator to the job
 * or says how records reach the next one. Without a word on that, records are forwarded where both sides
 * have equal parallelism, and dealt out in turn otherwise.
 */
export class DataStream<T> {
  protected readonly builder: GraphBuilder;
  /** Several where streams were united. */
  protected readonly upstreams: readonly Upstream[];

  constructor(builder: GraphBuilder, upstreams: readonly Upstream[]) {
    this.builder = builder;
    this.upstreams = upstreams;
  }

  map<Out>(fn: MapFunction<T, Out>): SingleOutputStreamOperator<Out> {
    return this.transform({ kind: "map", fn: requireFunction(fn, "map", "the map function") });
  }

  flatMap<Out>(fn: FlatMapFunction<T, Out>): SingleOutputStreamOperator<Out> {
    return this.transform({ kind: "flatMap", fn: requireFunction(fn, "flatMap", "the flatMap function") });
  }

  filter(fn: FilterFunction<T>): SingleOutputStreamOperator<T> {
    return this.transform({ kind: "filter", fn: requireFunction(fn, "filter", "the filter function") });
  }

  /** Records of equal keys reach the same subtask; state and timers after this belong to the key. */
  keyBy<K extends Key>(keySelector: KeySelector<T, K>): KeyedStream<T, K> {
    requireFunction(keySelector, "keyBy", "the key selector");
    const upstreams = this.upstreams.map((upstream): Upstream => ({ ...upstream, partitioning: "hash", keySelector }));
    return new KeyedStream<T, K>(this.builder, upstreams, keySelector);
  }

  /** All records of all streams, in no particular order. */
  union(...others: readonly DataStream<T>[]): DataStream<T> {
    if (others.length === 0) {
      throw new JobDefinitionError("union", "it unites nothing", "Pass at least one other stream");
    }
    for (const other of others) this.#requireSameJob(other, "union");
    return new DataStream<T>(this.builder, [...this.upstreams, ...others.flatMap((other) => other.upstreams)]);
  }

  /**
   * Two inputs of one operator, each with records of its own kind. The operator keeps keyed state, so both must
   * be keyed alike: with keyBy before or after this.
   */
  connect<Other>(other: DataStream<Other>): ConnectedStreams<T, Other> {
    this.#requireSameJob(other, "connect");
    return new ConnectedStreams<T, Other>(this.connectable(), other.connectable(), (body, upstreams) => {
      return new SingleOutputStreamOperator(this.builder, this.builder.add(body, "process", upstreams));
    });
  }

  /**
   * Keyed without being partitioned anew, as Flink's DataStreamUtils.reinterpretAsKeyedStream: the keyed operator
   * behind it runs in one chain with what comes before it. The caller vouches that each record is in the subtask
   * to which keyBy would send it, as where it comes from an operator that is keyed by the same key.
   */
  reinterpretAsKeyedStream<K extends Key>(keySelector: KeySelector<T, K>): KeyedStream<T, K> {
    requireFunction(keySelector, "reinterpretAsKeyedStream", "the key selector");
    const upstreams = this.upstreams.map((upstream): Upstream => ({ ...upstream, partitioning: "forward", keySelector: null }));
    return new KeyedStream<T, K>(this.builder, upstreams, keySelector);
  }

  /** Dealt out in turn over all subtasks of the next operator. */
  rebalance(): DataStream<T> {
    return this.repartitioned("rebalance");
  }

  /** Every record to every subtask of the next operator. */
  broadcast(): DataStream<T> {
    return this.repartitioned("broadcast");
  }

  /** From subtask i to subtask i of the next operator, which must have equal parallelism. */
  forward(): DataStream<T> {
    return this.repartitioned("forward");
  }

  sinkTo(sink: Sink<T>): DataStreamSink {
    const id = this.builder.add({ kind: "sink", sink }, sink.name, this.upstreams);
    return new DataStreamSink(this.builder, id);
  }

  /** What it brings into an operator of two inputs. */
  protected connectable(): ConnectedInput<T> {
    return { upstreams: this.upstreams, keySelector: null };
  }

  #requireSameJob(other: DataStream<any>, operation: string): void {
    if (other.builder === this.builder) return;
    throw new JobDefinitionError(operation, "a stream belongs to another environment", "Build one job from one environment");
  }

  protected repartitioned(partitioning: Partitioning): DataStream<T> {
    const upstreams = this.upstreams.map((upstream): Upstream => ({ ...upstream, partitioning, keySelector: null }));
    return new DataStream<T>(this.builder, upstreams);
  }

  protected transform<Out>(body: NodeBody): SingleOutputStreamOperator<Out> {
    return new SingleOutputStreamOperator<Out>(this.builder, this.builder.add(body, body.kind, this.upstreams));
  }
}

/** The output of one operator, which can be named and sized here. */
export class SingleOutputStreamOperator<T> extends DataStream<T> {
  readonly #id: NodeId;

  constructor(builder: GraphBuilder, id: NodeId) {
    super(builder, [{ from: id, sideOutput: null, partitioning: null, keySelector: null, input: 0 }]);
    this.#id = id;
  }

  /** The operator's identity in checkpoints; unique in the job. Give one to whatever keeps state. */
  uid(uid: string): this {
    this.builder.setUid(this.#id, uid);
    return this;
  }

  /** What people see: subtasks are called `name[0]`, `name[1]` … */
  name(name: string): this {
    this.builder.setName(this.#id, name);
    return this;
  }

  setParallelism(parallelism: number): this {
    this.builder.setParallelism(this.#id, parallelism);
    return this;
  }

  getSideOutput<Side>(tag: OutputTag<Side>): DataStream<Side> {
    return new DataStream<Side>(this.builder, [
      { from: this.#id, sideOutput: tag.tag, partitioning: null, keySelector: null, input: 0 },
    ]);
  }
}

/** A stream partitioned by key. */
export class KeyedStream<T, K extends Key> extends DataStream<T> {
  readonly #keySelector: KeySelector<T, K>;

  constructor(builder: GraphBuilder, upstreams: readonly Upstream[], keySelector: KeySelector<T, K>) {
    super(builder, upstreams);
    this.#keySelector = keySelector;
  }

  /** A running reduce: emits the new value of the key for every record. */
  reduce(fn: ReduceFunction<T>): SingleOutputStreamOperator<T> {
    requireFunction(fn, "reduce", "the reduce function");
    return this.transform({ kind: "reduce", keySelector: this.#keySelector, fn });
  }

  process<Out>(fn: KeyedProcessFunction<T, Out>): SingleOutputStreamOperator<Out> {
    requireFunction(fn.processElement, "process", "processElement");
    return this.transform({ kind: "process", keySelector: this.#keySelector, fn });
  }

  window(windows: TumblingEventTimeWindows): WindowedStream<T, K> {
    return new WindowedStream<T, K>(windows, this.#keySelector, (body) => this.transform(body));
  }

  protected override connectable(): ConnectedInput<T> {
    return { upstreams: this.upstreams, keySelector: this.#keySelector };
  }

  protected override repartitioned(partitioning: Partitioning): DataStream<T> {
    throw new JobDefinitionError(
      `${partitioning} after keyBy`,
      "the partitioning of a keyed stream cannot be overridden",
      `Call ${partitioning}() before keyBy, or after the keyed operator`,
    );
  }
}

/** The end of a stream. */
export class DataStreamSink {
  readonly #builder: GraphBuilder;
  readonly #id: NodeId;

  constructor(builder: GraphBuilder, id: NodeId) {
    this.#builder = builder;
    this.#id = id;
  }

  uid(uid: string): this {
    this.#builder.setUid(this.#id, uid);
    return this;
  }

  name(name: string): this {
    this.#builder.setName(this.#id, name);
    return this;
  }

  setParallelism(parallelism: number): this {
    this.#builder.setParallelism(this.#id, parallelism);
    return this;
  }
}
