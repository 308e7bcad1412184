import type { Disk } from "#whitewater/engine/ports/disk.js";
import type { StoreIterator, StoreReader } from "#whitewater/engine/state/ordered-store.js";
import { LsmStore } from "#whitewater/engine/state/backends/lsm/lsm-store.js";
import type { LsmOptions } from "#whitewater/engine/state/backends/lsm/lsm-options.js";

export const DIRECTORY: string = "/host/store";

/** So small that a few hundred rows reach level 3. */
export const TINY: Omit<LsmOptions, "disk"> = {
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

export function tiny(disk: Disk, more: Partial<LsmOptions> = {}): LsmStore {
  return LsmStore.open({ ...TINY, disk, ...more });
}

/** The key and value as text: bytes in the order of their characters. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

export function text(from: Uint8Array | null): string | null {
  return from === null ? null : String.fromCharCode(...from);
}

export function rows(reader: StoreReader, from = "", to: string | null = null): string[] {
  return drained(reader.iterate(bytes(from), to === null ? null : bytes(to)));
}

export function drained(iterator: StoreIterator): string[] {
  const found: string[] = [];
  while (iterator.next()) found.push(`${text(iterator.key)}=${text(iterator.value)}`);
  iterator.close();
  return found;
}

export function modelRows(model: ReadonlyMap<string, string>, from = "", to: string | null = null): string[] {
  const keys = Array.from(model.keys()).filter((key) => key >= from && (to === null || key < to));
  return keys.sort().map((key) => `${key}=${model.get(key)}`);
}

export function settle(store: LsmStore): void {
  while (store.needsMaintenance) store.maintain();
}

/** Writes rows k0 … as a map too. */
export function fill(store: LsmStore, model: Map<string, string>, first: number, count: number): void {
  for (let i = first; i < first + count; i++) {
    const [key, value] = [`k${(i * 7919) % 1009}`, `value-${i}-${"x".repeat(i % 40)}`];
    store.put(bytes(key), bytes(value));
    model.set(key, value);
  }
}
