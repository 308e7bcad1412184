import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_WATERMARK, MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { WatermarkValve } from "#whitewater/engine/stream/watermark-valve.js";

type Emitted = number | "idle" | "active";

/** A valve that is fed in words: "25@0" a watermark, "idle 1", "active 1"; returns what came out. */
function valve(channels: number): { feed: (...inputs: readonly string[]) => readonly Emitted[]; valve: WatermarkValve } {
  let emitted: Emitted[] = [];
  const made = new WatermarkValve(channels, {
    emitWatermark: (ms) => void emitted.push(ms),
    emitIdle: (idle) => void emitted.push(idle ? "idle" : "active"),
  });
  const feed = (...inputs: readonly string[]): readonly Emitted[] => {
    emitted = [];
    for (const input of inputs) {
      const [first, second] = input.split(/[@ ]/);
      if (first === "idle" || first === "active") made.inputIdle(Number(second), first === "idle");
      else made.inputWatermark(Number(second), Number(first));
    }
    return emitted;
  };
  return { feed, valve: made };
}

describe("WatermarkValve", () => {
  it("emits the minimum over its channels, and only a greater one", () => {
    const { feed } = valve(3);
    expect(feed("25@0", "10@1")).toEqual([]);
    expect(feed("17@2")).toEqual([10]);
    expect(feed("12@0", "8@1", "15@2")).toEqual([]);
  });

  it("emits the greatest watermark, then idleness, when the last active channel that held it back goes idle", () => {
    const { feed } = valve(3);
    expect(feed("10@0", "5@1", "3@2")).toEqual([3]);
    expect(feed("idle 0", "idle 1")).toEqual([]);
    expect(feed("idle 2")).toEqual([10, "idle"]);
  });

  it("changes its own status with the last and the first channel", () => {
    const { feed, valve: made } = valve(2);
    expect(feed("idle 1")).toEqual([]);
    expect(made.idle).toBe(false);
    expect(feed("idle 0")).toEqual(["idle"]);
    expect(made.idle).toBe(true);
    expect(feed("idle 0")).toEqual([]);
    expect(feed("active 1")).toEqual(["active"]);
    expect(feed("active 0")).toEqual([]);
    expect(made.watermarkMs).toBe(MIN_WATERMARK);
  });

  it("is not held back by a channel that has to catch up", () => {
    const { feed } = valve(2);
    expect(feed("10@0", "idle 1")).toEqual([10]);
    expect(feed("20@0")).toEqual([20]);
    expect(feed("active 1", "15@1")).toEqual([]);
    expect(feed("30@0")).toEqual([30]);
    expect(feed("20@1", "25@1")).toEqual([]);
    expect(feed("31@1", "40@0")).toEqual([31]);
  });

  it("ignores watermarks of an idle channel", () => {
    const { feed } = valve(2);
    expect(feed("idle 0", "99@0", "7@1")).toEqual([7]);
    expect(feed("active 0", "9@1")).toEqual([9]);
  });

  it("lets the rest move on when the channel that held them back goes idle", () => {
    const { feed } = valve(3);
    expect(feed("5@0", "8@1", "9@2")).toEqual([5]);
    expect(feed("idle 0")).toEqual([8]);
  });

  it("emits nothing, least of all the end of time, while no channel is aligned", () => {
    const { feed } = valve(3);
    expect(feed("idle 2", "30@0", "40@1")).toEqual([30]);
    expect(feed("active 2", "idle 1", "idle 0")).toEqual([]);
    // The last one did not hold anything back: nothing to flush.
    expect(feed("idle 2")).toEqual(["idle"]);
  });

  it("ends only when every channel that is active ended", () => {
    const { feed } = valve(2);
    expect(feed(`${MAX_WATERMARK}@0`, "3@1")).toEqual([3]);
    expect(feed(`${MAX_WATERMARK}@1`)).toEqual([MAX_WATERMARK]);
  });

  it("emits rising watermarks that some channel gave, none while idle, status changes in turn", () => {
    const input = fc.tuple(fc.nat(2), fc.oneof(fc.integer({ min: 0, max: 9 }), fc.boolean()));
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40, size: "max" }), (inputs) => {
        const { feed } = valve(3);
        const given = new Set<Emitted>();
        const all: Emitted[] = [];
        for (const [channel, what] of inputs) {
          if (typeof what === "number") given.add(what);
          all.push(...feed(typeof what === "number" ? `${what}@${channel}` : `${what ? "idle" : "active"} ${channel}`));
        }
        const watermarks = all.filter((one) => typeof one === "number");
        expect(watermarks).toEqual([...new Set(watermarks)].sort((a, b) => a - b));
        expect(watermarks.every((one) => given.has(one))).toBe(true);
        let last: Emitted = "active";
        for (const one of all) {
          if (typeof one === "number") expect(last).not.toBe("idle");
          else expect(one).not.toBe(last);
          if (typeof one !== "number") last = one;
        }
      }),
    );
  });
});
