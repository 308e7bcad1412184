import { crc32 } from "../../../base/crc32.ts";
import { invariant } from "../../../base/assert.ts";
import type { Disk } from "../../../ports/disk.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import type {
  OrderedStore,
  QuietFiles,
  StoreFile,
  StoreFilesSnapshot,
  StoreIterator,
  StoreReader,
  StoreView,
} from "../../ordered-store.ts";
import { makeDirectories } from "../../local-directory.ts";
import { StateStorageError } from "../../state-errors.ts";
import { decoded, FlushedState } from "./flushed-state.ts";
import { KvDatabase } from "./kv-database.ts";
import { MergedIterator, type IteratorOwner } from "./merged-iterator.ts";
import { PackChain } from "./pack-chain.ts";
import { assemblePacks, readPack } from "./page-pack.ts";
import type { PageView } from "./page-view.ts";
import type { RowReader } from "./row-reader.ts";
import { primaryCode, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_NOTADB } from "./sqlite-codes.ts";
import { SqliteFailure } from "./sqlite-connection.ts";
import type { Abandonable, SqliteEngine } from "./sqlite-engine.ts";
import { SqliteInspection } from "./sqlite-inspection.ts";
import { SqliteSnapshot, type SnapshotOwner } from "./sqlite-snapshot.ts";
import { SqliteView, type ViewOwner } from "./sqlite-view.ts";
import type { VfsVolume } from "./vfs-volume.ts";
import { WriteBuffer } from "./write-buffer.ts";

const DATABASE = "kv.sqlite";
const DEFAULT_WRITE_BUFFER_BYTES = 16 << 20;
const DEFAULT_CACHE_BYTES = 128 << 20;
const KIB = 1024;

export interface SqliteStoreOptions {
  readonly engine: SqliteEngine;
  readonly disk: Disk;
  /** Absolute; made if it is missing. */
  readonly directory: string;
  /** In the names of the files of snapshots: no other store, of any attempt, has had it or gets it. */
  readonly storeId: string;
  /** What SQLite's own random numbers come from. */
  readonly random: RandomStream;
  /** Bytes of keys and values that wait for a transaction, at most (a single row may be larger). */
  readonly writeBufferBytes?: number;
  /** What SQLite keeps of pages in memory, at most. */
  readonly cacheBytes?: number;
}

/**
 * An ordered store in SQLite: one table, on a database file of pages that our VFS checks, freezes and tracks.
 *
 * Writes wait in a buffer and go to the database in one transaction, in the order of keys. A frozen view is the
 * pages as they were (PageView); a snapshot is the pages that changed (PackChain); `flush` keeps packs of pages on
 * the disk (FlushedState has the argument why that survives a power loss). The database file itself never outlives
 * the attempt.
 */
export class SqliteStore implements OrderedStore, Abandonable, IteratorOwner, ViewOwner, SnapshotOwner {
  private readonly engine: SqliteEngine;
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly storeId: string;
  private readonly writeBufferBytes: number;
  private readonly database: KvDatabase;
  private readonly flushed: FlushedState;
  private readonly buffer: WriteBuffer = new WriteBuffer();
  private readonly chain: PackChain = new PackChain();
  private readonly pending: Map<number, SqliteSnapshot> = new Map();
  private readonly iterators: Set<MergedIterator> = new Set();
  private readonly views: Set<SqliteView> = new Set();
  /** Views that iterators were moved to, by iterator. */
  private readonly moved: Map<MergedIterator, SqliteView> = new Map();
  private inspection: SqliteInspection | null = null;
  private lastPack = 0;
  private used = false;
  private failure: StateStorageError | null = null;
  private abandoned = false;
  private closed = false;

  /** Opens what `flush` left in the directory, or an empty store. Throws StateStorageError. */
  constructor(options: SqliteStoreOptions) {
    const { engine, disk, directory, random } = options;
    this.engine = engine;
    this.disk = disk;
    this.directory = directory;
    this.storeId = options.storeId;
    this.writeBufferBytes = options.writeBufferBytes ?? DEFAULT_WRITE_BUFFER_BYTES;
    const cacheKib = Math.ceil((options.cacheBytes ?? DEFAULT_CACHE_BYTES) / KIB);
    makeDirectories(disk, directory);
    this.database = new KvDatabase(engine, disk, `${directory}/${DATABASE}`, random, cacheKib);
    this.flushed = new FlushedState(disk, directory);
    try {
      this.flushed.recover(this.database.file);
    } catch (error) {
      if (error instanceof StateStorageError) this.database.file.close();
      throw error;
    }
    engine.register(this);
  }

  get volume(): VfsVolume {
    return this.database.volume;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.use();
    this.buffer.put(key, value);
    if (this.buffer.sizeBytes >= this.writeBufferBytes) this.writeOut();
  }

  delete(key: Uint8Array): void {
    this.use();
    this.buffer.delete(key);
    if (this.buffer.sizeBytes >= this.writeBufferBytes) this.writeOut();
  }

  get(key: Uint8Array): Uint8Array | null {
    this.use();
    const buffered = this.buffer.get(key);
    if (buffered !== undefined) return buffered;
    try {
      return this.database.reader().get(key);
    } catch (error) {
      this.fail(error);
    }
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    this.use();
    const buffered = this.buffer.range(from, to);
    const cursor = this.guarded(() => this.database.reader().iterate(from, false, to));
    const iterator = new MergedIterator(this, cursor, buffered, from.slice(), to === null ? null : to.slice());
    this.iterators.add(iterator);
    return iterator;
  }

  view(): StoreView {
    this.use();
    this.writeOut();
    return this.freeze();
  }

  flush(): void {
    this.use();
    this.writeOut();
    this.guarded(() => this.flushed.flush(this.database.file));
  }

  snapshotFiles(checkpointId: number): StoreFilesSnapshot {
    this.use();
    invariant(!this.pending.has(checkpointId), "a checkpoint takes one snapshot of a store");
    this.writeOut();
    const { file } = this.database;
    // What an earlier snapshot under way does not need may be gone when this one is complete.
    const plan = this.chain.plan(file.sinceSnapshot.sorted(), (pack) => {
      for (const earlier of this.pending.values()) if (!earlier.kept.includes(pack)) return true;
      return false;
    });
    this.lastPack += 1;
    const name = `${this.storeId}-${this.lastPack}.pack`;
    const snapshot = new SqliteSnapshot(this, checkpointId, name, plan, file.view(), file.endGeneration());
    this.pending.set(checkpointId, snapshot);
    return snapshot;
  }

  confirm(checkpointId: number): void {
    const snapshot = this.pending.get(checkpointId);
    if (snapshot === undefined || !snapshot.isComplete) return;
    this.chain.commit(snapshot.kept, snapshot.added);
    const { file } = this.database;
    file.sinceSnapshot.keepWrittenAfter(snapshot.generation, (page) => file.writtenIn(page));
    for (const id of [...this.pending.keys()]) if (id <= checkpointId) this.pending.delete(id);
  }

  abort(checkpointId: number): void {
    this.pending.delete(checkpointId);
  }

  /**
   * The checksum of each file stands for its pages; what they hold is a database that SQLite had committed.
   * Where the files are not kept, no snapshot of this store is confirmed yet: the next one is a full one.
   */
  restoreFiles(files: readonly StoreFile[], areKept: boolean = false): void {
    invariant(!this.used, "files are restored before the first use");
    this.use();
    this.guarded(() => {
      const { file } = this.database;
      const packs = files.map(({ name, sizeBytes, checksum, bytes }) => {
        invariant(bytes !== null, "a restore is given the bytes of all files");
        if (bytes.length !== sizeBytes || crc32(bytes) !== checksum) {
          throw new StateStorageError("corrupt", name, "not the file that the snapshot gave");
        }
        return decoded(name, () => readPack(bytes));
      });
      if (file.truncate(0) !== 0) throw file.failure!;
      decoded(files.at(-1)?.name ?? this.directory, () => assemblePacks(packs, file));
      if (!areKept) return;
      const kept = files.map(({ name, sizeBytes, checksum }, i) => ({ name, sizeBytes, checksum, pages: packs[i]!.pages }));
      this.chain.load(kept, file.pageCount);
      file.sinceSnapshot.keepWrittenAfter(file.endGeneration(), (page) => file.writtenIn(page));
    });
  }

  get needsMaintenance(): boolean {
    return false;
  }

  maintain(): void {}

  inspect(files: QuietFiles): StoreReader {
    invariant(!this.engine.isIn(this.volume), "a store is inspected between its transactions");
    const { file } = this.database;
    this.inspection?.close();
    this.inspection = new SqliteInspection(this.engine, file, files.read(file.path), this.buffer);
    return this.inspection;
  }

  statistics(): Readonly<Record<string, number>> {
    return {};
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { abandoned } = this;
    this.abandon();
    if (!abandoned) this.database.file.close();
  }

  destroy(): void {
    this.close();
    const names = this.disk.list(this.directory);
    if (typeof names !== "number") for (const name of names) this.disk.unlink(`${this.directory}/${name}`);
    this.disk.removeDirectory(this.directory);
  }

  abandon(): void {
    if (this.abandoned) return;
    this.abandoned = true;
    this.volume.dead = true;
    this.inspection?.close();
    for (const iterator of [...this.iterators]) iterator.close();
    for (const view of [...this.views]) view.close();
    this.database.close();
    this.pending.clear();
    this.engine.unregister(this);
  }

  guarded<T>(work: () => T): T {
    this.use();
    try {
      return work();
    } catch (error) {
      this.fail(error);
    }
  }

  use(): void {
    this.used = true;
    if (this.failure !== null) throw this.failure;
    invariant(!this.abandoned, "a store that is closed is not used");
  }

  /** Ends the store with what went wrong: the page file's failure if there is one, or SQLite's. */
  fail(error: unknown): never {
    this.volume.dead = true;
    const { file } = this.database;
    if (error instanceof StateStorageError) this.failure ??= error;
    else if (error instanceof SqliteFailure) this.failure ??= file.failure ?? storageErrorOf(error, file.path);
    else throw error;
    throw this.failure;
  }

  iteratorClosed(iterator: MergedIterator): void {
    this.iterators.delete(iterator);
    this.moved.get(iterator)?.close();
    this.moved.delete(iterator);
  }

  openReader(view: PageView): RowReader {
    return this.database.readerOf(view);
  }

  viewClosed(view: SqliteView): void {
    this.views.delete(view);
  }

  readFailed(): never {
    this.fail(this.database.file.failure);
  }

  gaveUp(snapshot: SqliteSnapshot): void {
    if (this.pending.get(snapshot.checkpointId) === snapshot) this.pending.delete(snapshot.checkpointId);
  }

  private freeze(): SqliteView {
    const view = new SqliteView(this, this.database.file.view());
    this.views.add(view);
    return view;
  }

  /** Brings the database up to date. */
  private writeOut(): void {
    const { buffer, database } = this;
    this.guarded(() => {
      database.reader();
      if (buffer.count === 0) return;
      for (const iterator of this.iterators) {
        if (this.moved.has(iterator)) continue;
        const view = this.freeze();
        this.moved.set(iterator, view);
        iterator.moveTo(view.open());
      }
      database.write(buffer);
      buffer.clear(this.iterators.size === 0 && this.inspection === null);
    });
  }

}

function storageErrorOf(failure: SqliteFailure, path: string): StateStorageError {
  const code = primaryCode(failure.code);
  const isCorrupt = code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
  return new StateStorageError(isCorrupt ? "corrupt" : code === SQLITE_FULL ? "no-space" : "io", path, failure.message);
}
