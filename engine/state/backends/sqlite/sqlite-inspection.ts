import { StateStorageError } from "../../state-errors.ts";
import type { StoreIterator, StoreReader } from "../../ordered-store.ts";
import { readerOfPages } from "./kv-database.ts";
import { MergedIterator, type IteratorOwner } from "./merged-iterator.ts";
import { PAGE_BYTES, type PageFile, type PageSource } from "./page-file.ts";
import type { RowReader } from "./row-reader.ts";
import { SQLITE_IOERR_READ, SQLITE_OK } from "./sqlite-codes.ts";
import { SqliteFailure } from "./sqlite-connection.ts";
import type { SqliteEngine } from "./sqlite-engine.ts";
import type { WriteBuffer } from "./write-buffer.ts";

/** The bytes of the database file, held against the checksums that the running store has of its pages. */
class InspectedPages implements PageSource {
  failure: StateStorageError | null = null;
  readonly pageCount: number;
  private readonly bytes: Uint8Array;
  private readonly file: PageFile;

  constructor(bytes: Uint8Array, file: PageFile) {
    this.bytes = bytes;
    this.file = file;
    this.pageCount = file.pageCount;
  }

  readPage(page: number, target: Uint8Array): number {
    const start = page * PAGE_BYTES;
    if (start + PAGE_BYTES <= this.bytes.length) {
      target.set(this.bytes.subarray(start, start + PAGE_BYTES));
      if (this.file.checkPage(page, target)) return SQLITE_OK;
    }
    this.failure ??= new StateStorageError("corrupt", this.file.path, `page ${page} is not what was written`);
    return SQLITE_IOERR_READ;
  }
}

/**
 * The contents of a store whose process stands still, read from the bytes of its file and its write buffer
 * through a connection that is opened for each call (an iterator keeps its own): the store's own connection, its
 * cache and the disk port take no part in it.
 */
export class SqliteInspection implements StoreReader, IteratorOwner {
  private readonly engine: SqliteEngine;
  /** Null: there is no database yet. */
  private readonly pages: InspectedPages | null;
  private readonly path: string;
  private readonly buffer: WriteBuffer;
  private readonly open: Map<MergedIterator, RowReader> = new Map();

  constructor(engine: SqliteEngine, file: PageFile, bytes: Uint8Array | null, buffer: WriteBuffer) {
    this.engine = engine;
    this.path = file.path;
    this.pages = file.pageCount === 0 ? null : new InspectedPages(bytes ?? new Uint8Array(0), file);
    this.buffer = buffer;
  }

  get(key: Uint8Array): Uint8Array | null {
    const buffered = this.buffer.get(key);
    const { pages } = this;
    if (buffered !== undefined || pages === null) return buffered ?? null;
    const reader = this.openReader(pages);
    try {
      return reader.get(key);
    } catch (error) {
      this.fail(error);
    } finally {
      // Gives up memory alone: there is no world behind these pages.
      reader.close();
    }
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    const { pages } = this;
    const buffered = this.buffer.range(from, to);
    const reader = pages === null ? null : this.openReader(pages);
    const cursor = reader?.iterate(from, false, to) ?? null;
    const iterator = new MergedIterator(this, cursor, buffered, from.slice(), to === null ? null : to.slice());
    if (reader !== null) this.open.set(iterator, reader);
    return iterator;
  }

  /** Bytes that were taken once can always be read. */
  use(): void {}

  fail(error: unknown): never {
    if (!(error instanceof SqliteFailure)) throw error;
    throw this.pages?.failure ?? new StateStorageError("corrupt", this.path, error.message);
  }

  iteratorClosed(iterator: MergedIterator): void {
    this.open.get(iterator)?.close();
    this.open.delete(iterator);
  }

  private openReader(pages: InspectedPages): RowReader {
    try {
      return readerOfPages(this.engine, pages);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends what was left open. */
  close(): void {
    for (const iterator of [...this.open.keys()]) iterator.close();
  }
}
