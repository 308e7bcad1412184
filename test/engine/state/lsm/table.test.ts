import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Block } from "#whitewater/engine/state/backends/lsm/block.js";
import { BlockBuilder } from "#whitewater/engine/state/backends/lsm/block-builder.js";
import { BlockCache } from "#whitewater/engine/state/backends/lsm/block-cache.js";
import { BloomFilter, buildFilter, keyHash } from "#whitewater/engine/state/backends/lsm/bloom-filter.js";
import { Memtable } from "#whitewater/engine/state/backends/lsm/memtable.js";
import { StoreDisk } from "#whitewater/engine/state/backends/lsm/store-disk.js";
import { Table } from "#whitewater/engine/state/backends/lsm/table.js";
import { TableCache } from "#whitewater/engine/state/backends/lsm/table-cache.js";
import { TableWriter } from "#whitewater/engine/state/backends/lsm/table-writer.js";
import { TablesCursor } from "#whitewater/engine/state/backends/lsm/tables-cursor.js";
import { MemoryDisk } from "../memory-disk.ts";
import { bytes, text } from "./store-fixture.ts";

const keyText = fc.string({ maxLength: 4, unit: fc.constantFrom("a", "b", "c") });

describe("a block", () => {
  it("finds each of its rows and no other, and the first row behind any key", () => {
    fc.assert(
      fc.property(fc.uniqueArray(keyText, { minLength: 1, maxLength: 40 }), keyText, keyText, (keys, prefix, probe) => {
        const sorted = keys.map((key) => prefix + key).sort();
        const builder = new BlockBuilder(16);
        sorted.forEach((key, i) => {
          builder.add(bytes(key), 0, key.length, bytes("value"), 0, i % 3 === 0 ? -1 : i % 5);
        });
        builder.finish();
        const block = new Block(builder.bytes, 0, builder.end);
        expect([block.isSound, block.count]).toEqual([true, sorted.length]);
        sorted.forEach((key, i) => {
          const found = block.find(bytes(key));
          expect(found === undefined ? undefined : text(found)).toBe(i % 3 === 0 ? null : "value".slice(0, i % 5));
          expect(block.firstFrom(bytes(key))).toBe(i);
        });
        for (const key of [probe, prefix + probe, prefix.slice(1)]) {
          const first = sorted.findIndex((each) => each >= key);
          expect(block.firstFrom(bytes(key))).toBe(first < 0 ? sorted.length : first);
          if (!sorted.includes(key)) expect(block.find(bytes(key))).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("a filter", () => {
  it("knows all its keys, and few others", () => {
    const hash = (key: string): number => keyHash(bytes(key), 0, key.length);
    const count = 2000;
    const filter = buildFilter(Int32Array.from({ length: count }, (_, i) => hash(`key${i}`)), count);
    const known = new BloomFilter(filter, 0);
    let wrong = 0;
    for (let i = 0; i < count; i++) {
      expect(known.mayContain(hash(`key${i}`))).toBe(true);
      if (known.mayContain(hash(`other${i}`))) wrong += 1;
    }
    expect(wrong).toBeLessThan(count / 40);
  });
});

function tableOf(disk: StoreDisk, number: number, count: number): Table {
  const memtable = new Memtable();
  for (let i = 0; i < count; i++) memtable.put(bytes(`k${1000 + i * 2}`), i % 10 === 0 ? null : bytes(`v${i}`));
  const writer = new TableWriter(disk, "", `${number}.table`, { storeHash: 5, originNumber: number }, 100);
  const rows = memtable.cursor(memtable.sequence);
  for (let isMore = rows.seek(bytes("")); isMore; isMore = rows.next()) writer.add(rows, rows.valueLength);
  return new Table("", writer.finish(number), false);
}

describe("a table", () => {
  it("describes itself, and is read by key and in order from any key on", () => {
    const disk = new StoreDisk(new MemoryDisk());
    const table = tableOf(disk, 1, 200);
    expect([table.rows, table.tombstones, text(table.smallest), text(table.largest)]).toEqual([200, 20, "k1000", "k1398"]);
    const cache = new TableCache(disk, new BlockCache(500), 2);
    const reader = cache.reader(table);
    for (let i = 0; i < 200; i++) {
      const key = bytes(`k${1000 + i * 2}`);
      const found = reader.get(key, keyHash(key, 0, key.length));
      expect(found === undefined ? undefined : text(found)).toBe(i % 10 === 0 ? null : `v${i}`);
      const absent = bytes(`k${1001 + i * 2}`);
      expect(reader.get(absent, keyHash(absent, 0, absent.length))).toBeUndefined();
    }
    for (const isWhole of [true, false]) {
      for (let from = 999; from <= 1400; from += 13) {
        const cursor = new TablesCursor(cache, [table], 300, isWhole);
        let count = 0;
        for (let isMore = cursor.seek(bytes(`k${from}`)); isMore; isMore = cursor.next()) count += 1;
        expect(count).toBe(from === 999 ? 0 : Math.min(200, Math.max(0, Math.floor((1400 - from) / 2))));
      }
    }
    cache.closeAll();
  });

  it("is closed again when too many are open, and its blocks leave the cache with it", () => {
    const memory = new MemoryDisk();
    const disk = new StoreDisk(memory);
    const blocks = new BlockCache(1500);
    const cache = new TableCache(disk, blocks, 2);
    const tables = [1, 2, 3].map((number) => tableOf(disk, number, 100));
    for (const table of tables) {
      const reader = cache.reader(table);
      for (let i = 0; i < reader.blockCount; i++) reader.block(i);
      expect(blocks.sizeBytes).toBeLessThanOrEqual(1500);
    }
    expect([cache.openTables, memory.openDescriptors, tables[0]!.reader]).toEqual([2, 2, null]);
    cache.reader(tables[1]!);
    cache.reader(tables[0]!);
    expect(tables[2]!.reader).toBeNull();
    cache.closeAll();
    expect([cache.openTables, memory.openDescriptors, blocks.sizeBytes]).toEqual([0, 0, 0]);
  });

  it("gives a block that was looked at a second chance in the cache", () => {
    const disk = new StoreDisk(new MemoryDisk());
    const blocks = new BlockCache(1200);
    const reader = new TableCache(disk, blocks, 2).reader(tableOf(disk, 1, 100));
    reader.block(0);
    reader.block(0);
    for (let i = 1; reader.cached[1] !== null || i < 3; i++) reader.block(i);
    expect(reader.cached[0]).not.toBeNull();
  });

  it("keeps blocks that are looked at when their chunk of the cache goes, and never writes over what it gave", () => {
    const disk = new StoreDisk(new MemoryDisk());
    const blocks = new BlockCache(20_000);
    const reader = new TableCache(disk, blocks, 2).reader(tableOf(disk, 1, 4000));
    const looked = [3];
    const key = bytes("k1030");
    const value = reader.get(key, keyHash(key, 0, key.length))!;
    const block = reader.block(3);
    const before = block.bytes.slice(block.start, block.start + block.sizeBytes);
    let dropped = 0;
    for (let i = 0; i < reader.blockCount; i++) {
      for (const each of looked) reader.block(each);
      reader.block(i);
      expect(looked.every((each) => reader.cached[each] !== null)).toBe(true);
      expect(blocks.sizeBytes).toBeLessThanOrEqual(20_000);
      if (i > 5 && reader.cached[i - 1] === null) dropped += 1;
    }
    expect(reader.cached.filter((each) => each !== null).length).toBeLessThan(reader.blockCount / 2);
    expect(dropped).toBe(0);
    const moved = reader.block(3);
    expect(moved).not.toBe(block);
    expect(moved.bytes.slice(moved.start, moved.start + moved.sizeBytes)).toEqual(before);
    expect(block.bytes.slice(block.start, block.start + block.sizeBytes)).toEqual(before);
    expect(text(value)).toBe("v15");
    expect(text(reader.get(key, keyHash(key, 0, key.length))!)).toBe("v15");
  });
});
