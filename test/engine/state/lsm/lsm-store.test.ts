import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnencodableValueError } from "#whitewater/engine/base/codec.js";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { StoreIterator, StoreView } from "#whitewater/engine/state/ordered-store.js";
import { MemoryDisk } from "../memory-disk.ts";
import { randomStream } from "../random-stream.ts";
import { bytes, drained, modelRows, rows, settle, text, tiny } from "./store-fixture.ts";

describe("an lsm store", () => {
  it("reads what was written, from the memtable and from tables", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    store.put(bytes("b"), bytes("2"));
    store.put(bytes("a"), bytes("1"));
    store.put(bytes("b"), bytes(""));
    expect(rows(store)).toEqual(["a=1", "b="]);
    store.flush();
    expect(store.stats().tables[0]).toBe(1);
    store.delete(bytes("a"));
    expect([text(store.get(bytes("a"))), text(store.get(bytes("b"))), text(store.get(bytes("c")))]).toEqual([null, "", null]);
    expect(rows(store)).toEqual(["b="]);
    store.close();
  });

  it("refuses a key and a value that are too large, which is no bug and ends no store", () => {
    const store = tiny(new MemoryDisk());
    expect(() => store.put(new Uint8Array((1 << 20) + 1), bytes("1"))).toThrow("a key of 1048577 bytes");
    expect(() => store.delete(new Uint8Array((1 << 20) + 1))).toThrow(UnencodableValueError);
    expect(() => store.put(bytes("a"), new Uint8Array((1 << 26) + 1))).toThrow("a value of 67108865 bytes");
    store.put(bytes("a"), bytes("1"));
    expect(rows(store)).toEqual(["a=1"]);
    store.close();
  });

  it("agrees with a sorted map, whatever is done to it", () => {
    let deepest = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        deepest = Math.max(deepest, lockStep(seed, 1500));
      }),
      { numRuns: 12 },
    );
    expect(deepest).toBeGreaterThanOrEqual(3);
  });
});

interface OpenView {
  readonly view: StoreView;
  readonly rows: readonly string[];
}

/** Random operations on a store and on a map; returns the deepest level that had a table. */
function lockStep(seed: number, operations: number): number {
  const random = randomStream(seed);
  const disk = new MemoryDisk();
  let store = tiny(disk);
  let model = new Map<string, string>();
  let flushed = new Map<string, string>();
  const views: OpenView[] = [];
  const iterators: { readonly iterator: StoreIterator; readonly rows: string[] }[] = [];
  let deepest = 0;
  const keys = 50 + random.below(500);
  const key = (): string => `${"p".repeat(random.below(2) * 3)}k${random.below(keys).toString(36)}`;
  const letGo = (): void => {
    for (const { view } of views.splice(0)) view.close();
    for (const { iterator } of iterators.splice(0)) iterator.close();
  };
  for (let i = 0; i < operations; i++) {
    const draw = random.below(200);
    if (draw < 100) {
      const [k, v] = [key(), `${i}${"v".repeat(random.below(20) === 0 ? 300 : random.below(30))}`];
      store.put(bytes(k), bytes(v));
      model.set(k, v);
    } else if (draw < 130) {
      const k = key();
      store.delete(bytes(k));
      model.delete(k);
    } else if (draw < 160) {
      const k = key();
      expect(text(store.get(bytes(k)))).toBe(model.get(k) ?? null);
    } else if (draw < 164) {
      const [from, to] = [key(), random.below(2) === 0 ? null : key()];
      expect(rows(store, from, to)).toEqual(modelRows(model, from, to));
    } else if (draw < 166) {
      views.push({ view: store.view(), rows: modelRows(model) });
    } else if (draw < 169 && views.length > 0) {
      const { view, rows: expected } = views.splice(random.below(views.length), 1)[0]!;
      expect(rows(view)).toEqual(expected);
      view.close();
    } else if (draw < 172) {
      const from = key();
      const iterator = store.iterate(bytes(from), null);
      iterators.push({ iterator, rows: modelRows(model, from) });
    } else if (draw < 175 && iterators.length > 0) {
      const { iterator, rows: expected } = iterators.splice(random.below(iterators.length), 1)[0]!;
      expect(drained(iterator)).toEqual(expected);
    } else if (draw < 178) {
      store.flush();
      flushed = new Map(model);
    } else if (draw < 179) {
      letGo();
      store.close();
      expect(disk.openDescriptors).toBe(0);
      store = tiny(disk);
      model = new Map(flushed);
      expect(rows(store)).toEqual(modelRows(model));
    } else store.maintain();
    deepest = Math.max(deepest, store.stats().deepestLevel);
  }
  expect(rows(store)).toEqual(modelRows(model));
  const quiet = { read: (path: string) => disk.nodes.get(path)?.content() ?? null };
  expect(rows(store.inspect(quiet))).toEqual(modelRows(model));
  letGo();
  settle(store);
  expect(rows(store)).toEqual(modelRows(model));
  store.destroy();
  expect(Array.from(disk.nodes.keys())).toEqual(["/", "/host"]);
  return deepest;
}

describe("rows", () => {
  it("may be as large as the limits say, and as small as nothing", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    const longKey = new Uint8Array(1 << 20).fill(7);
    const longValue = new Uint8Array(3 << 20).map((_, i) => i * 31);
    store.put(longKey, longValue);
    store.put(new Uint8Array(0), bytes("empty key"));
    store.put(bytes("z"), new Uint8Array(0));
    store.flush();
    settle(store);
    expect(crc32(store.get(longKey)!)).toBe(crc32(longValue));
    expect(text(store.get(new Uint8Array(0)))).toBe("empty key");
    expect(store.get(bytes("z"))).toEqual(new Uint8Array(0));
    const iterator = store.iterate(longKey, null);
    expect([iterator.next(), iterator.value.length, iterator.next(), text(iterator.key)]).toEqual([true, 3 << 20, true, "z"]);
    iterator.close();
    expect(() => store.put(new Uint8Array((1 << 20) + 1), longKey)).toThrow("at most 1048576");
    store.close();
  });

  it("do not change with the caller's bytes, nor do values that were handed out", () => {
    const store = tiny(new MemoryDisk());
    const [key, value] = [bytes("key"), bytes("old")];
    store.put(key, value);
    key.fill(0);
    value.fill(0);
    const handedOut = store.get(bytes("key"));
    store.put(bytes("key"), bytes("new"));
    for (let i = 0; i < 100; i++) store.put(bytes(`more${i}`), bytes("x".repeat(100)));
    expect(text(handedOut)).toBe("old");
    expect(text(store.get(bytes("key")))).toBe("new");
    store.close();
  });
});

describe("compaction", () => {
  it("drops tombstones for good once nothing older is left of their key, and no view loses by it", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    const model = new Map<string, string>();
    for (let i = 0; i < 300; i++) {
      store.put(bytes(`k${i}`), bytes(`${i}`));
      model.set(`k${i}`, `${i}`);
    }
    const view = store.view();
    for (let i = 0; i < 300; i++) store.delete(bytes(`k${i}`));
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 20; i++) store.put(bytes(`k${round * 7 + i}`), bytes("again"));
      for (let i = 0; i < 20; i++) store.delete(bytes(`k${round * 7 + i}`));
      store.flush();
      settle(store);
    }
    expect(rows(store)).toEqual([]);
    expect(store.stats().tombstonesDropped).toBeGreaterThan(100);
    expect(store.stats().compactionsDuringSnapshot).toBeGreaterThan(0);
    expect(rows(view)).toEqual(modelRows(model));
    view.close();
    store.close();
  });

  it("asks the filter, and what it drops does not come back from a deeper level", () => {
    const disk = new MemoryDisk();
    let expired = "";
    const store = tiny(disk, { filter: (_key, value) => expired !== "" && text(value)!.startsWith(expired) });
    for (let i = 0; i < 200; i++) store.put(bytes(`k${i}`), bytes(`old${i}`));
    store.flush();
    settle(store);
    for (let i = 0; i < 200; i++) store.put(bytes(`k${i}`), bytes(`new${i}`));
    expired = "new";
    store.flush();
    settle(store);
    for (let i = 0; i < 200; i++) expect(text(store.get(bytes(`k${i}`))) ?? "").not.toMatch(/^old/);
    expect(store.stats().rowsFiltered).toBeGreaterThan(0);
    store.close();
  });

  it("goes in bounded slices, and a store that nobody maintains does it itself", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    const model = new Map<string, string>();
    for (let i = 0; i < 4000; i++) {
      store.put(bytes(`k${(i * 7919) % 3001}`), bytes(`${i}`));
      model.set(`k${(i * 7919) % 3001}`, `${i}`);
      expect(store.stats().tables[0]).toBeLessThanOrEqual(6);
    }
    expect(store.stats().stallSlices).toBeGreaterThan(0);
    let written = 0;
    disk.judge = (call) => {
      if (call === "write" || call === "read") written += 1;
      return 0;
    };
    while (store.needsMaintenance) {
      written = 0;
      store.maintain();
      expect(written).toBeLessThan(30);
    }
    expect(rows(store)).toEqual(modelRows(model));
    store.close();
  });

  it("leaves no file behind that nothing needs", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    for (let i = 0; i < 3000; i++) store.put(bytes(`k${i % 500}`), bytes(`${i}`));
    store.flush();
    settle(store);
    // What the manifest names stays until the next one is there.
    store.flush();
    settle(store);
    const tables = store.stats().tables.reduce((sum, count) => sum + count, 0);
    expect(Array.from(disk.nodes.keys()).filter((path) => path.endsWith(".table"))).toHaveLength(tables);
    store.close();
  });
});
