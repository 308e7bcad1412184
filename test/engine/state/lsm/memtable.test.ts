import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyHash } from "#whitewater/engine/state/backends/lsm/bloom-filter.js";
import { Memtable, type MemtableCursor } from "#whitewater/engine/state/backends/lsm/memtable.js";
import { bytes, text } from "./store-fixture.ts";

function walked(cursor: MemtableCursor, from = ""): string[] {
  const found: string[] = [];
  for (let isMore = cursor.seek(bytes(from)); isMore; isMore = cursor.next()) {
    const key = text(cursor.key.slice(cursor.keyStart, cursor.keyStart + cursor.keyLength));
    const value = text(cursor.valueSource.slice(cursor.valueStart, cursor.valueStart + Math.max(0, cursor.valueLength)));
    found.push(cursor.valueLength < 0 ? `${key}!` : `${key}=${value}`);
  }
  return found;
}

describe("a memtable", () => {
  it("shows each moment that was pinned, in order, whatever is written afterwards", () => {
    const write = fc.record({
      key: fc.string({ maxLength: 3, unit: fc.constantFrom("a", "b", "\0", "ÿ") }),
      value: fc.option(fc.string({ maxLength: 4, unit: fc.constantFrom("x", "y") }), { nil: null }),
      pins: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
        const memtable = new Memtable();
        const model = new Map<string, string | null>();
        const moments: { readonly sequence: number; readonly model: ReadonlyMap<string, string | null> }[] = [];
        for (const { key, value, pins } of writes) {
          memtable.put(bytes(key), value === null ? null : bytes(value));
          model.set(key, value);
          if (pins) moments.push({ sequence: memtable.pin(), model: new Map(model) });
        }
        moments.push({ sequence: memtable.sequence, model });
        for (const { sequence, model: seen } of moments) {
          const keys = Array.from(seen.keys()).sort();
          const expected = keys.map((key) => (seen.get(key) === null ? `${key}!` : `${key}=${seen.get(key)}`));
          expect(walked(memtable.cursor(sequence))).toEqual(expected);
          expect(walked(memtable.cursor(sequence), "b")).toEqual(expected.filter((row) => row >= "b"));
          for (const key of model.keys()) {
            const found = memtable.get(bytes(key), keyHash(bytes(key), 0, bytes(key).length), sequence);
            expect(found === undefined ? undefined : text(found)).toBe(seen.get(key));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps no older version that no pin may need", () => {
    const memtable = new Memtable();
    memtable.put(bytes("k"), bytes("v"));
    const before = memtable.sizeBytes;
    for (let i = 0; i < 1000; i++) memtable.put(bytes("k"), bytes(""));
    expect(memtable.sizeBytes).toBe(before);
    for (let i = 0; i < 1000; i++) {
      memtable.pin();
      memtable.put(bytes("k"), bytes(""));
    }
    expect(memtable.sizeBytes).toBe(before + 16_000);
  });

  it("goes on in order when a cursor stands in it and rows are written around", () => {
    const memtable = new Memtable();
    for (const key of ["b", "d", "f"]) memtable.put(bytes(key), bytes("1"));
    const cursor = memtable.cursor(memtable.pin());
    expect(cursor.seek(bytes(""))).toBe(true);
    for (let i = 0; i < 2000; i++) memtable.put(bytes(`c${i}`), bytes("2".repeat(10)));
    memtable.put(bytes("d"), null);
    expect([cursor.next(), text(cursor.key.slice(cursor.keyStart, cursor.keyStart + cursor.keyLength))]).toEqual([true, "d"]);
    expect(cursor.valueLength).toBe(1);
    expect([cursor.next(), cursor.next()]).toEqual([true, false]);
  });
});
