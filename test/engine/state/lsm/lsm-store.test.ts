import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RowFilter, StoreIterator, StoreReader, StoreView } from "#whitewater/engine/state/ordered-store.js";
import { LsmStore } from "#whitewater/engine/state/backends/lsm/lsm-store.js";
import type { LsmOptions } from "#whitewater/engine/state/backends/lsm/lsm-options.js";
import { MemoryDisk } from "../memory-disk.ts";
import { randomStream } from "../random-stream.ts";

const DIRECTORY = "/host/store";

/** So small that a few hundred rows reach level 3. */
const TINY: Omit<LsmOptions, "disk"> = {
  directory: DIRECTORY,
  storeId: "s1",
  memtableBytes: 1536,
  tableBytes: 512,
  levelOneBytes: 300,
  blockCacheBytes: 2048,
  blockBytes: 128,
  openTables: 3,
  sliceBytes: 256,
  levelZeroTables: 2,
};

function tiny(disk: MemoryDisk, more: Partial<LsmOptions> = {}): LsmStore {
  if (!disk.nodes.has("/host")) disk.makeDirectory("/host");
  return LsmStore.open({ ...TINY, disk, ...more });
}

/** The key and value as text: bytes in the order of their characters. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

function text(from: Uint8Array | null): string | null {
  return from === null ? null : String.fromCharCode(...from);
}

function rows(reader: StoreReader, from = "", to: string | null = null): string[] {
  return drained(reader.iterate(bytes(from), to === null ? null : bytes(to)));
}

function drained(iterator: StoreIterator): string[] {
  const found: string[] = [];
  while (iterator.next()) found.push(`${text(iterator.key)}=${text(iterator.value)}`);
  iterator.close();
  return found;
}

function modelRows(model: ReadonlyMap<string, string>, from = "", to: string | null = null): string[] {
  const keys = Array.from(model.keys()).filter((key) => key >= from && (to === null || key < to));
  return keys.sort().map((key) => `${key}=${model.get(key)}`);
}

function settle(store: LsmStore): void {
  while (store.needsMaintenance) store.maintain();
}

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

  it("agrees with a sorted map, whatever is done to it", () => {
    let deepest = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        deepest = Math.max(deepest, lockStep(seed, 1500));
      }),
      { numRuns: 30 },
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

export type { RowFilter };
