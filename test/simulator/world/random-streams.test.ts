import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

function draws(streams: RandomStreams, label: string, count: number): number[] {
  const stream = streams.stream(label);
  return Array.from({ length: count }, () => stream.below(1000));
}

describe("random streams", () => {
  test("give the same numbers for the same seed and label, whatever else was drawn", () => {
    const alone = draws(new RandomStreams("7"), "net", 20);
    const streams = new RandomStreams("7");
    draws(streams, "disk", 13);
    expect(draws(streams, "net", 20)).toEqual(alone);
  });

  test("differ between labels and between seeds", () => {
    expect(draws(new RandomStreams("7"), "net", 20)).not.toEqual(draws(new RandomStreams("7"), "disk", 20));
    expect(draws(new RandomStreams("7"), "net", 20)).not.toEqual(draws(new RandomStreams("8"), "net", 20));
  });

  test("draw nothing for a forced choice", () => {
    const streams = new RandomStreams("7");
    const stream = streams.stream("net");
    for (let i = 0; i < 5; i += 1) expect(stream.below(1)).toBe(0);
    expect(draws(streams, "net", 20)).toEqual(draws(new RandomStreams("7"), "net", 20));
  });

  test("stay below their bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.string(), (bound, seed) => {
        const value = new RandomStreams(seed).stream("x").below(bound);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(bound);
      }),
    );
  });

  test("go on as with the new seed after a reseed", () => {
    const streams = new RandomStreams("7");
    draws(streams, "net", 3);
    streams.reseed("8");
    expect(draws(streams, "net", 20)).toEqual(draws(new RandomStreams("8"), "net", 20));
  });
});
