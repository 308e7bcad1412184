import { describe, expect, it } from "vitest";
import { pickCompaction, type CompactionInputs } from "#whitewater/engine/state/backends/lsm/compaction-picker.js";
import { settingsOf } from "#whitewater/engine/state/backends/lsm/lsm-options.js";
import { Table } from "#whitewater/engine/state/backends/lsm/table.js";
import { LEVELS, Version } from "#whitewater/engine/state/backends/lsm/version.js";
import { MemoryDisk } from "../memory-disk.ts";
import { bytes, settle, text, tiny } from "./store-fixture.ts";

const settings = settingsOf({ disk: new MemoryDisk(), directory: "/s", storeId: "s", levelZeroTables: 3, levelOneBytes: 100 });
const NOTHING: Uint8Array[] = Array.from({ length: LEVELS }, () => new Uint8Array(0));

function table(number: number, range: string, sizeBytes = 40): Table {
  const [smallest, largest] = [bytes(range[0]!), bytes(range[1]!)];
  return new Table("/s", { number, fileName: `${number}.table`, sizeBytes, smallest, largest, rows: 1, tombstones: 0, storeHash: 0, originNumber: number }, true);
}

function version(...levels: Table[][]): Version {
  return new Version(Array.from({ length: LEVELS }, (_, level) => levels[level] ?? []));
}

function picked(inputs: CompactionInputs | null): unknown {
  const numbers = (tables: readonly Table[]): number[] => tables.map(({ number }) => number);
  return inputs === null ? null : [inputs.level, numbers(inputs.upper), numbers(inputs.lower)];
}

describe("the next compaction", () => {
  it("is none while no level is too full", () => {
    expect(pickCompaction(Version.empty(), settings, NOTHING)).toBeNull();
    expect(pickCompaction(version([table(2, "ad"), table(1, "ad")], [table(3, "az", 100)]), settings, NOTHING)).toBeNull();
  });

  it("takes the oldest table of level 0 and all that overlap it, one by way of another", () => {
    const tables = [table(5, "pq"), table(4, "ef"), table(3, "ce"), table(2, "xz"), table(1, "ac")];
    const below = [table(6, "bb", 1), table(7, "fg", 1), table(8, "hi", 1)];
    expect(picked(pickCompaction(version(tables, below), settings, NOTHING))).toEqual([0, [4, 3, 1], [6, 7]]);
  });

  it("takes the fullest level in proportion, and its tables in turn", () => {
    const levels = version([table(1, "az"), table(2, "az"), table(3, "az")], [table(4, "ab", 200), table(5, "cd", 200)], [table(6, "bc")]);
    expect(picked(pickCompaction(levels, settings, NOTHING))).toEqual([1, [4], [6]]);
    const compactedTo = NOTHING.with(1, bytes("b"));
    expect(picked(pickCompaction(levels, settings, compactedTo))).toEqual([1, [5], [6]]);
    expect(picked(pickCompaction(levels, settings, NOTHING.with(1, bytes("d"))))).toEqual([1, [4], [6]]);
  });

  it("never leads below the last level", () => {
    const levels = version(...Array.from({ length: LEVELS - 1 }, () => []), [table(1, "az", 1e12)]);
    expect(pickCompaction(levels, settings, NOTHING)).toBeNull();
  });
});

describe("a compaction with a filter", () => {
  it("counts rows that the filter takes apart from tombstones that are dropped for good", () => {
    const drops = (key: Uint8Array): boolean => text(key)!.startsWith("old");
    const store = tiny(new MemoryDisk(), { filter: drops });
    for (let i = 0; i < 400; i++) store.put(bytes(`old${1000 + (i % 100)}`), bytes("x".repeat(20)));
    store.flush();
    settle(store);
    const filtered = store.stats();
    expect(filtered.rowsFiltered).toBeGreaterThan(0);
    expect(filtered.tombstonesDropped).toBe(0);
    for (let i = 0; i < 100; i++) store.put(bytes(`new${1000 + i}`), bytes("x".repeat(20)));
    for (let i = 0; i < 100; i++) store.delete(bytes(`new${1000 + i}`));
    for (let i = 0; i < 400; i++) store.put(bytes(`nex${1000 + (i % 50)}`), bytes("x".repeat(20)));
    store.flush();
    settle(store);
    expect(store.stats().tombstonesDropped).toBeGreaterThan(0);
    store.close();
  });
});

describe("a version", () => {
  it("keeps its tables until nobody holds it", () => {
    const [kept, replaced] = [table(1, "ab"), table(2, "cd")];
    const first = version([], [kept, replaced]);
    first.acquire();
    first.acquire();
    const second = first.changed(new Set([replaced]), 2, [table(3, "cd")]);
    second.acquire();
    const unneeded: Table[] = [];
    first.release(unneeded);
    expect(unneeded).toEqual([]);
    first.release(unneeded);
    expect(unneeded.map(({ number }) => number)).toEqual([2]);
    expect(second.levels[2]!.map(({ largest }) => text(largest))).toEqual(["d"]);
  });
});
