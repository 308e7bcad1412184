import { FileSealer, handleOf, openFile } from "#whitewater/engine/checkpoint/checksummed-file.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const file = new FileSealer().seal("WWS1", { operators: [{ uid: "sum", lists: new Uint8Array([1, 2, 3]) }] });
const handle = handleOf("chk-1/v0-s0-a1", file);

describe("a checkpoint file", () => {
  test("gives back what was put in", () => {
    expect(openFile("WWS1", file, handle)).toEqual({
      ok: true,
      value: { operators: [{ uid: "sum", lists: new Uint8Array([1, 2, 3]) }] },
    });
  });

  test("is refused after any single flipped bit", () => {
    fc.assert(
      fc.property(fc.nat(file.length * 8 - 1), (bit) => {
        const damaged = file.slice();
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(openFile("WWS1", damaged, handle).ok).toBe(false);
      }),
    );
  });

  test("is refused after any truncation", () => {
    for (let length = 0; length < file.length; length += 1) {
      expect(openFile("WWS1", file.subarray(0, length), handle).ok).toBe(false);
    }
  });

  test("is not mistaken for another intact file of the same length", () => {
    const other = new FileSealer().seal("WWS1", { operators: [{ uid: "sum", lists: new Uint8Array([1, 2, 4]) }] });
    expect(other.length).toBe(file.length);
    const opened = openFile("WWS1", other, handle);
    expect(opened).toEqual({ ok: false, reason: "chk-1/v0-s0-a1: checksum differs" });
  });

  test("is not mistaken for a file of another kind", () => {
    const opened = openFile("WWM1", file, handle);
    expect(opened).toEqual({ ok: false, reason: "chk-1/v0-s0-a1: not a WWM1 file" });
  });
});
