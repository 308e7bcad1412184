import { RowReader, RowWriter } from "#whitewater/engine/state/backends/sqlite/row-reader.js";
import { SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_READWRITE } from "#whitewater/engine/state/backends/sqlite/sqlite-codes.js";
import { SqliteConnection } from "#whitewater/engine/state/backends/sqlite/sqlite-connection.js";
import type { SqliteEngine } from "#whitewater/engine/state/backends/sqlite/sqlite-engine.js";
import type { Pointer } from "#whitewater/engine/state/backends/sqlite/sqlite-module.js";
import { VfsVolume } from "#whitewater/engine/state/backends/sqlite/vfs-volume.js";
import { WriteBuffer } from "#whitewater/engine/state/backends/sqlite/write-buffer.js";

const SQLITE_OPEN_URI = 0x40;
const KIB = 1024;
/** Of a large address space that SQLite allows itself for a database in memory. */
const MEMORY_BYTES = 1 << 30;

/**
 * The same module with its own in-memory VFS ("memdb") and none of ours: the statements and the cache of the
 * store, and its write buffer in front, but neither disk nor checksums nor views.
 */
export class PlainSqlite {
  readonly #connection: SqliteConnection;
  readonly #engine: SqliteEngine;
  readonly #reader: RowReader;
  readonly #writer: RowWriter;
  readonly #begin: Pointer;
  readonly #commit: Pointer;
  readonly #buffer: WriteBuffer = new WriteBuffer();
  readonly #bufferBytes: number;

  constructor(engine: SqliteEngine, bufferBytes: number, cacheBytes: number) {
    this.#engine = engine;
    this.#bufferBytes = bufferBytes;
    // Nothing is ever asked of this volume: the database lies in SQLite's own memory.
    const volume = new VfsVolume({ open: () => 1, remove: () => 1, exists: () => 0 }, { below: () => 0 }, null);
    const flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    this.#connection = new SqliteConnection(engine, volume, `file:plain?vfs=memdb&maxsize=${MEMORY_BYTES}`, flags);
    this.#connection.execute(
      "PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; " +
        `PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-${Math.ceil(cacheBytes / KIB)}; ` +
        "CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID;",
    );
    this.#begin = this.#connection.prepare("BEGIN IMMEDIATE");
    this.#commit = this.#connection.prepare("COMMIT");
    this.#writer = new RowWriter(this.#connection);
    this.#reader = new RowReader(this.#connection);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#buffer.put(key, value);
    if (this.#buffer.sizeBytes >= this.#bufferBytes) this.writeOut();
  }

  get(key: Uint8Array): Uint8Array | null {
    const buffered = this.#buffer.get(key);
    return buffered === undefined ? this.#reader.get(key) : buffered;
  }

  /** What is buffered, in one transaction. */
  writeOut(): void {
    const { functions } = this.#engine;
    const bytes = this.#buffer.bytes();
    const room = this.#engine.malloc(bytes.length + 1);
    this.#engine.heap.set(bytes, room);
    const before = this.#engine.enter(this.#connection.volume);
    let code = this.#run(this.#begin);
    this.#buffer.forEachRow((keyStart, keyLength, valueStart, valueLength) => {
      code ||= this.#writer.put(room + keyStart, keyLength, room + valueStart, valueLength);
    });
    code ||= this.#run(this.#commit);
    functions.free(room);
    this.#engine.leave(before);
    if (code !== SQLITE_OK) throw new Error(`SQLite answers ${code} to a transaction in memory`);
    this.#buffer.clear(true);
  }

  /** Goes through all rows; returns how many there are. */
  scan(): number {
    const rows = this.#reader.iterate(new Uint8Array(0), false, null);
    let count = 0;
    while (rows.next()) if (rows.key.length > 0 && rows.value.length > 0) count += 1;
    return count;
  }

  close(): void {
    this.#reader.close();
  }

  #run(statement: Pointer): number {
    this.#engine.functions.sqlite3_step(statement);
    return this.#engine.functions.sqlite3_reset(statement);
  }
}
