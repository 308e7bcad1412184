import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { viewOf, xxh32 } from "#whitewater/engine/base/xxh32.js";

function of(text: string, seed = 0): number {
  const bytes = new TextEncoder().encode(text);
  return xxh32(viewOf(bytes), 0, bytes.length, seed);
}

describe("xxh32", () => {
  it("gives the known values", () => {
    expect(of("")).toBe(0x02cc5d05);
    expect(of("a")).toBe(0x550d7456);
    expect(of("abc")).toBe(0x32d153ff);
    expect(of("Nobody inspects the spammish repetition")).toBe(0xe2293b2f);
  });

  it("does not depend on where the bytes lie", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70, size: "max" }), fc.nat(9), fc.integer(), (bytes, start, seed) => {
        const moved = new Uint8Array(start + bytes.length + 3).fill(0xaa);
        moved.set(bytes, start);
        expect(xxh32(viewOf(moved), start, start + bytes.length, seed)).toBe(xxh32(viewOf(bytes), 0, bytes.length, seed));
      }),
    );
  });

  it("notices any damage to one word, and any bit or two of a block", () => {
    const bytes = Uint8Array.from({ length: 2100 }, (_, i) => Math.imul(i, 2654435761) >>> 22);
    const view = viewOf(bytes);
    const intact = xxh32(view, 0, bytes.length, 7);
    fc.assert(
      fc.property(fc.nat(2100 / 4 - 1), fc.integer({ min: 1, max: 0xffffffff }), (word, damage) => {
        view.setUint32(word * 4, view.getUint32(word * 4) ^ damage);
        expect(xxh32(view, 0, bytes.length, 7)).not.toBe(intact);
        view.setUint32(word * 4, view.getUint32(word * 4) ^ damage);
      }),
    );
    const flip = (bit: number): void => {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    };
    for (let first = 0; first < bytes.length * 8; first += 97) {
      for (const distance of [1, 8, 31, 32, 127, 128, 512, 4096]) {
        const second = (first + distance) % (bytes.length * 8);
        flip(first);
        flip(second);
        expect(xxh32(view, 0, bytes.length, 7)).not.toBe(intact);
        flip(first);
        flip(second);
      }
    }
  });
});
