import { expect, test } from "vitest";
import { outputTag } from "#whitewater/engine/api/functions.js";
import type { KeyedCoProcessFunction, KeyedProcessFunction, ProcessContext, RuntimeContext } from "#whitewater/engine/api/functions.js";
import type { Sink } from "#whitewater/engine/api/sink.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { MIN_WATERMARK, NO_TIMESTAMP } from "#whitewater/engine/base/units.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { listState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { ListState, ValueState } from "#whitewater/engine/state/state.js";
import { openChainOf } from "./chain-harness.ts";
import { FakeProcess } from "./fake-process.ts";

const sink = new DiscardingSink<unknown>();

test("records go through the chain in order, to every receiver of an operator", () => {
  const { chain, emitted } = openChainOf("head", (env) => {
    const mapped = env.fromElements(1).rebalance().map((value) => value * 10).name("head");
    const parts = mapped.flatMap<number>((value, collect) => {
      collect(value + 1);
      collect(value + 2);
    });
    parts.filter((value) => value % 2 === 0).rebalance().sinkTo(sink);
    mapped.rebalance().sinkTo(sink);
  });
  chain.processElement(1, 5);
  chain.processElement(2, 6);
  expect(emitted).toEqual([
    ["out", 12, 5],
    ["out", 10, 5],
    ["out", 22, 6],
    ["out", 20, 6],
  ]);
});

test("a chain without receivers swallows what it is given", () => {
  const seen: unknown[] = [];
  const { chain } = openChainOf("head", (env) => {
    env.fromElements(1).rebalance().map((value) => void seen.push(value)).name("head");
    env.fromElements(1).sinkTo(sink);
  });
  chain.processElement(7, 0);
  expect(seen).toEqual([7]);
});

test("an exception of user code passes through unchanged", () => {
  const error = new Error("poison");
  const { chain } = openChainOf("head", (env) => {
    env.fromElements(1).rebalance().filter(() => true).name("head").map(() => {
      throw error;
    }).sinkTo(sink);
  });
  expect(() => chain.processElement(1, 0)).toThrow(error);
});

test("a running reduce emits the new value for every record, per key", () => {
  const { chain, emitted } = openChainOf("reduce", (env) => {
    const keyed = env.fromElements<readonly [string, number]>(["a", 1]).keyBy((pair) => pair[0]);
    keyed.reduce((left, right) => [left[0], left[1] + right[1]]).rebalance().sinkTo(sink);
  });
  chain.processElement(["a", 1], 1);
  chain.processElement(["b", 5], 2);
  chain.processElement(["a", 3], 3);
  expect(emitted).toEqual([
    ["out", ["a", 1], 1],
    ["out", ["b", 5], 2],
    ["out", ["a", 4], 3],
  ]);
});

const alerts = outputTag<string>("alerts");

class Counting implements KeyedProcessFunction<string, string> {
  readonly log: string[] = [];
  #count!: ValueState<number>;
  #seen!: ListState<number>;

  open(context: Parameters<NonNullable<KeyedProcessFunction<string, string>["open"]>>[0]): void {
    this.log.push(`open ${context.taskName}`);
    this.#count = context.getState(valueState<number>("count", 0));
    this.#seen = context.getState(listState<number>("seen"));
  }

  processElement(
    value: string,
    context: Parameters<KeyedProcessFunction<string, string>["processElement"]>[1],
    collect: (value: string) => void,
  ): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.#count.update(count);
    this.#seen.add(context.timestampMs() ?? -1);
    context.timers.registerEventTimeTimer(100);
    context.timers.registerProcessingTimeTimer(50);
    if (count === 2) context.output(alerts, `${String(context.currentKey())} twice`);
    collect(`${value}${count}`);
  }

  onTimer(
    timestampMs: number,
    context: Parameters<KeyedProcessFunction<string, string>["processElement"]>[1],
    collect: (value: string) => void,
  ): void {
    collect(`${String(context.currentKey())}!${timestampMs}:${this.#seen.get().join(",")}`);
    if (timestampMs === 100) {
      context.timers.registerEventTimeTimer(90);
      context.timers.registerEventTimeTimer(120);
    }
  }

  notifyCheckpointComplete(id: number): void {
    this.log.push(`complete ${id}`);
  }

  notifyCheckpointAborted(id: number): void {
    this.log.push(`aborted ${id}`);
  }

  close(): void {
    this.log.push("close");
  }
}

function counting(fn: Counting): ReturnType<typeof openChainOf> {
  return openChainOf("process", (env) => {
    const processed = env.fromElements("x").keyBy((value) => value).process(fn);
    processed.rebalance().sinkTo(sink);
    processed.getSideOutput(alerts).rebalance().sinkTo(sink);
  });
}

test("a process function has state, side outputs and both kinds of timers", () => {
  const { chain, emitted, process } = counting(new Counting());
  chain.processElement("x", 10);
  chain.processElement("y", 11);
  chain.processElement("x", NO_TIMESTAMP);
  expect(emitted.splice(0)).toEqual([
    ["out", "x1", 10],
    ["out", "y1", 11],
    ["alerts", "x twice", NO_TIMESTAMP],
    ["out", "x2", NO_TIMESTAMP],
  ]);
  expect(chain.nextProcessingTimerMs()).toBe(50);
  expect(chain.advanceProcessingTime(49, 10)).toBe(true);
  expect(chain.advanceProcessingTime(50, 1)).toBe(false);
  expect(chain.advanceProcessingTime(50, 10)).toBe(true);
  expect(emitted.splice(0).toSorted()).toEqual([
    ["out", "x!50:10,-1", NO_TIMESTAMP],
    ["out", "y!50:11", NO_TIMESTAMP],
  ]);
  expect(chain.nextProcessingTimerMs()).toBeNull();
  chain.advanceWatermark(99, 10);
  expect(emitted).toEqual([]);
  chain.advanceWatermark(100, 10);
  // Each registers a timer at 90, which is due and fires in the same advance, and one at 120, which is not.
  expect(emitted.map(([, value, at]) => `${String(value).slice(0, 5)}@${at}`).toSorted()).toEqual([
    "x!100@100",
    "x!90:@90",
    "y!100@100",
    "y!90:@90",
  ]);
  expect(process.points(TRACE.timerFired).map((point) => [point.x, point.y]).toSorted()).toEqual([
    [100, 0],
    [100, 0],
    [50, 1],
    [50, 1],
    [90, 0],
    [90, 0],
  ]);
});

test("a process function is opened, told of checkpoints, and closed", () => {
  const fn = new Counting();
  const { chain } = counting(fn);
  const outcomes: unknown[] = [];
  chain.notifyComplete(3, (error) => void outcomes.push(error));
  chain.notifyAborted(4);
  chain.close();
  expect(outcomes).toEqual([null]);
  expect(fn.log).toEqual(["open process[0]", "complete 3", "aborted 4", "close"]);
});

test("timers are set at whole milliseconds only", () => {
  const { chain } = openChainOf("process", (env) => {
    env
      .fromElements("x")
      .keyBy((value) => value)
      .process<string>({ processElement: (_value, context) => context.timers.registerEventTimeTimer(0.5) })
      .sinkTo(sink);
  });
  expect(() => chain.processElement("x", 0)).toThrow(/process registers timers at whole milliseconds, not at 0\.5/);
});

function reading(lists: Map<string, Map<string, readonly unknown[]>> = new Map()): ReturnType<typeof openChainOf> {
  const record = (value: number): { value: number; timestampMs: number } => ({ value, timestampMs: 1000 });
  const topics = { in: [[record(1), record(2), record(3)], [record(9)], [record(4), record(8)]] };
  return openChainOf(
    "in",
    (env) => {
      const watermarks = WatermarkStrategies.forBoundedOutOfOrderness<number>(5)
        .withTimestampAssigner((value: number) => value * 100)
        .withIdleness(1000);
      env.fromSource(new LogSource<number>("in"), watermarks).setParallelism(2).rebalance().sinkTo(sink);
    },
    { process: new FakeProcess(topics), lists },
  );
}

test("a source reads its own partitions and makes their watermark", () => {
  const { chain, emitted } = reading();
  const source = chain.source;
  if (source === null) throw new Error("the head is a source");
  expect([source.watermarkMs(), source.isIdle()]).toEqual([MIN_WATERMARK, false]);
  expect(source.emitNext(2)).toBe("more");
  expect(source.emitNext(64)).toBe("ended");
  expect(emitted.map(([, value, at]) => [value, at])).toEqual([
    [1, 100],
    [2, 200],
    [4, 400],
    [8, 800],
    [3, 300],
  ]);
});

test("a partition that ended holds the source's watermark back no more", () => {
  const { chain } = reading();
  chain.source?.emitNext(3);
  expect(chain.source?.watermarkMs()).toBe(MIN_WATERMARK);
  chain.source?.emitNext(1);
  expect(chain.source?.watermarkMs()).toBe(394);
});

test("a source's watermark is the minimum over its partitions; without records they fall idle", () => {
  const { chain, process } = reading();
  const source = chain.source;
  if (source === null) throw new Error("the head is a source");
  source.emitNext(1);
  expect(source.watermarkMs()).toBe(MIN_WATERMARK);
  source.emitNext(1);
  expect(source.watermarkMs()).toBe(94);
  process.advance(2_000_000);
  expect(source.isIdle()).toBe(true);
});

test("offsets in the snapshot name the first record not emitted, and reading goes on from there", () => {
  const { chain, emitted, lists } = reading();
  chain.source?.emitNext(2);
  chain.source?.emitNext(1);
  chain.snapshotState(1);
  expect(lists.get("in")?.get("offsets")).toEqual([
    { partition: 0, offset: 2 },
    { partition: 2, offset: 1 },
  ]);
  chain.source?.emitNext(64);
  const again = reading(new Map([["in", new Map(lists.get("in"))]]));
  expect(again.chain.source?.emitNext(64)).toBe("ended");
  expect(again.emitted.map(([, value]) => value).toSorted()).toEqual(emitted.slice(3).map(([, value]) => value).toSorted());
});

test("a restored source reads the partitions whose offsets it got, whichever subtask had them, and no others", () => {
  const { chain, emitted } = reading(new Map([["in", new Map([["offsets", [{ partition: 1, offset: 0 }]]])]]));
  chain.source?.emitNext(64);
  chain.snapshotState(1);
  expect(emitted.length).toBeGreaterThan(0);
  const none = reading(new Map([["in", new Map()]]));
  expect([none.chain.source?.hasPartitions(), none.chain.source?.emitNext(64)]).toEqual([false, "ended"]);
});

test("a partition that a restored source got twice is a bug", () => {
  const twice = { partition: 1, offset: 0 };
  expect(() => reading(new Map([["in", new Map([["offsets", [twice, twice]]])]]))).toThrow(/each of its partitions once/);
});

test("a sink's committables are in the snapshot, prepared before the ack and committed on completion", () => {
  const calls: string[] = [];
  const later: (() => void)[] = [];
  const twoPhase: Sink<number> = {
    name: "two-phase",
    createWriter: (context) => ({
      restore: (committables, done) => {
        calls.push(`restore ${JSON.stringify(committables)} as ${context.subtaskIndex}`);
        done(null);
      },
      write: (value, timestampMs) => void calls.push(`write ${value}@${timestampMs}`),
      prepareSnapshot: (id) => [`t${id}`],
      prepare: (id, done) => {
        calls.push(`prepare ${id}`);
        later.push(() => done("not now"));
      },
      commit: (id, done) => {
        calls.push(`commit ${id}`);
        later.push(() => done(null));
      },
      close: () => void calls.push("close"),
    }),
  };
  const { chain, lists } = openChainOf(
    "head",
    (env) => {
      const head = env.fromElements(1).rebalance().map((value) => value).name("head");
      head.sinkTo(twoPhase);
      head.sinkTo(sink);
    },
    { lists: new Map([["two-phase", new Map([["committables", ["t0"]]])]]) },
  );
  chain.processElement(5, 6);
  chain.snapshotState(1);
  expect(lists.get("two-phase")?.get("committables")).toEqual(["t1"]);
  const outcomes: unknown[] = [];
  chain.prepareCommit(1, (error) => void outcomes.push(error));
  chain.notifyComplete(1, (error) => void outcomes.push(error));
  expect(outcomes).toEqual([]);
  for (const answer of later) answer();
  expect(outcomes).toEqual(["not now", null]);
  chain.dispose();
  expect(calls).toEqual(['restore ["t0"] as 0', "write 5@6", "prepare 1", "commit 1", "close"]);
});

interface Amount {
  readonly key: string;
  readonly amount: number;
}

/** Holds what the first input says of a key until the second asks for it; gives up 10 ms after it came. */
class Matching implements KeyedCoProcessFunction<Amount, string, string> {
  #held!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#held = context.getState(valueState<number>("held"));
  }

  processElement1({ amount }: Amount, context: ProcessContext): void {
    this.#held.update((this.#held.value() ?? 0) + amount);
    context.timers.registerEventTimeTimer((context.timestampMs() ?? 0) + 10);
  }

  processElement2(key: string, _context: ProcessContext, collect: (value: string) => void): void {
    collect(`${key}=${this.#held.value() ?? "nothing"}`);
  }

  onTimer(timestampMs: number, context: ProcessContext, collect: (value: string) => void): void {
    collect(`${String(context.currentKey())} given up at ${timestampMs}`);
    this.#held.clear();
  }
}

test("two inputs share the state and timers of a key", () => {
  const { chain, emitted } = openChainOf("match", (env) => {
    const amounts = env.fromSource(new LogSource<Amount>("amounts"), WatermarkStrategies.noWatermarks<Amount>());
    const asked = env.fromSource(new LogSource<string>("asked"), WatermarkStrategies.noWatermarks<string>());
    amounts
      .keyBy(({ key }) => key)
      .connect(asked.keyBy((key) => key))
      .process(new Matching())
      .name("match")
      .rebalance()
      .sinkTo(sink);
  });
  chain.processElement({ key: "a", amount: 3 }, 5);
  chain.processElement2("a", 6);
  chain.processElement2("b", 7);
  chain.processElement({ key: "a", amount: 4 }, 8);
  chain.processElement2("a", 9);
  expect(chain.advanceWatermark(15, 100)).toBe(true);
  chain.processElement2("a", 16);
  expect(emitted.map(([, value, timestampMs]) => `${String(value)} at ${timestampMs}`)).toEqual([
    "a=3 at 6",
    "b=nothing at 7",
    "a=7 at 9",
    "a given up at 15 at 15",
    "a=nothing at 16",
  ]);
});
