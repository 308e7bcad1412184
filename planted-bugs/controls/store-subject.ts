import { present } from "#whitewater/engine/base/assert.js";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import { LsmStore } from "#whitewater/engine/state/backends/lsm/lsm-store.js";
import { SqliteStore } from "#whitewater/engine/state/backends/sqlite/sqlite-store.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { OrderedStore, StoreReader } from "#whitewater/engine/state/ordered-store.js";

export const DIRECTORY = "/host/store";

/** A kind of store, as an experiment makes and leaves it. */
export interface StoreSubject {
  readonly name: "lsm" | "sqlite";
  /** Opens what lies in the store's directory. `random` is the store's own; sizes are drawn from it. */
  open(disk: Disk, random: RandomStream): OrderedStore;
  /** The process that had this port is no more. */
  abandon(disk: Disk): void;
}

/** So small that a few hundred rows reach level 3. */
export const lsmSubject: StoreSubject = {
  name: "lsm",
  open: (disk, random) =>
    LsmStore.open({
      disk,
      directory: DIRECTORY,
      storeId: "s1",
      memtableBytes: 1024 << random.below(3),
      tableBytes: 512 << random.below(2),
      levelOneBytes: 300,
      blockCacheBytes: random.below(3) * 1024,
      blockBytes: 128,
      openTables: 3,
      sliceBytes: 256 << random.below(3),
      levelZeroTables: 2,
    }),
  abandon: () => undefined,
};

export function sqliteSubject(libraries: StateLibraries): StoreSubject {
  const engine = present(libraries.sqlite, "an experiment with SQLite is given it");
  return {
    name: "sqlite",
    open: (disk, random) =>
      new SqliteStore({
        engine,
        disk,
        directory: DIRECTORY,
        storeId: `s${random.below(1 << 30)}`,
        random,
        writeBufferBytes: 300 << random.below(3),
        cacheBytes: 8192,
      }),
    abandon: (disk) => engine.abandon(disk),
  };
}

/** Keys and values as texts, each character a byte. */
export type Rows = ReadonlyMap<string, string>;

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Everything from `from` up to (excluding) `to`, in one text. */
export function contentsOf(reader: StoreReader, from = "", to: string | null = null): string {
  const iterator = reader.iterate(bytesOf(from), to === null ? null : bytesOf(to));
  let text = "";
  while (iterator.next()) text += `${textOf(iterator.key)}=${textOf(iterator.value)},`;
  iterator.close();
  return text;
}

/** What `contentsOf` gives of a store with these rows. */
export function expectedContents(rows: Rows, from = "", to: string | null = null): string {
  const keys = [...rows.keys()].filter((key) => key >= from && (to === null || key < to)).sort();
  return keys.map((key) => `${key}=${rows.get(key)},`).join("");
}

export function rowsOf(contents: string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const row of contents.split(",")) {
    const end = row.indexOf("=");
    if (end >= 0) rows.set(row.slice(0, end), row.slice(end + 1));
  }
  return rows;
}

/** A change of a row that is drawn: the same in the store and in the model. */
export function changeRow(store: OrderedStore, rows: Map<string, string>, random: RandomStream): void {
  const key = `k${random.below(100)}`;
  if (random.below(4) === 0) {
    store.delete(bytesOf(key));
    rows.delete(key);
    return;
  }
  const value = String(random.below(10)).repeat(1 + random.below(60));
  store.put(bytesOf(key), bytesOf(value));
  rows.set(key, value);
}
