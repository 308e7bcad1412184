import { describe, expect, test } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import type { KeyedProcessFunction, OutputTag } from "#whitewater/engine/api/functions.js";
import { outputTag } from "#whitewater/engine/api/functions.js";
import { TumblingEventTimeWindows } from "#whitewater/engine/api/tumbling-event-time-windows.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { ListState, MapState, ValueState } from "#whitewater/engine/state/state.js";
import { interpret } from "#whitewater/simulator/reference/interpreter.js";
import { windowStartOf } from "#whitewater/simulator/reference/reference-window.js";
import type { ArrivingRecord, InputTopic } from "#whitewater/simulator/scenario.js";

interface Reading {
  readonly key: string;
  readonly n: number;
}

/** [arrival in ms, event time in ms, key, n] */
type Row = readonly [number, number, string, number];

function topic(name: string, ...partitions: readonly (readonly Row[])[]): InputTopic {
  const record = ([atMs, timestampMs, key, n]: Row): ArrivingRecord => {
    return { arrivesAtUs: atMs * 1000, timestampMs, value: { key, n } };
  };
  return { topic: name, partitions: partitions.map((rows) => rows.map(record)) };
}

function readings(env: StreamExecutionEnvironment, name: string, boundMs: number) {
  return env.fromSource(new LogSource<Reading>(name), WatermarkStrategies.forBoundedOutOfOrderness<Reading>(boundMs)).uid(name);
}

const sum = {
  createAccumulator: () => 0,
  add: ({ n }: Reading, total: number) => total + n,
  getResult: (total: number) => total,
};

function windowJob(latenessMs: number, lateTag: OutputTag<Reading> | null): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  const windows = readings(env, "in", 0)
    .keyBy(({ key }) => key)
    .window(TumblingEventTimeWindows.of(10))
    .allowedLateness(latenessMs);
  if (lateTag !== null) windows.sideOutputLateData(lateTag);
  const sums = windows.aggregate(sum, (total, key, { start }) => `${String(key)}@${start}=${total}`).uid("sums");
  sums.sinkTo(new DiscardingSink<string>()).uid("out");
  if (lateTag !== null) sums.getSideOutput(lateTag).sinkTo(new DiscardingSink<Reading>()).uid("late");
  return env.execute("windows");
}

test("window starts are those of Flink, before 1970 and with offsets too", () => {
  const starts = (sizeMs: number, offsetMs: number, at: readonly number[]): readonly number[] =>
    at.map((timestampMs) => windowStartOf(timestampMs, sizeMs, offsetMs));
  expect(starts(7, 0, [-8, -7, -6, -1, 1, 6, 7, 8])).toEqual([-14, -7, -7, -7, 0, 0, 7, 7]);
  expect(starts(7, 3, [-10, -9, -3, -1, 2, 3, 9, 10])).toEqual([-11, -11, -4, -4, -4, 3, 3, 10]);
  expect(starts(7, -2, [-12, -7, -4, -3, 2, -2, 7, 12])).toEqual([-16, -9, -9, -9, -2, -2, 5, 12]);
  expect(starts(86_400_000, -28_800_000, [1_470_902_048_450])).toEqual([1_470_844_800_000]);
});

describe("windows", () => {
  test("fire when the minimum over all partitions passes them, in the order of their ends", () => {
    // By arrival: a@1, b@12, a@5, a@25, b@30. Partition 1 holds the watermark at 4 until it ends after b@30.
    const inputs = [topic("in", [[0, 1, "a", 1], [2, 5, "a", 2], [5, 25, "a", 4]], [[1, 12, "b", 8], [6, 30, "b", 16]])];
    const { outputs, state } = interpret(windowJob(0, null), inputs);
    expect(outputs.get("out")).toEqual(["a@0=3", "b@10=8", "a@20=4", "b@30=16"]);
    expect(state.get("sums")?.size).toBe(0);
  });

  test("[derived from Flink] lateness 2: fired at 9, again for a record at watermark 10, late at watermark 11", () => {
    const late = outputTag<Reading>("late");
    const rows: readonly Row[] = [[0, 3, "a", 1], [1, 10, "a", 2], [2, 5, "a", 4], [3, 11, "b", 8], [4, 6, "a", 16], [5, 12, "b", 32], [6, 7, "a", 64]];
    // Watermarks are one behind the greatest timestamp: 2, 9, 9, 10, 10, 11, 11.
    const { outputs } = interpret(windowJob(2, late), [topic("in", rows)]);
    expect(outputs.get("out")).toEqual(["a@0=1", "a@0=5", "a@0=21", "a@10=2", "b@10=40"]);
    expect(outputs.get("late")).toEqual([{ key: "a", n: 64 }]);
  });

  test("without a late output, what is late is dropped", () => {
    const { outputs } = interpret(windowJob(0, null), [topic("in", [[0, 3, "a", 1], [1, 20, "a", 2], [2, 5, "a", 4]])]);
    expect(outputs.get("out")).toEqual(["a@0=1", "a@20=2"]);
  });
});

test("a reduce emits every new value; map, filter, flatMap and union do what they say, in order of arrival", () => {
  const env = StreamExecutionEnvironment.create();
  const left = readings(env, "left", 0).map(({ key, n }) => ({ key, n: n * 10 }));
  const right = readings(env, "right", 0)
    .filter(({ n }) => n !== 3)
    .flatMap<Reading>((reading, collect) => [reading, reading].forEach(collect));
  left
    .union(right)
    .keyBy(({ key }) => key)
    .reduce((a, b) => ({ key: a.key, n: a.n + b.n }))
    .uid("sum")
    .map(({ key, n }) => `${key}${n}`)
    .sinkTo(new DiscardingSink<string>())
    .uid("out");
  const { outputs, state } = interpret(env.execute("stateless"), [
    topic("left", [[0, 0, "a", 1], [3, 0, "b", 2]]),
    topic("right", [[1, 0, "a", 1], [2, 0, "a", 3]], [[1, 0, "b", 5]]),
  ]);
  expect(outputs.get("out")).toEqual(["a10", "a11", "a12", "b5", "b10", "b30"]);
  expect(state.get("sum")?.get('"b')).toEqual([{ state: "reduce", key: "b", namespace: "", value: { key: "b", n: 30 } }]);
});

test("keys of different types are different keys, equal tuples are one", () => {
  const env = StreamExecutionEnvironment.create();
  const keys = [1, 1n, "1", true, [1, "1"], [1, "1"], -0, 0, "\u0000[2:#13:\"1"];
  env
    .fromElements(keys, { everyMs: 1 })
    .map((key) => ({ key, n: 1 }))
    .keyBy(({ key }) => key)
    .reduce((a, b) => ({ key: a.key, n: a.n + b.n }))
    .uid("count")
    .map(({ n }) => n)
    .sinkTo(new DiscardingSink<number>())
    .uid("out");
  const { outputs } = interpret(env.execute("keys"), []);
  expect(outputs.get("out")).toEqual([1, 1, 1, 1, 1, 2, 1, 2, 1]);
});

class Recorder implements KeyedProcessFunction<Reading, string> {
  #sum!: ValueState<number>;
  #seen!: ListState<number>;
  #byN!: MapState<number, string>;

  open(context: Parameters<NonNullable<KeyedProcessFunction<Reading, string>["open"]>>[0]): void {
    this.#sum = context.getState(valueState<number>("sum", 100));
    this.#seen = context.getState(listState<number>("seen"));
    this.#byN = context.getState(mapState<number, string>("byN"));
  }

  processElement({ key, n }: Reading, context: Parameters<KeyedProcessFunction<Reading, string>["processElement"]>[1]): void {
    const atMs = context.timestampMs() ?? 0;
    this.#sum.update((this.#sum.value() ?? 0) + n);
    this.#seen.add(n);
    if (this.#byN.contains(n)) this.#byN.remove(n);
    else this.#byN.put(n, key);
    context.timers.registerEventTimeTimer(atMs + 5);
    context.timers.registerEventTimeTimer(atMs + 5);
    context.timers.registerEventTimeTimer(1000);
    if (n === 0) context.timers.deleteEventTimeTimer(1000);
    context.timers.registerProcessingTimeTimer(atMs + 50);
  }

  onTimer(
    timestampMs: number,
    context: Parameters<KeyedProcessFunction<Reading, string>["processElement"]>[1],
    collect: (value: string) => void,
  ): void {
    const seen = this.#seen.get().join("");
    collect(`${String(context.currentKey())} ${timestampMs} at ${context.timers.currentWatermarkMs() > 900 ? "end" : "wm"} ${seen}`);
    // Due at once: fires in the same advance.
    if (timestampMs === 6) context.timers.registerEventTimeTimer(2);
  }
}

test("a process function gets its state and timers: each once, in order, those due at once in the same advance", () => {
  const env = StreamExecutionEnvironment.create();
  readings(env, "in", 0)
    .keyBy(({ key }) => key)
    .process(new Recorder())
    .uid("recorder")
    .sinkTo(new DiscardingSink<string>())
    .uid("out");
  const rows: readonly Row[] = [[0, 1, "a", 7], [1, 1, "b", 8], [2, 20, "a", 7], [3, 21, "b", 0], [70, 22, "b", 9]];
  const { outputs, state } = interpret(env.execute("process"), [topic("in", rows)]);
  expect(outputs.get("out")).toEqual([
    "a 6 at wm 77",
    // Registered by the timer before it, and earlier than the next.
    "a 2 at wm 77",
    "b 6 at wm 8",
    "b 2 at wm 8",
    // Processing time, when the record of 70 ms arrives: 1 + 50, for both keys; 20 + 50.
    "a 51 at wm 77",
    "b 51 at wm 80",
    "a 70 at wm 77",
    "a 25 at end 77",
    "b 26 at end 809",
    "b 27 at end 809",
    "a 1000 at end 77",
    "b 1000 at end 809",
  ]);
  const entries = state.get("recorder");
  expect(entries?.get('"a')).toEqual([
    { state: "sum", key: "a", namespace: "", value: 114 },
    { state: "seen", key: "a", namespace: "", value: [7, 7] },
  ]);
  expect(entries?.get('"b')).toContainEqual({ state: "byN", key: "b", namespace: "", value: [[8, "b"], [0, "b"], [9, "b"]] });
});

test("elements without a pace have no timestamps, and a topic that is not there is named", () => {
  const env = StreamExecutionEnvironment.create();
  env.fromElements("x", "y").sinkTo(new DiscardingSink<string>()).uid("out");
  expect(interpret(env.execute("elements"), []).outputs.get("out")).toEqual(["x", "y"]);
  expect(() => interpret(windowJob(0, null), [])).toThrow(/topic "in" that source "in" reads/);
});

test("two inputs of one operator: one state for both, and the watermark is the least of both", () => {
  const env = StreamExecutionEnvironment.create();
  let sum!: ValueState<number>;
  readings(env, "left", 0)
    .connect(readings(env, "right", 0))
    .keyBy(({ key }) => key, ({ key }) => key)
    .process<string>({
      open: (context) => {
        sum = context.getState(valueState<number>("sum"));
      },
      processElement1: ({ n }, context) => {
        sum.update((sum.value() ?? 0) + n);
        context.timers.registerEventTimeTimer((context.timestampMs() ?? 0) + 5);
      },
      processElement2: ({ n }, _context, collect) => collect(`${n} asks: ${sum.value() ?? 0}`),
      onTimer: (timestampMs, context, collect) => collect(`${String(context.currentKey())}@${timestampMs}: ${sum.value() ?? 0}`),
    })
    .uid("both")
    .sinkTo(new DiscardingSink<string>())
    .uid("out");
  // The left input is at 19 when the right one has only reached 3; the timer of a@7 waits for the right one.
  const left: readonly Row[] = [[0, 2, "a", 1], [1, 20, "b", 2]];
  const right: readonly Row[] = [[2, 4, "a", 10], [3, 8, "b", 20], [4, 9, "a", 30]];
  const { outputs, state } = interpret(env.execute("both"), [topic("left", left), topic("right", right)]);
  expect(outputs.get("out")).toEqual(["10 asks: 1", "20 asks: 2", "a@7: 1", "30 asks: 1", "b@25: 2"]);
  expect(state.get("both")?.size).toBe(2);
});
