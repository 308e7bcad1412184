import { present } from "../../../base/assert.ts";
import type { Disk } from "../../../ports/disk.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import { PageFile, PageVfsFile, type PageSource } from "./page-file.ts";
import type { PageView } from "./page-view.ts";
import { RowReader, RowWriter } from "./row-reader.ts";
import {
  SQLITE_CANTOPEN,
  SQLITE_IOCAP_IMMUTABLE,
  SQLITE_OK,
  SQLITE_OPEN_CREATE,
  SQLITE_OPEN_READONLY,
  SQLITE_OPEN_READWRITE,
} from "./sqlite-codes.ts";
import { SqliteConnection, SqliteFailure } from "./sqlite-connection.ts";
import type { SqliteEngine } from "./sqlite-engine.ts";
import type { Pointer } from "./sqlite-module.ts";
import { VfsVolume, type VfsFile, type VfsFiles } from "./vfs-volume.ts";
import type { WriteBuffer } from "./write-buffer.ts";

/** Pages that a reader of a view keeps in SQLite's cache. */
const VIEW_CACHE_KIB = 4096;

/** The next file to open is put here just before: SQLite opens a database when it opens the connection. */
class HandedOverFiles implements VfsFiles {
  private next: VfsFile | null = null;

  handOver(file: VfsFile): void {
    this.next = file;
  }

  open(): VfsFile | number {
    const { next } = this;
    this.next = null;
    return next ?? SQLITE_CANTOPEN;
  }

  remove(): number {
    return SQLITE_OK;
  }

  exists(): number {
    return 0;
  }
}

/**
 * The table `kv` in its page file, on a connection that has the file to itself. Without a journal: a transaction
 * that does not succeed ends the store, whose contents then come back from a checkpoint. Between transactions the
 * file holds a whole database, and readers of views of it need nothing else.
 */
export class KvDatabase {
  readonly file: PageFile;
  readonly volume: VfsVolume;
  private readonly engine: SqliteEngine;
  private readonly files: HandedOverFiles = new HandedOverFiles();
  private readonly cacheKib: number;
  private main: RowReader | null = null;
  private writer: RowWriter | null = null;
  private beginStatement: Pointer = 0;
  private commitStatement: Pointer = 0;

  constructor(engine: SqliteEngine, disk: Disk, path: string, random: RandomStream, cacheKib: number) {
    this.engine = engine;
    this.volume = new VfsVolume(this.files, random, disk);
    this.file = new PageFile(disk, path);
    this.cacheKib = cacheKib;
  }

  /** The reader of the present contents; opens the database at the first call. */
  reader(): RowReader {
    return this.main ?? this.open();
  }

  /** Another reader, of the pages as a view has them; the caller closes both. */
  readerOf(view: PageView): RowReader {
    return openReader(this.engine, this.volume, this.files, view);
  }

  /** All rows of the buffer in one transaction. */
  write(buffer: WriteBuffer): void {
    this.reader();
    const { engine, volume } = this;
    const { functions } = engine;
    const writer = present(this.writer, "an open database has its statements");
    const bytes = buffer.bytes();
    const room = engine.malloc(bytes.length + 1);
    engine.heap.set(bytes, room);
    const before = engine.enter(volume);
    let code = this.run(this.beginStatement);
    buffer.forEachRow((keyStart, keyLength, valueStart, valueLength) => {
      if (code !== SQLITE_OK) return;
      code =
        valueLength < 0
          ? writer.delete(room + keyStart, keyLength)
          : writer.put(room + keyStart, keyLength, room + valueStart, valueLength);
    });
    if (code === SQLITE_OK) code = this.run(this.commitStatement);
    functions.free(room);
    engine.leave(before);
    if (code !== SQLITE_OK) throw new SqliteFailure(code, "a transaction");
  }

  /** Gives up the module's memory; touches no file. Idempotent. */
  close(): void {
    this.volume.dead = true;
    this.main?.close();
    this.main = null;
    this.writer = null;
  }

  private open(): RowReader {
    this.files.handOver(new PageVfsFile(this.file, this.file, 0));
    const connection = new SqliteConnection(this.engine, this.volume, "kv", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    let reader: RowReader;
    try {
      connection.execute(
        "PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; " +
          `PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-${this.cacheKib}; ` +
          "CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID;",
      );
      this.beginStatement = connection.prepare("BEGIN IMMEDIATE");
      this.commitStatement = connection.prepare("COMMIT");
      this.writer = new RowWriter(connection);
      reader = new RowReader(connection);
    } catch (error) {
      this.volume.dead = true;
      connection.close();
      throw error;
    }
    this.main = reader;
    return reader;
  }

  private run(statement: Pointer): number {
    this.engine.functions.sqlite3_step(statement);
    return this.engine.functions.sqlite3_reset(statement);
  }
}

/** A reader of pages that do not change, in a volume of their own without a disk. */
export function readerOfPages(engine: SqliteEngine, pages: PageSource): RowReader {
  const files = new HandedOverFiles();
  return openReader(engine, new VfsVolume(files, { below: () => 0 }, null), files, pages);
}

function openReader(engine: SqliteEngine, volume: VfsVolume, files: HandedOverFiles, pages: PageSource): RowReader {
  files.handOver(new PageVfsFile(pages, null, SQLITE_IOCAP_IMMUTABLE));
  const connection = new SqliteConnection(engine, volume, "view", SQLITE_OPEN_READONLY);
  try {
    connection.execute(`PRAGMA cache_size=-${VIEW_CACHE_KIB}`);
    return new RowReader(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}
