import { expect, it } from "vitest";
import { windowStart } from "#whitewater/engine/stream/tumbling-windows.js";

const vectors: readonly (readonly [number, number, number, number])[] = [
  ...[[-8, -14], [-7, -7], [-6, -7], [-1, -7], [1, 0], [6, 0], [7, 7], [8, 7]].map(([ts, start]) => [ts!, 0, 7, start!] as const),
  ...[[-10, -11], [-9, -11], [-3, -4], [-1, -4], [2, -4], [3, 3], [9, 3], [10, 10]].map(([ts, start]) => [ts!, 3, 7, start!] as const),
  ...[[-12, -16], [-7, -9], [-4, -9], [-3, -9], [-2, -2], [2, -2], [-4, -9], [7, 5], [12, 12]].map(([ts, start]) => [ts!, -2, 7, start!] as const),
  [1470902048450, -8 * 3600_000, 24 * 3600_000, 1470844800000],
];

it.each(vectors)("timestamp %i with offset %i and size %i lies in the window that starts at %4$i", (ts, offset, size, start) => {
  expect(windowStart(ts, offset, size)).toBe(start);
});

it("gives no -0 as a start", () => {
  expect(Object.is(windowStart(0, 0, 7), 0)).toBe(true);
  expect(Object.is(windowStart(-0, 0, 7), 0)).toBe(true);
});
