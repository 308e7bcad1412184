import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LevelIndex } from "#whitewater/engine/state/backends/lsm/level-index.js";
import { Table } from "#whitewater/engine/state/backends/lsm/table.js";
import { bytes } from "./store-fixture.ts";

const keyText = fc.string({ maxLength: 7, unit: fc.constantFrom("a", "b", "\0", "ÿ") });

function tableFrom(smallest: string, largest: string): Table {
  const numbers = { storeHash: 1, originNumber: 1, number: 1, fileName: "1.table", sizeBytes: 1, rows: 1, tombstones: 0 };
  return new Table("", { ...numbers, smallest: bytes(smallest), largest: bytes(largest) }, false);
}

describe("the index of a level", () => {
  it("finds the table that covers a key, and denies none that does, whatever keys begin with", () => {
    fc.assert(
      fc.property(keyText, fc.uniqueArray(keyText, { minLength: 1, maxLength: 12 }), fc.array(keyText), (prefix, ends, probes) => {
        const keys = ends.map((key) => prefix + key).sort();
        const ranges = Array.from({ length: Math.ceil(keys.length / 2) }, (_, i) => [keys[i * 2]!, keys[i * 2 + 1] ?? keys[i * 2]!] as const);
        const index = new LevelIndex(ranges.map(([smallest, largest]) => tableFrom(smallest, largest)));
        for (const key of [...keys, ...probes, ...probes.map((probe) => prefix + probe)]) {
          const covering = ranges.findIndex(([smallest, largest]) => smallest <= key && key <= largest);
          const head = index.headOf(bytes(key));
          if (head === null) {
            expect(covering).toBe(-1);
            continue;
          }
          const first = ranges.findIndex(([, largest]) => largest >= key);
          expect(index.tableFrom(bytes(key), head)).toBe(first < 0 ? ranges.length : first);
          if (covering >= 0) expect(index.mayCover(covering, head)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
