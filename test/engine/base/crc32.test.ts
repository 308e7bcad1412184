import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "#whitewater/engine/base/crc32.js";

function bitwise(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe("crc32", () => {
  it("gives the standard check value", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it("agrees with the bit-by-bit definition for every length and range", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70, size: "max" }), fc.nat(70), fc.nat(70), (bytes, a, b) => {
        const start = Math.min(a, bytes.length);
        const end = Math.max(start, Math.min(b, bytes.length));
        expect(crc32(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)));
      }),
    );
  });

  it("agrees with it for long ranges too, wherever they begin, and when they come in two pieces", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 480, max: 1100 }), fc.nat(1100), fc.nat(), (start, length, cut, seed) => {
        const bytes = Uint8Array.from({ length: start + length + 3 }, (_, i) => Math.imul(i + seed, 2654435761) >>> 21);
        const end = start + length;
        const middle = Math.min(end, start + cut);
        const expected = bitwise(bytes.subarray(start, end));
        expect(crc32(bytes, start, end)).toBe(expected);
        expect(crc32(bytes, middle, end, crc32(bytes, start, middle))).toBe(expected);
        // Bytes that lie somewhere in a larger buffer.
        expect(crc32(bytes.subarray(start, end))).toBe(expected);
      }),
    );
  });
});
