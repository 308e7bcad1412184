import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClassicLevel } from "classic-level";
import { LsmStore } from "#whitewater/engine/state/backends/lsm/lsm-store.js";
import type { SqliteEngine } from "#whitewater/engine/state/backends/sqlite/sqlite-engine.js";
import { SqliteStore } from "#whitewater/engine/state/backends/sqlite/sqlite-store.js";
import type { OrderedStore } from "#whitewater/engine/state/ordered-store.js";
import { NodeDisk } from "../node-disk.ts";
import { PlainSqlite } from "./plain-sqlite.ts";
import { Noise } from "./rows.ts";
import type { Rows } from "./rows.ts";

const MIB = 1 << 20;
/** The same for both log-structured stores; LevelDB's own defaults. */
const MEMTABLE_BYTES = 4 * MIB;
const TABLE_BYTES = 2 * MIB;
const LEVEL_ONE_BYTES = 10 * MIB;
/** The same for SQLite with our VFS and without. */
const SQLITE_BUFFER_BYTES = 16 * MIB;
const SQLITE_CACHE_BYTES = 128 * MIB;
const ROWS_A_READ = 1000;
const QUIET_MS = 300;
const VIEWS = { keyEncoding: "view", valueEncoding: "view" } as const;

/** A store of rows that is measured. What returns a promise is awaited. */
export interface RowStore {
  readonly name: string;
  /** What `write` takes for some rows; not timed. */
  batch(rows: Rows, from: number, to: number): unknown;
  write(batch: unknown): void | Promise<void>;
  /** Ends the puts: rows that a write buffer holds back go where all rows go. */
  finish(): void;
  get(key: Uint8Array): Uint8Array | null | undefined;
  /** Reads every key and value, in order; returns their number. */
  scan(): number | Promise<number>;
  /** Waits until nothing goes on in the background any more; what is left of it is done. */
  settle(): void | Promise<void>;
  /** Closes it and removes what it left. */
  close(): void | Promise<void>;
}

/** How a contender begins with an empty store. */
export interface RowStoreMaker {
  readonly name: string;
  readonly open: () => Promise<RowStore>;
}

/** A directory of this benchmark's own. */
export function benchDirectory(): string {
  return mkdtempSync(join(tmpdir(), "whitewater-bench-"));
}

export function lsmMaker(cacheBytes: number): RowStoreMaker {
  const name = "lsm";
  return {
    name,
    open: async () => {
      const root = benchDirectory();
      const store = LsmStore.open({
        disk: new NodeDisk(root),
        directory: "/store",
        storeId: "bench",
        memtableBytes: MEMTABLE_BYTES,
        tableBytes: TABLE_BYTES,
        levelOneBytes: LEVEL_ONE_BYTES,
        blockCacheBytes: cacheBytes,
      });
      return new OrderedRowStore(name, store, root);
    },
  };
}

export function sqliteMaker(engine: SqliteEngine): RowStoreMaker {
  const name = "sqlite";
  return {
    name,
    open: async () => {
      const root = benchDirectory();
      const store = new SqliteStore({
        engine,
        disk: new NodeDisk(root),
        directory: "/store",
        storeId: "bench",
        random: new Noise(1),
        writeBufferBytes: SQLITE_BUFFER_BYTES,
        cacheBytes: SQLITE_CACHE_BYTES,
      });
      return new OrderedRowStore(name, store, root);
    },
  };
}

type Batch = readonly (readonly [Uint8Array, Uint8Array])[];

function pairs(rows: Rows, from: number, to: number): Batch {
  return Array.from({ length: to - from }, (_, i) => {
    const row = rows.written[from + i] as number;
    return [rows.key(row).slice(), rows.value(row)] as const;
  });
}

class OrderedRowStore implements RowStore {
  readonly name: string;
  readonly #store: OrderedStore;
  readonly #root: string;

  constructor(name: string, store: OrderedStore, root: string) {
    this.name = name;
    this.#store = store;
    this.#root = root;
  }

  batch(rows: Rows, from: number, to: number): unknown {
    return pairs(rows, from, to);
  }

  write(batch: unknown): void {
    const store = this.#store;
    for (const [key, value] of batch as Batch) store.put(key, value);
    if (store.needsMaintenance) store.maintain();
  }

  finish(): void {
    this.#store.view().close();
  }

  get(key: Uint8Array): Uint8Array | null {
    return this.#store.get(key);
  }

  scan(): number {
    const rows = this.#store.iterate(new Uint8Array(0), null);
    let count = 0;
    while (rows.next()) if (rows.key.length > 0 && rows.value.length > 0) count += 1;
    rows.close();
    return count;
  }

  settle(): void {
    while (this.#store.needsMaintenance) this.#store.maintain();
  }

  close(): void {
    this.#store.destroy();
    rmSync(this.#root, { recursive: true });
  }
}

/** LevelDB; without compression, as the values are noise. */
export function levelMaker(cacheBytes: number): RowStoreMaker {
  const name = "classic-level";
  return {
    name,
    open: async () => {
      const root = benchDirectory();
      mkdirSync(join(root, "store"));
      const database = new ClassicLevel<Uint8Array, Uint8Array>(join(root, "store"), {
        ...VIEWS,
        compression: false,
        cacheSize: cacheBytes,
        writeBufferSize: MEMTABLE_BYTES,
        maxFileSize: TABLE_BYTES,
      });
      await database.open();
      return new LevelRowStore(name, database, root);
    },
  };
}

type LevelBatch = { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }[];

class LevelRowStore implements RowStore {
  readonly name: string;
  readonly #database: ClassicLevel<Uint8Array, Uint8Array>;
  readonly #root: string;

  constructor(name: string, database: ClassicLevel<Uint8Array, Uint8Array>, root: string) {
    this.name = name;
    this.#database = database;
    this.#root = root;
  }

  batch(rows: Rows, from: number, to: number): unknown {
    return pairs(rows, from, to).map(([key, value]) => ({ type: "put", key, value }));
  }

  write(batch: unknown): Promise<void> {
    return this.#database.batch(batch as LevelBatch);
  }

  finish(): void {}

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#database.getSync(key);
  }

  async scan(): Promise<number> {
    const rows = this.#database.iterator();
    let count = 0;
    for (;;) {
      const some = await rows.nextv(ROWS_A_READ);
      if (some.length === 0) break;
      for (const [key, value] of some) if (key.length > 0 && value.length > 0) count += 1;
    }
    await rows.close();
    return count;
  }

  /** LevelDB does not say when its thread is done: when its tables stay as they are. */
  async settle(): Promise<void> {
    let before = "";
    for (;;) {
      const now = this.#database.getProperty("leveldb.stats");
      if (now === before) return;
      before = now;
      await sleep(QUIET_MS);
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
    rmSync(this.#root, { recursive: true });
  }
}

/** `perBatch`: a transaction for each batch; else the store's write buffer in front. */
export function plainSqliteMaker(engine: SqliteEngine, perBatch: boolean): RowStoreMaker {
  const name = perBatch ? "SQLite in memory, a transaction a batch" : "SQLite in memory";
  return {
    name,
    open: async () => new PlainRowStore(name, new PlainSqlite(engine, SQLITE_BUFFER_BYTES, SQLITE_CACHE_BYTES), perBatch),
  };
}

class PlainRowStore implements RowStore {
  readonly name: string;
  readonly #database: PlainSqlite;
  readonly #perBatch: boolean;

  constructor(name: string, database: PlainSqlite, perBatch: boolean) {
    this.name = name;
    this.#database = database;
    this.#perBatch = perBatch;
  }

  batch(rows: Rows, from: number, to: number): unknown {
    return pairs(rows, from, to);
  }

  write(batch: unknown): void {
    for (const [key, value] of batch as Batch) this.#database.put(key, value);
    if (this.#perBatch) this.#database.writeOut();
  }

  finish(): void {
    this.#database.writeOut();
  }

  get(key: Uint8Array): Uint8Array | null {
    return this.#database.get(key);
  }

  scan(): number {
    return this.#database.scan();
  }

  settle(): void {}

  close(): void {
    this.#database.close();
  }
}
