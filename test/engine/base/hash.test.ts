import { describe, expect, it } from "vitest";
import { javaHash, murmurHash } from "#whitewater/engine/base/hash.js";
import type { Key } from "#whitewater/engine/base/hash.js";

const LONG_MAX = 9223372036854775807n;
const LONG_MIN = -9223372036854775808n;

describe("javaHash", () => {
  const vectors: readonly (readonly [Key, number])[] = [
    [0, 0],
    ["", 0],
    [0n, 0],
    [-1n, 0],
    [1, 1],
    [1n, 1],
    [4294967296n, 1],
    [4294967296, 1],
    [42, 42],
    [42n, 42],
    [-1, -1],
    [-4294967296n, -1],
    [-4294967296, -1],
    [2147483647, 2147483647],
    [-2147483648, -2147483648],
    [LONG_MAX, -2147483648],
    [LONG_MIN, -2147483648],
    ["b", 98],
    ["1", 49],
    ["key-1", 101943363],
    ["key-2", 101943364],
    ["hello", 99162322],
    ["flink", 97520992],
    ["😀", 1772899],
    [1234567890123n, 1912276436],
    [1234567890123, 1912276436],
  ];
  it.each(vectors)("hashes %s as Flink's vectors say", (key, hash) => {
    expect(javaHash(key)).toBe(hash);
  });

  it("hashes booleans, doubles, lists and big integers as Java does", () => {
    expect(javaHash(true)).toBe(1231);
    expect(javaHash(false)).toBe(1237);
    expect(javaHash(1.5)).toBe(0x3ff80000);
    expect(javaHash(0.1)).toBe(0x3fb99999 ^ 0x9999999a);
    expect(javaHash(NaN)).toBe(0x7ff80000);
    expect(javaHash(Infinity)).toBe(0x7ff00000);
    expect(javaHash([])).toBe(1);
    expect(javaHash(["a", 1])).toBe((31 * (31 + 97) + 1) | 0);
    expect(javaHash([["a"], 2n])).toBe(31 * (31 + (31 + 97)) + 2);
    // 2^64: magnitude words 1, 0, 0.
    expect(javaHash(18446744073709551616n)).toBe(961);
    expect(javaHash(-18446744073709551616n)).toBe(-961);
  });

  it("takes -0 for 0", () => {
    expect(Object.is(javaHash(-0), 0)).toBe(true);
  });
});

describe("murmurHash", () => {
  it.each([
    [0, 593689054],
    [1, 68075478],
    [3, 847579505],
    [4, 1889779975],
    [10, 848998979],
    [42, 1134849565],
    [1000, 3506311],
    [-1, 1982413648],
    [2147483647, 1653689534],
    [-2147483648, 1718298732],
    [98, 516420758],
    [101943363, 23124534],
    [1912276436, 1151597916],
  ])("of %i is %i", (code, murmur) => {
    expect(murmurHash(code)).toBe(murmur);
  });
});
