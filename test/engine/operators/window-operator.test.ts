import fc from "fast-check";
import { expect, test } from "vitest";
import { outputTag } from "#whitewater/engine/api/functions.js";
import { TumblingEventTimeWindows } from "#whitewater/engine/api/tumbling-event-time-windows.js";
import { MAX_WATERMARK, NO_TIMESTAMP } from "#whitewater/engine/base/units.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import type { Harness } from "./chain-harness.ts";
import { openChainOf } from "./chain-harness.ts";

interface Item {
  readonly key: string;
  readonly value: number;
}

const late = outputTag<Item>("late");

/** Sums per key over windows of 10 ms; emits "key@start=sum". */
function summing(latenessMs: number, withLateOutput: boolean): Harness {
  return openChainOf("window", (env) => {
    const windowed = env
      .fromElements<Item>({ key: "a", value: 1 })
      .keyBy((item) => item.key)
      .window(TumblingEventTimeWindows.of(10))
      .allowedLateness(latenessMs);
    if (withLateOutput) windowed.sideOutputLateData(late);
    const sums = windowed.aggregate(
      {
        createAccumulator: () => 0,
        add: (item, sum) => sum + item.value,
        getResult: (sum) => sum,
      },
      (sum, key, window) => `${String(key)}@${window.start}=${sum}`,
    );
    sums.rebalance().sinkTo(new DiscardingSink());
    sums.getSideOutput(late).rebalance().sinkTo(new DiscardingSink());
  });
}

const item = (value: number, key: string = "a"): Item => ({ key, value });

function contents(harness: Harness): number {
  return harness.chain.operators[0]?.keyed?.entries({ read: () => null }).length ?? -1;
}

test("a window fires once the watermark reaches its last timestamp, and carries that time", () => {
  const harness = summing(0, false);
  harness.chain.processElement(item(1), 3);
  harness.chain.processElement(item(2), 9);
  harness.chain.processElement(item(5), 10);
  harness.chain.advanceWatermark(8, 100);
  expect(harness.emitted).toEqual([]);
  harness.chain.advanceWatermark(9, 100);
  expect(harness.emitted).toEqual([["out", "a@0=3", 9]]);
  harness.chain.advanceWatermark(MAX_WATERMARK, 100);
  expect(harness.emitted).toEqual([["out", "a@0=3", 9], ["out", "a@10=5", 19]]);
  expect(contents(harness)).toBe(0);
});

test("late but allowed records fire the window again; at the cleanup time they are late", () => {
  const harness = summing(2, true);
  harness.chain.processElement(item(1), 5);
  harness.chain.advanceWatermark(9, 100);
  harness.chain.advanceWatermark(10, 100);
  harness.chain.processElement(item(10), 5);
  expect(harness.emitted).toEqual([["out", "a@0=1", 9], ["out", "a@0=11", 9]]);
  expect(contents(harness)).toBe(1);
  harness.chain.advanceWatermark(11, 100);
  expect(contents(harness)).toBe(0);
  harness.chain.processElement(item(100), 5);
  expect(harness.emitted.slice(2)).toEqual([["late", item(100), 5]]);
});

test("a record that opens a window between its end and its cleanup fires at once and is cleaned up", () => {
  const harness = summing(2, true);
  harness.chain.advanceWatermark(10, 100);
  harness.chain.processElement(item(7), 5);
  expect(harness.emitted).toEqual([["out", "a@0=7", 9]]);
  harness.chain.advanceWatermark(11, 100);
  expect(contents(harness)).toBe(0);
  expect(harness.emitted).toHaveLength(1);
});

test("without a late output late records are dropped and counted", () => {
  const harness = summing(0, false);
  harness.chain.advanceWatermark(9, 100);
  harness.chain.processElement(item(1), 9);
  harness.chain.processElement(item(1), 10);
  expect(harness.process.points(TRACE.recordDropped)).toEqual([{ kind: TRACE.recordDropped, x: 9, y: 0 }]);
  expect(contents(harness)).toBe(1);
});

test("keys and windows are kept apart, negative timestamps included", () => {
  const harness = summing(0, false);
  harness.chain.processElement(item(1, "a"), -1);
  harness.chain.processElement(item(2, "b"), -10);
  harness.chain.processElement(item(4, "a"), 0);
  harness.chain.advanceWatermark(MAX_WATERMARK, 100);
  expect(harness.emitted.map(([, value]) => value).toSorted()).toEqual(["a@-10=1", "a@0=4", "b@-10=2"]);
});

test("firing is cut into slices of the timer budget, with the same result", () => {
  const harness = summing(0, false);
  for (let key = 0; key < 7; key++) harness.chain.processElement(item(key, `k${key}`), 5);
  let calls = 1;
  while (!harness.chain.advanceWatermark(9, 3)) calls += 1;
  expect(calls).toBe(3);
  expect(new Set(harness.emitted.map(([, value]) => value)).size).toBe(7);
  expect(harness.process.points(TRACE.timerFired)).toHaveLength(7);
});

test("a restored watermark is not taken back by sources that begin anew", () => {
  const harness = summing(0, true);
  const backend = harness.chain.operators[0]?.keyed;
  if (backend === null || backend === undefined) throw new Error("windows are keyed");
  backend.watermarkMs = 20;
  harness.chain.advanceWatermark(5, 100);
  expect(backend.watermarkMs).toBe(20);
  harness.chain.processElement(item(1), 7);
  expect(harness.emitted).toEqual([["late", item(1), 7]]);
});

test("a record without a timestamp is refused with a reason", () => {
  const harness = summing(0, false);
  expect(() => harness.chain.processElement(item(1), NO_TIMESTAMP)).toThrow(/"window" got a record without a timestamp/);
});

test("whatever the order of records and watermarks: each record is in exactly one final sum or late", () => {
  const step = fc.oneof(
    fc.record({ at: fc.integer({ min: -30, max: 60 }), key: fc.constantFrom("a", "b") }),
    fc.record({ watermark: fc.integer({ min: -30, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 2, 15), (steps, latenessMs) => {
      const harness = summing(latenessMs, true);
      let watermark = Number.MIN_SAFE_INTEGER;
      let records = 0;
      const expectedLate: number[] = [];
      for (const one of steps) {
        if ("watermark" in one) {
          watermark = Math.max(watermark, one.watermark);
          harness.chain.advanceWatermark(watermark, 100);
          continue;
        }
        const end = Math.floor(one.at / 10) * 10 + 9;
        if (end + latenessMs <= watermark) expectedLate.push(one.at);
        else records += 1;
        harness.chain.processElement(item(1, one.key), one.at);
      }
      harness.chain.advanceWatermark(MAX_WATERMARK, 1000);
      const last = new Map<string, number>();
      for (const [output, value] of harness.emitted) {
        if (output !== "out") continue;
        const [pane = "", sum = ""] = String(value).split("=");
        expect(Number(sum)).toBeGreaterThan(last.get(pane) ?? 0);
        last.set(pane, Number(sum));
      }
      expect([...last.values()].reduce((left, right) => left + right, 0)).toBe(records);
      expect(harness.emitted.flatMap(([output, , at]) => (output === "late" ? [at] : []))).toEqual(expectedLate);
      expect(contents(harness)).toBe(0);
    }),
    { numRuns: 200 },
  );
});
