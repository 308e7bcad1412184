import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visible } from "#whitewater/reports/text/visible.js";
import { valueText } from "#whitewater/reports/views/value-text.js";

class Flight {
  readonly to = "ORD";
}

describe("a value on one line", () => {
  test.each<[unknown, string]>([
    [0, "0"],
    [-0, "-0"],
    [Number.NaN, "NaN"],
    [Infinity, "Infinity"],
    [1n, "1n"],
    [null, "null"],
    [undefined, "undefined"],
    ["a\"b", '"a\\"b"'],
    ["\u001b[31m\u202e", '"\\u001b[31m\\u{202e}"'],
    [[1, [2, []]], "[1, [2, []]]"],
    [{ b: 1, a: "x", "a b": -0 }, '{a: "x", "a b": -0, b: 1}'],
    [new Map<unknown, unknown>([["k", 1], [2n, null]]), 'Map(2){"k" => 1, 2n => null}'],
    [new Set([1, "1"]), 'Set(2){1, "1"}'],
    [new Date(0), "Date(1970-01-01T00:00:00.000Z)"],
    [new Date(Number.NaN), "Date(invalid)"],
    [Uint8Array.of(0, 255), "<2 bytes: 00 ff>"],
    [new Uint8Array(0), "<0 bytes>"],
    [new Flight(), 'Flight {to: "ORD"}'],
    [Object.create(null), "{}"],
    [() => 1, "<function>"],
    [{ a: { b: { c: { d: 1 } } } }, "{a: {b: {c: {d: 1}}}}"],
    [{ a: { b: { c: { d: { e: 1 } } } } }, "{a: {b: {c: {d: …}}}}"],
  ])("%o", (value, text) => expect(valueText(value)).toBe(text));

  test("is bounded in length, in members and in depth, and says where it is cut", () => {
    expect(valueText("x".repeat(1_000_000))).toHaveLength(160);
    expect(valueText("x".repeat(1_000_000)).endsWith("…")).toBe(true);
    expect(valueText([1, 2, 3, 4], { members: 3 })).toBe("[1, 2, 3, …]");
    expect(valueText(new Uint8Array(1_000), { members: 2 })).toBe("<1000 bytes: 00 00 …>");
    const loop: unknown[] = [];
    loop.push(loop);
    expect(valueText(loop)).toBe("[[[[…]]]]");
  });

  test("cuts no character in two", () => {
    for (let length = 4; length < 12; length += 1) expect(valueText("😀😀😀😀", { length })).not.toMatch(/\p{Surrogate}/u);
  });

  test("has one text for values that are equal, whatever the order of their properties", () => {
    expect(valueText({ a: 1, b: { d: 1, c: 2 } })).toBe(valueText({ b: { c: 2, d: 1 }, a: 1 }));
  });

  test("is visible, and no longer than it may be, for whatever a job may keep", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }), fc.integer({ min: 1, max: 200 }), (value, length) => {
        const text = valueText(value, { length });
        expect(text.length).toBeLessThanOrEqual(length);
        expect(visible(text)).toBe(text);
      }),
    );
  });
});
