import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { javaHash } from "#whitewater/engine/base/hash.js";
import type { Key } from "#whitewater/engine/base/hash.js";
import {
  defaultMaxParallelism,
  keyGroupOf,
  keyGroupOfHash,
  keyGroupRange,
  subtaskOfKeyGroup,
} from "#whitewater/engine/stream/key-groups.js";

describe("keyGroupOf", () => {
  const vectors: readonly (readonly [Key, number, number, string])[] = [
    [0, 94, 31198, "1/2/2"],
    ["", 94, 31198, "1/2/2"],
    [-1n, 94, 31198, "1/2/2"],
    [1, 86, 16342, "1/2/2"],
    [4294967296, 86, 16342, "1/2/2"],
    [3, 113, 2417, "1/2/3"],
    [4, 7, 16647, "0/0/0"],
    [10, 67, 12867, "1/1/2"],
    [42, 29, 28189, "0/0/0"],
    [42n, 29, 28189, "0/0/0"],
    [1000, 7, 135, "0/0/0"],
    [-1, 80, 15184, "1/1/2"],
    [-4294967296n, 80, 15184, "1/1/2"],
    [2147483647, 62, 19646, "0/1/1"],
    [-2147483648, 108, 10348, "1/2/3"],
    [9223372036854775807n, 108, 10348, "1/2/3"],
    [-9223372036854775808n, 108, 10348, "1/2/3"],
    ["b", 22, 29846, "0/0/0"],
    ["1", 54, 16054, "0/1/1"],
    ["key-1", 54, 23094, "0/1/1"],
    ["key-2", 126, 21758, "1/2/3"],
    ["hello", 35, 31395, "0/0/1"],
    ["flink", 98, 16610, "1/2/3"],
    ["😀", 54, 7350, "0/1/1"],
    [1234567890123n, 92, 32092, "1/2/2"],
  ];
  it.each(vectors)("puts %s where Flink does", (key, of128, of32768, operators) => {
    expect(keyGroupOf(key, 128)).toBe(of128);
    expect(keyGroupOf(key, 32768)).toBe(of32768);
    expect(keyGroupOfHash(javaHash(key), 128)).toBe(of128);
    expect([2, 3, 4].map((parallelism) => subtaskOfKeyGroup(of128, 128, parallelism)).join("/")).toBe(operators);
  });

  it("agrees with Flink's rescaling test for RocksDB (10 key groups)", () => {
    const keys = ["8", "5", "25", "13", "4", "7", "1", "6", "9", "3"];
    expect(keys.map((key) => keyGroupOf(key, 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("keyGroupRange", () => {
  it.each([
    [128, 3, "0-42 43-85 86-127"],
    [128, 4, "0-31 32-63 64-95 96-127"],
    [128, 5, "0-25 26-51 52-76 77-102 103-127"],
    [10, 3, "0-3 4-6 7-9"],
    [10, 4, "0-2 3-4 5-7 8-9"],
    [7, 2, "0-3 4-6"],
  ])("splits %i key groups over %i subtasks as Flink does", (maxParallelism, parallelism, ranges) => {
    const actual = Array.from({ length: parallelism }, (_, index) => keyGroupRange(maxParallelism, parallelism, index));
    expect(actual.map(({ start, end }) => `${start}-${end}`).join(" ")).toBe(ranges);
  });

  it("gives each key group to the subtask that subtaskOfKeyGroup names", () => {
    expect(Array.from({ length: 10 }, (_, keyGroup) => subtaskOfKeyGroup(keyGroup, 10, 4))).toEqual([
      0, 0, 0, 1, 1, 2, 2, 2, 3, 3,
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32768 }), fc.nat(), fc.nat(), (maxParallelism, p, kg) => {
        const parallelism = 1 + (p % maxParallelism);
        const keyGroup = kg % maxParallelism;
        const { start, end } = keyGroupRange(maxParallelism, parallelism, subtaskOfKeyGroup(keyGroup, maxParallelism, parallelism));
        expect(start <= keyGroup && keyGroup <= end).toBe(true);
      }),
    );
  });

  it("refuses a parallelism above the maximum", () => {
    expect(() => keyGroupRange(4, 5, 0)).toThrow("max parallelism");
  });
});

describe("defaultMaxParallelism", () => {
  it.each([
    [1, 128],
    [85, 128],
    [86, 256],
    [171, 256],
    [172, 512],
    [1000, 2048],
    [21845, 32768],
    [32768, 32768],
  ])("of %i is %i", (parallelism, maxParallelism) => {
    expect(defaultMaxParallelism(parallelism)).toBe(maxParallelism);
  });
});
