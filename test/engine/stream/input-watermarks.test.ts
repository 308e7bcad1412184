import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_WATERMARK, MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { CombinedWatermark } from "#whitewater/engine/stream/combined-watermark.js";
import { inputWatermarks } from "#whitewater/engine/stream/input-watermarks.js";

type Emitted = number | "idle" | "active";

/** Channels 0 and 1 feed the first input, 2 and 3 the second. Fed in words: "25@0", "idle 1", "active 1". */
function twoInputs(): (...inputs: readonly string[]) => readonly Emitted[] {
  let emitted: Emitted[] = [];
  const made = inputWatermarks([0, 0, 1, 1], {
    emitWatermark: (ms) => void emitted.push(ms),
    emitIdle: (idle) => void emitted.push(idle ? "idle" : "active"),
  });
  return (...inputs) => {
    emitted = [];
    for (const input of inputs) {
      const [first, second] = input.split(/[@ ]/);
      if (first === "idle" || first === "active") made.inputIdle(Number(second), first === "idle");
      else made.inputWatermark(Number(second), first === "MAX" ? MAX_WATERMARK : Number(first));
    }
    return emitted;
  };
}

describe("the watermark of two inputs", () => {
  it("is the least of both, each the least of its channels", () => {
    const feed = twoInputs();
    expect(feed("20@0", "10@1", "5@2")).toEqual([]);
    expect(feed("30@3")).toEqual([5]);
    expect(feed("25@2")).toEqual([10]);
    expect(feed("21@1")).toEqual([20]);
  });

  it("[derived from Flink] does not wait for an input that is idle, and takes it up again when it has caught up", () => {
    const feed = twoInputs();
    expect(feed("10@0", "10@1", "4@2", "4@3")).toEqual([4]);
    // The second input is idle: the first alone counts.
    expect(feed("idle 2", "idle 3")).toEqual([10]);
    expect(feed("20@0", "20@1")).toEqual([20]);
    // It comes back behind the operator's watermark, which stays, and holds it there until it has caught up.
    expect(feed("active 2", "5@2", "30@0", "30@1")).toEqual([]);
    expect(feed("22@2")).toEqual([22]);
    expect(feed("50@2")).toEqual([30]);
  });

  it("is idle only when both inputs are", () => {
    const feed = twoInputs();
    expect(feed("10@0", "10@1", "10@2", "10@3")).toEqual([10]);
    expect(feed("idle 0", "idle 1")).toEqual([]);
    expect(feed("idle 3")).toEqual([]);
    expect(feed("idle 2")).toEqual(["idle"]);
    expect(feed("active 1")).toEqual(["active"]);
  });

  it("emits what the input that goes idle held back, then what the other one says alone", () => {
    const feed = twoInputs();
    expect(feed("30@0", "10@1", "20@2", "20@3")).toEqual([10]);
    // The first input's valve gives its greatest watermark, 30; the least of both is then 20.
    expect(feed("idle 0", "idle 1")).toEqual([20]);
    expect(feed("40@2", "40@3")).toEqual([40]);
  });

  it("follows the other input once one has ended", () => {
    const feed = twoInputs();
    expect(feed("10@0", "10@1", "MAX@2", "MAX@3")).toEqual([10]);
    expect(feed("15@0", "17@1")).toEqual([15]);
    expect(feed("MAX@0")).toEqual([17]);
    expect(feed("MAX@1")).toEqual([MAX_WATERMARK]);
  });
});

describe("CombinedWatermark", () => {
  it("[derived from Flink] an input that gives a watermark is not idle any more", () => {
    const combined = new CombinedWatermark(2);
    expect(combined.updateWatermark(0, 10)).toBe(false);
    expect(combined.updateIdle(1, true)).toBe(true);
    expect(combined.watermarkMs).toBe(10);
    expect(combined.updateWatermark(1, 5)).toBe(false);
    expect(combined.updateWatermark(0, 20)).toBe(false);
    expect(combined.updateWatermark(1, 12)).toBe(true);
    expect(combined.watermarkMs).toBe(12);
  });

  it("only grows, and equals the least of the active inputs whenever that is more than before (seed 1803)", () => {
    const update = fc.record({ input: fc.nat(2), watermark: fc.option(fc.nat(50)), idle: fc.boolean() });
    const property = fc.property(fc.array(update, { maxLength: 40 }), (updates) => {
      const combined = new CombinedWatermark(3);
      const inputs = [0, 1, 2].map(() => ({ ms: MIN_WATERMARK, idle: false }));
      let last = MIN_WATERMARK;
      for (const { input, watermark, idle } of updates) {
        const model = inputs[input] ?? { ms: 0, idle };
        const rose = watermark === null ? combined.updateIdle(input, idle) : combined.updateWatermark(input, watermark);
        model.idle = watermark === null ? idle : false;
        if (watermark !== null) model.ms = Math.max(model.ms, watermark);
        const active = inputs.filter((one) => !one.idle);
        const least = active.length === 0 ? MIN_WATERMARK : Math.min(...active.map(({ ms }) => ms));
        expect(rose).toBe(least > last);
        last = Math.max(last, least);
        expect(combined.watermarkMs).toBe(last);
        expect(combined.idle).toBe(active.length === 0);
      }
    });
    fc.assert(property, { seed: 1803, numRuns: 300 });
  });
});
