import { describe, expect, it } from "vitest";
import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import {
  AscendingTimestampsWatermarks,
  BoundedOutOfOrdernessWatermarks,
  PartitionWatermarks,
} from "#whitewater/engine/stream/watermark-generators.js";

describe("watermark generators", () => {
  it("stay behind the greatest timestamp by the bound and one", () => {
    const generator = new BoundedOutOfOrdernessWatermarks(5);
    expect(generator.currentWatermarkMs()).toBe(MIN_WATERMARK);
    const watermarks = [10, 7, 20].map((timestampMs) => {
      generator.onEvent(timestampMs);
      return generator.currentWatermarkMs();
    });
    expect(watermarks).toEqual([4, 4, 14]);
  });

  it("do not fall below the least watermark", () => {
    const generator = new BoundedOutOfOrdernessWatermarks(1_000_000);
    generator.onEvent(MIN_WATERMARK + 10);
    expect(generator.currentWatermarkMs()).toBe(MIN_WATERMARK);
  });

  it("of ascending timestamps are one behind", () => {
    const generator = new AscendingTimestampsWatermarks();
    generator.onEvent(7);
    expect(generator.currentWatermarkMs()).toBe(6);
  });
});

function partitions(ids: readonly number[], idleAfterMs: number | null): PartitionWatermarks {
  return new PartitionWatermarks({ createGenerator: () => new AscendingTimestampsWatermarks(), idleAfterMs }, ids, 1000);
}

describe("PartitionWatermarks", () => {
  it("take the minimum over the partitions, and wait for one without records", () => {
    const watermarks = partitions([1, 4], null);
    watermarks.recordsFrom(1, 1000).onEvent(50);
    expect(watermarks.watermarkMs(1000)).toBe(MIN_WATERMARK);
    watermarks.recordsFrom(4, 1001).onEvent(30);
    expect(watermarks.watermarkMs(1001)).toBe(29);
    expect(watermarks.isIdle(1e12)).toBe(false);
  });

  it("leave out a partition that gave no record for longer than the timeout, until it does", () => {
    const watermarks = partitions([0, 1], 100);
    watermarks.recordsFrom(0, 1050).onEvent(50);
    expect(watermarks.watermarkMs(1100)).toBe(MIN_WATERMARK);
    expect(watermarks.watermarkMs(1101)).toBe(49);
    watermarks.recordsFrom(1, 1110).onEvent(20);
    // Never back, whatever the late partition says.
    expect(watermarks.watermarkMs(1110)).toBe(49);
    watermarks.recordsFrom(0, 1120).onEvent(80);
    expect(watermarks.watermarkMs(1120)).toBe(49);
    watermarks.recordsFrom(1, 1130).onEvent(60);
    expect(watermarks.watermarkMs(1130)).toBe(59);
  });

  it("stay where they are when every partition is idle", () => {
    const watermarks = partitions([0], 100);
    watermarks.recordsFrom(0, 1000).onEvent(50);
    expect(watermarks.watermarkMs(1000)).toBe(49);
    expect([watermarks.isIdle(1100), watermarks.isIdle(1101)]).toEqual([false, true]);
    expect(watermarks.watermarkMs(5000)).toBe(49);
  });

  it("give no watermark and idleness, not the end of time, where there is no partition", () => {
    const watermarks = partitions([], null);
    expect(watermarks.watermarkMs(1000)).toBe(MIN_WATERMARK);
    expect(watermarks.isIdle(1000)).toBe(true);
  });

  it("are not held back by a partition that ended", () => {
    const watermarks = partitions([0, 1], null);
    watermarks.recordsFrom(0, 1000).onEvent(50);
    watermarks.onEnded(1);
    expect(watermarks.watermarkMs(1000)).toBe(49);
    watermarks.onEnded(0);
    expect(watermarks.watermarkMs(1000)).toBe(49);
    expect(watermarks.isIdle(1000)).toBe(true);
    expect(() => watermarks.recordsFrom(0, 1001).onEvent(60)).toThrow("have not ended");
  });
});
