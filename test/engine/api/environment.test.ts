import { expect, test } from "vitest";
import type { SingleOutputStreamOperator } from "#whitewater/engine/api/data-stream.js";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { outputTag } from "#whitewater/engine/api/functions.js";
import { JobDefinitionError } from "#whitewater/engine/api/job-definition-error.js";
import { RestoreStrategies } from "#whitewater/engine/api/restore-strategies.js";
import { RestartStrategies } from "#whitewater/engine/api/restart-strategies.js";
import { TumblingEventTimeWindows } from "#whitewater/engine/api/tumbling-event-time-windows.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { MIN_WATERMARK, NO_TIMESTAMP } from "#whitewater/engine/base/units.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { FakeProcess } from "../operators/fake-process.ts";

interface Word {
  readonly word: string;
  readonly count: number;
}

const sink = new DiscardingSink<unknown>();


function withWords(environment: StreamExecutionEnvironment): SingleOutputStreamOperator<string> {
  return environment.fromSource(new LogSource<string>("in"), WatermarkStrategies.forMonotonousTimestamps());
}

function edgesOf(graph: StreamGraph): readonly string[] {
  return graph.nodes.flatMap((node) =>
    node.inputs.map((input) => `${graph.nodes[input.from]?.name} ${input.partitioning} ${node.name}`),
  );
}

test("a job becomes the graph it describes", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(4).enableCheckpointing(1000);
  const late = outputTag<Word>("late");
  const windows = withWords(env)
    .flatMap<Word>((line, collect) => line.split(" ").forEach((word) => collect({ word, count: 1 })))
    .keyBy((word) => word.word)
    .window(TumblingEventTimeWindows.of(5000))
    .allowedLateness(2000)
    .sideOutputLateData(late)
    .reduce((left, right) => ({ word: left.word, count: left.count + right.count }));
  windows.sinkTo(sink).name("out");
  windows.getSideOutput(late).filter((word) => word.count > 0).sinkTo(sink).name("late out").setParallelism(1);
  const graph = env.execute("words");
  expect(edgesOf(graph)).toEqual([
    "in forward flatMap",
    "flatMap hash window",
    "window forward out",
    "window forward filter",
    "filter rebalance late out",
  ]);
  expect(graph.nodes[4]?.inputs[0]?.sideOutput).toBe("late");
  expect(graph.nodes[2]).toMatchObject({ kind: "window", sizeMs: 5000, offsetMs: 0, allowedLatenessMs: 2000, lateTag: "late" });
});

test("what nobody sets has Flink's defaults", () => {
  const env = StreamExecutionEnvironment.create().enableCheckpointing(500);
  env.fromElements(1).sinkTo(sink);
  expect(env.execute("job").config).toEqual({
    maxParallelism: 128,
    checkpoint: { mode: "aligned", alignedTimeoutMs: 0, intervalMs: 500, timeoutMs: 600_000, minPauseMs: 0, maxConcurrent: 1, retained: 1, retention: "always", tolerableFailures: 0 },
    restart: {
      kind: "exponential-delay",
      initialBackoffMs: 1000,
      maxBackoffMs: 60_000,
      backoffMultiplier: 1.5,
      resetBackoffThresholdMs: 3_600_000,
      jitterFactor: 0.1,
      maxAttempts: null,
    },
    autoWatermarkIntervalMs: 200,
    bufferElements: 64,
    bufferTimeoutMs: 100,
    stateBackend: null,
    restore: "full",
    allowOlderCheckpoint: false,
    failover: "job",
  });
});

test("what is set is kept", () => {
  const env = StreamExecutionEnvironment.create()
    .setMaxParallelism(10)
    .setBufferElements(1)
    .setBufferTimeout(0)
    .setAutoWatermarkInterval(50)
    .setRestartStrategy(RestartStrategies.fixedDelay(3, 250))
    .enableCheckpointing(500);
  env
    .getCheckpointConfig()
    .setCheckpointTimeout(1)
    .setMinPauseBetweenCheckpoints(2)
    .enableUnalignedCheckpoints()
    .setAlignedCheckpointTimeout(30)
    .setMaxConcurrentCheckpoints(1)
    .setMaxRetainedCheckpoints(4)
    .setTolerableCheckpointFailureNumber(5);
  env.setStateBackend({ name: "lsm", writeBufferBytes: 4096 }).setRestoreStrategy(RestoreStrategies.incremental()).setFailoverStrategy("region");
  env.fromElements(1).sinkTo(sink);
  expect(env.execute("job").config).toEqual({
    maxParallelism: 10,
    checkpoint: { mode: "aligned-timeout", alignedTimeoutMs: 30, intervalMs: 500, timeoutMs: 1, minPauseMs: 2, maxConcurrent: 1, retained: 4, retention: "always", tolerableFailures: 5 },
    restart: { kind: "fixed-delay", attempts: 3, delayMs: 250 },
    autoWatermarkIntervalMs: 50,
    bufferElements: 1,
    bufferTimeoutMs: 0,
    stateBackend: { name: "lsm", writeBufferBytes: 4096 },
    restore: "incremental",
    allowOlderCheckpoint: false,
    failover: "region",
  });
});

test("checkpoint modes and restore strategies that mean nothing together are refused with the way out", () => {
  const env = (): StreamExecutionEnvironment => {
    const made = StreamExecutionEnvironment.create().enableCheckpointing(500);
    made.fromElements(1).sinkTo(sink);
    return made;
  };
  const concurrent = env();
  concurrent.getCheckpointConfig().enableUnalignedCheckpoints().setMaxConcurrentCheckpoints(2);
  expect(() => concurrent.execute("job")).toThrow(/one at a time, but 2 may be under way. Call setMaxConcurrentCheckpoints\(1\)/);
  const atLeastOnce = env().enableCheckpointing(500, "at-least-once");
  expect(atLeastOnce.execute("job").config.checkpoint?.mode).toBe("at-least-once");
  atLeastOnce.getCheckpointConfig().enableUnalignedCheckpoints();
  expect(() => atLeastOnce.execute("job")).toThrow(/at-least-once job.*Use "exactly-once"/);
  const heap = env().setStateBackend("heap").setRestoreStrategy(RestoreStrategies.incremental());
  expect(() => heap.execute("job")).toThrow(/heap has no increments.*lsm, sqlite, changelog:heap/);
  const twice = env().setRestoreStrategy(RestoreStrategies.failureSnapshotRestore(5000));
  expect(twice.execute("job").config.restart).toMatchObject({ kind: "fixed-delay", delayMs: 5000 });
  twice.setRestartStrategy(RestartStrategies.none());
  expect(() => twice.execute("job")).toThrow(/both the restore strategy and the restart strategy/);
  expect(() => env().setFailoverStrategy("all" as "job")).toThrow(/"all". Choose one of: job, region/);
  expect(() => env().setRestoreStrategy("incremental" as never)).toThrow(/"incremental", not one of RestoreStrategies. Pass what/);
  expect(() => env().setRestartStrategy(RestartStrategies.none as never)).toThrow(/function, not one of RestartStrategies. Pass what/);
  const nothing = StreamExecutionEnvironment.create().setRestoreStrategy(RestoreStrategies.failureSnapshotRestore(5000));
  nothing.fromElements(1).sinkTo(sink);
  expect(() => nothing.execute("job")).toThrow(/takes no checkpoints that it could restore. Call enableCheckpointing/);
});

test("without checkpoints there are no restarts unless asked for", () => {
  const env = StreamExecutionEnvironment.create();
  env.fromElements(1).sinkTo(sink);
  expect(env.execute("job").config).toMatchObject({ checkpoint: null, restart: { kind: "none" } });
});

test("explicit partitioning wins over the default; keyBy over a union hashes every input", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  const left = withWords(env).name("left");
  const right = withWords(env).name("right");
  left.rebalance().map((word) => word).name("dealt").sinkTo(sink).name("s1");
  left.broadcast().map((word) => word).name("everywhere").forward().sinkTo(sink).name("s2");
  left.union(right).keyBy((word) => word).reduce((word) => word).sinkTo(sink).name("s3");
  expect(edgesOf(env.execute("job"))).toEqual([
    "left rebalance dealt",
    "dealt forward s1",
    "left broadcast everywhere",
    "everywhere forward s2",
    "left hash reduce",
    "right hash reduce",
    "reduce forward s3",
  ]);
});

test("generated uids do not change when an unrelated branch is added", () => {
  const build = (unrelated: boolean): StreamGraph => {
    const env = StreamExecutionEnvironment.create();
    const source = withWords(env);
    if (unrelated) source.map((word) => word.length).sinkTo(sink);
    source.keyBy((word) => word).reduce((word) => word).sinkTo(sink);
    return env.execute("job");
  };
  const uidOf = (graph: StreamGraph): string | undefined => graph.nodes.find((node) => node.kind === "reduce")?.uid;
  expect(uidOf(build(true))).toBe(uidOf(build(false)));
  expect(uidOf(build(false))).toMatch(/^reduce-[0-9a-f]{8}$/);
});

test("generated uids are unique, also among equals, and never take a given one", () => {
  const env = StreamExecutionEnvironment.create();
  const source = withWords(env);
  for (let i = 0; i < 3; i++) source.map((word) => word).sinkTo(sink);
  const uids = env.execute("job").nodes.map((node) => node.uid);
  expect(new Set(uids).size).toBe(uids.length);
  const again = StreamExecutionEnvironment.create();
  const source2 = withWords(again);
  source2.map((word) => word).sinkTo(sink).uid(uids[1] as string);
  const uids2 = again.execute("job").nodes.map((node) => node.uid);
  expect(new Set(uids2).size).toBe(uids2.length);
});

test("operators of one name get names of their own", () => {
  const env = StreamExecutionEnvironment.create();
  withWords(env).map((word) => word).map((word) => word).name("map-2").map((word) => word).sinkTo(sink);
  expect(env.execute("job").nodes.map((node) => node.name)).toEqual(["in", "map", "map-2", "map-3", "discard"]);
});

test("fromElements takes elements one by one, or a list with a pace", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(4);
  env.fromElements("a", "b").sinkTo(sink);
  env.fromElements([1, 2], { everyMs: 2000 }).sinkTo(sink);
  env.fromElements([1, 2], [3, 4]).sinkTo(sink);
  const first = env.execute("job").nodes.flatMap((node) => {
    if (node.kind !== "source") return [];
    const reader = node.source.createReader({
      ports: new FakeProcess().ports,
      subtaskIndex: 0,
      subject: 0,
      onAvailable: () => undefined,
      onError: () => undefined,
    });
    reader.start(0, 0);
    return [[node.parallelism, ...(reader.poll(10)?.records ?? [])]];
  });
  expect(first).toEqual([
    [1, { value: "a", timestampMs: NO_TIMESTAMP }, { value: "b", timestampMs: NO_TIMESTAMP }],
    [1, { value: 1, timestampMs: 0 }],
    [1, { value: [1, 2], timestampMs: NO_TIMESTAMP }, { value: [3, 4], timestampMs: NO_TIMESTAMP }],
  ]);
});

type Wrong = readonly [what: string, build: (env: StreamExecutionEnvironment) => unknown, message: RegExp];
const wrong: readonly Wrong[] = [
  ["no source", (env) => env.execute("job"), /job "job": it has no source\. Begin with/],
  ["no sink", (env) => (env.fromElements(1), env.execute("job")), /job "job": it has no sink.*sinkTo/],
  [
    "duplicate uid",
    (env) => (env.fromElements(1).uid("x").sinkTo(sink).uid("x"), env.execute("job")),
    /sink operator "discard": its uid "x" is already the uid of source operator "elements"\. Give/,
  ],
  ["empty uid", (env) => env.fromElements(1).uid(""), /"elements": its uid is empty/],
  ["parallelism 0", (env) => withWords(env).setParallelism(0), /source operator "in": its parallelism is 0, .* at least 1/],
  ["parallelism of half", (env) => env.setParallelism(0.5), /the environment: its parallelism is 0\.5, .*not a whole number/],
  [
    "parallelism above the maximum",
    (env) => (env.setMaxParallelism(4), withWords(env).setParallelism(5).sinkTo(sink), env.execute("job")),
    /"in": its parallelism 5 is greater than the maximum parallelism 4\. Lower it/,
  ],
  ["max parallelism above the limit", (env) => env.setMaxParallelism(32_769), /32769 is greater than 32768/],
  [
    "forward with different parallelism",
    (env) => (withWords(env).setParallelism(2).forward().sinkTo(sink), env.execute("job")),
    /sink operator "discard": forward\(\) from source operator "in" .*from 2 to 1\. Use rebalance\(\)/,
  ],
  ["elements in parallel", (env) => env.fromElements(1).setParallelism(2), /"elements": its parallelism cannot be 2/],
  ["no elements", (env) => env.fromElements(), /fromElements got no elements/],
  ["a pace of zero", (env) => env.fromElements([1], { everyMs: 0 }), /time between elements is 0 milliseconds/],
  ["a window of zero", () => TumblingEventTimeWindows.of(0), /the window size is 0 milliseconds, but must be at least 1/],
  ["a window of a fraction", () => TumblingEventTimeWindows.of(1.5), /the window size is 1\.5, which is not a whole number/],
  ["an offset of a whole window", () => TumblingEventTimeWindows.of(10, -10), /offset -10 ms is not smaller/],
  ["an interval of zero", (env) => env.enableCheckpointing(0), /checkpointing: the interval is 0/],
  ["a fractional delay", () => RestartStrategies.fixedDelay(1, 0.1), /the delay is 0\.1/],
  ["half an attempt", () => RestartStrategies.fixedDelay(0.5), /the number of attempts is 0\.5, which is not a whole number/],
  ["a delay of a month", () => RestartStrategies.fixedDelay(1, 2_592_000_000), /2592000000 milliseconds is longer than 2147483647/],
  ["a backoff of nothing", () => RestartStrategies.exponentialDelay({ initialBackoffMs: 0 }), /initial backoff is 0 milliseconds/],
  [
    "a maximum below the initial backoff",
    () => RestartStrategies.exponentialDelay({ initialBackoffMs: 500, maxBackoffMs: 400 }),
    /maximum backoff of 400 milliseconds is less than the initial one of 500/,
  ],
  ["shrinking backoffs", () => RestartStrategies.exponentialDelay({ backoffMultiplier: 0.9 }), /multiplier is 0\.9, but must be .* at least 1/],
  ["a multiplier without end", () => RestartStrategies.exponentialDelay({ backoffMultiplier: Infinity }), /multiplier is Infinity/],
  ["jitter beyond the wait", () => RestartStrategies.exponentialDelay({ jitterFactor: 1.1 }), /jitter factor is 1\.1, .* from 0 to 1/],
  ["no jitter factor", () => RestartStrategies.exponentialDelay({ jitterFactor: Number.NaN }), /jitter factor is NaN/],
  ["a threshold of zero", () => RestartStrategies.exponentialDelay({ resetBackoffThresholdMs: 0 }), /reset threshold is 0/],
  ["no attempts", () => RestartStrategies.exponentialDelay({ maxAttempts: 0 }), /number of attempts is 0, .* at least 1/],
  ["a rate of zero", () => RestartStrategies.failureRate(0), /number of failures is 0/],
  ["an interval of nothing", () => RestartStrategies.failureRate(1, 0), /interval is 0 milliseconds/],
  ["an idle timeout of zero", () => WatermarkStrategies.noWatermarks().withIdleness(0), /the idle timeout is 0/],
  ["65 elements in a buffer", (env) => env.setBufferElements(65), /65 elements.*more than 64/],
  [
    "rebalance after keyBy",
    (env) => env.fromElements(1).keyBy((value) => value).rebalance(),
    /rebalance after keyBy: .*cannot be overridden\. Call rebalance\(\) before keyBy/,
  ],
  [
    "a union of two environments",
    (env) => env.fromElements(1).union(StreamExecutionEnvironment.create().fromElements(2)),
    /union: a stream belongs to another environment/,
  ],
  ["a map that is no function", (env) => env.fromElements(1).map(3 as never), /map: the map function is not a function/],
];
test.each(wrong)("%s is refused with the operator, the reason and the way out", (_what, build, message) => {
  const attempt = (): unknown => build(StreamExecutionEnvironment.create());
  expect(attempt).toThrow(JobDefinitionError);
  expect(attempt).toThrow(message);
});

test("a reduce over a window starts from its first value", () => {
  const env = StreamExecutionEnvironment.create();
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(TumblingEventTimeWindows.of(10))
    .reduce((left, right) => left * 10 + right, (result, key, window) => `${key}@${window.start}=${result}`)
    .sinkTo(sink);
  const node = env.execute("job").nodes[1];
  if (node?.kind !== "window") throw new Error("a window node");
  const { aggregate } = node;
  const accumulator = [1, 2, 3].reduce<unknown>((acc, value) => aggregate.add(value, acc), aggregate.createAccumulator());
  expect(aggregate.getResult(accumulator)).toBe(123);
  expect(node.windowFn?.(123, 1, { start: 0, end: 10 })).toBe("1@0=123");
});

test("watermark strategies make watermarks as Flink's", () => {
  const generator = WatermarkStrategies.forBoundedOutOfOrderness(5).createGenerator();
  const seen = [generator.currentWatermarkMs()];
  for (const timestampMs of [10, 7, 20]) {
    generator.onEvent(timestampMs);
    seen.push(generator.currentWatermarkMs());
  }
  expect(seen).toEqual([MIN_WATERMARK, 4, 4, 14]);
  const strategy = WatermarkStrategies.noWatermarks<Word>()
    .withIdleness(100)
    .withTimestampAssigner((word: Word) => word.count);
  expect([strategy.idleAfterMs, strategy.timestampOf?.({ word: "a", count: 9 }, 0)]).toEqual([100, 9]);
  const none = strategy.createGenerator();
  none.onEvent(1000);
  expect(none.currentWatermarkMs()).toBe(MIN_WATERMARK);
});

test("a state backend that does not exist, or a size that it has no use for, is refused with the choices", () => {
  const env = StreamExecutionEnvironment.create();
  expect(() => env.setStateBackend("rocksdb" as "lsm")).toThrow(/none called "rocksdb"\. Choose one of: heap, lsm, sqlite, changelog:heap/);
  expect(() => env.setStateBackend({ name: "heap", writeBufferBytes: 4096 })).toThrow(/writeBufferBytes means nothing to heap/);
  expect(() => env.setStateBackend({ name: "changelog:heap", tableBytes: 4096 })).toThrow(/made of lsm/);
  expect(() => env.setStateBackend({ name: "lsm", tableBytes: 0.5 })).toThrow(/not a whole number of bytes/);
});

test("two inputs without keys, of different environments, or with another parallelism before a reinterpretation are refused", () => {
  const nothing = { processElement1: () => undefined, processElement2: () => undefined };
  const env = StreamExecutionEnvironment.create();
  const words = withWords(env);
  const keyed = words.keyBy((word) => word);
  expect(() => words.connect(withWords(env)).process(nothing)).toThrow(/its first input is not keyed/);
  expect(() => keyed.connect(words).process(nothing)).toThrow(/its second input is not keyed/);
  expect(() => keyed.connect(keyed).process(nothing)).not.toThrow();
  expect(() => words.connect(withWords(StreamExecutionEnvironment.create()))).toThrow(/belongs to another environment/);
  words.reinterpretAsKeyedStream((word) => word).reduce((word) => word).setParallelism(2).sinkTo(sink);
  expect(() => env.execute("job")).toThrow(/needs equal parallelism/);
});
