import { crc32 } from "../../../base/crc32.ts";
import { invariant } from "../../../base/assert.ts";
import type { Disk } from "../../../ports/disk.ts";
import { ENOSPC } from "../../../ports/disk.ts";
import { StateStorageError } from "../../state-errors.ts";
import { ChangedPages } from "./changed-pages.ts";
import { PageView } from "./page-view.ts";
import {
  SQLITE_FULL,
  SQLITE_IOERR_FSYNC,
  SQLITE_IOERR_READ,
  SQLITE_IOERR_SHORT_READ,
  SQLITE_IOERR_TRUNCATE,
  SQLITE_IOERR_WRITE,
  SQLITE_OK,
} from "./sqlite-codes.ts";
import type { VfsFile } from "./vfs-volume.ts";
import { expectDone, readFully, storageError, writeFully } from "./whole-file-io.ts";

export const PAGE_BYTES = 4096;
const FIRST_PAGES = 64;

/** CRC-32 of a page and its place: the number goes in as what precedes the bytes, so a page in another's place differs. */
function pageChecksum(page: number, bytes: Uint8Array): number {
  return crc32(bytes, 0, PAGE_BYTES, page);
}

/**
 * The running database file: pages on the disk, and what is known about each of them in memory: its checksum,
 * and the generation in which it was last written.
 *
 * The checksums are in memory alone because the file never outlives the attempt: what is flushed or part of a
 * snapshot is kept in packs with checksums of their own. So a page that the disk lost, tore, put in another's
 * place or gave back in an older version is told from the one that was written.
 *
 * Methods return codes of sqlite-codes.ts; the first failure is kept in `failure`.
 */
export class PageFile {
  readonly path: string;
  /** Pages that no confirmed snapshot has in this version. */
  readonly sinceSnapshot: ChangedPages = new ChangedPages();
  /** Pages that are not flushed in this version. */
  readonly sinceFlush: ChangedPages = new ChangedPages();
  failure: StateStorageError | null = null;
  pageCount = 0;
  private readonly disk: Disk;
  private readonly descriptor: number;
  private checksums: Uint32Array = new Uint32Array(FIRST_PAGES);
  private written: Uint32Array = new Uint32Array(FIRST_PAGES);
  private generation = 1;
  private newest: PageView | null = null;

  /** Makes the file, or empties it. Throws StateStorageError. */
  constructor(disk: Disk, path: string) {
    this.disk = disk;
    this.path = path;
    this.descriptor = expectDone(disk.open(path, "create"), path, "creating it");
  }

  /** Fills `target`, PAGE_BYTES long, with a page below `pageCount`. */
  readPage(page: number, target: Uint8Array): number {
    const count = readFully(this.disk, this.descriptor, target, 0, PAGE_BYTES, page * PAGE_BYTES);
    if (count < 0) return this.failed(count, `reading page ${page}`, SQLITE_IOERR_READ);
    if (count < PAGE_BYTES) return this.damaged(`page ${page} ends after ${count} bytes`);
    return this.checkPage(page, target) ? SQLITE_OK : this.damaged(`page ${page} is not what was written`);
  }

  checkPage(page: number, bytes: Uint8Array): boolean {
    return pageChecksum(page, bytes) === this.checksums[page];
  }

  writePage(page: number, source: Uint8Array): number {
    const kept = this.keepImage(page);
    if (kept !== SQLITE_OK) return kept;
    const result = writeFully(this.disk, this.descriptor, source, 0, PAGE_BYTES, page * PAGE_BYTES);
    if (result < 0) return this.failed(result, `writing page ${page}`, SQLITE_IOERR_WRITE);
    if (page >= this.pageCount) this.extend(page + 1);
    this.note(page, pageChecksum(page, source));
    return SQLITE_OK;
  }

  /** Pages one after the other, into a file that has no views: how a whole database is put back. */
  appendPages(bytes: Uint8Array): void {
    const first = this.pageCount;
    const count = bytes.length / PAGE_BYTES;
    const result = writeFully(this.disk, this.descriptor, bytes, 0, bytes.length, first * PAGE_BYTES);
    expectDone(result, this.path, `writing ${count} pages`);
    this.extend(first + count);
    for (let i = 0; i < count; i++) {
      this.note(first + i, pageChecksum(first + i, bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES)));
    }
  }

  truncate(pageCount: number): number {
    if (pageCount >= this.pageCount) return SQLITE_OK;
    for (let page = pageCount; page < this.pageCount; page++) {
      const kept = this.keepImage(page);
      if (kept !== SQLITE_OK) return kept;
    }
    const result = this.disk.truncate(this.descriptor, pageCount * PAGE_BYTES);
    if (result < 0) return this.failed(result, `cutting it to ${pageCount} pages`, SQLITE_IOERR_TRUNCATE);
    this.pageCount = pageCount;
    return SQLITE_OK;
  }

  sync(): number {
    const result = this.disk.fsync(this.descriptor);
    return result < 0 ? this.failed(result, "making it durable", SQLITE_IOERR_FSYNC) : SQLITE_OK;
  }

  /** Nothing depends on the file any more then, so it does not matter what the disk says. */
  close(): void {
    this.disk.close(this.descriptor);
  }

  /** The generation that ends here: what is written from now on belongs to the next. */
  endGeneration(): number {
    this.generation += 1;
    return this.generation - 1;
  }

  /** The generation in which a page was last written. */
  writtenIn(page: number): number {
    return this.written[page] ?? 0;
  }

  view(): PageView {
    this.newest = new PageView(this, this.pageCount, this.newest);
    return this.newest;
  }

  viewClosed(view: PageView, older: PageView | null): void {
    if (this.newest === view) this.newest = older;
  }

  /** Images of overwritten pages that views keep in memory; 0 when none is open. */
  get keptImages(): number {
    let count = 0;
    for (let view = this.newest; view !== null; view = view.older) count += view.images.size;
    return count;
  }

  private keepImage(page: number): number {
    const view = this.newest;
    if (view === null || page >= view.pageCount || view.images.has(page)) return SQLITE_OK;
    const image = new Uint8Array(PAGE_BYTES);
    const code = this.readPage(page, image);
    if (code === SQLITE_OK) view.images.set(page, image);
    return code;
  }

  /** Pages that were skipped are holes: zeros. */
  private extend(pageCount: number): void {
    while (pageCount > this.checksums.length) {
      this.checksums = doubled(this.checksums);
      this.written = doubled(this.written);
    }
    if (pageCount > this.pageCount + 1) {
      const hole = new Uint8Array(PAGE_BYTES);
      for (let page = this.pageCount; page < pageCount - 1; page++) this.note(page, pageChecksum(page, hole));
    }
    this.pageCount = pageCount;
  }

  private note(page: number, checksum: number): void {
    this.checksums[page] = checksum;
    this.written[page] = this.generation;
    this.sinceSnapshot.add(page);
    this.sinceFlush.add(page);
  }

  private failed(result: number, doing: string, code: number): number {
    this.failure ??= storageError(result, this.path, doing);
    return result === ENOSPC ? SQLITE_FULL : code;
  }

  private damaged(fact: string): number {
    this.failure ??= new StateStorageError("corrupt", this.path, fact);
    return SQLITE_IOERR_READ;
  }
}

function doubled(numbers: Uint32Array): Uint32Array {
  const grown = new Uint32Array(numbers.length * 2);
  grown.set(numbers);
  return grown;
}

/** What has pages: the running file, a view of it, or a copy in memory. */
export interface PageSource {
  readonly pageCount: number;
  readPage(page: number, target: Uint8Array): number;
}

/** Pages as a file that SQLite reads. SQLite writes whole pages and reads parts only of the first. */
export class PageVfsFile implements VfsFile {
  readonly capabilities: number;
  private readonly source: PageSource;
  private readonly target: PageFile | null;
  private readonly page: Uint8Array = new Uint8Array(PAGE_BYTES);

  /** `target`: where writes go, null for a file that is only read. */
  constructor(source: PageSource, target: PageFile | null, capabilities: number) {
    this.source = source;
    this.target = target;
    this.capabilities = capabilities;
  }

  bufferFor(length: number): Uint8Array {
    invariant(length <= PAGE_BYTES, "SQLite reads and writes a page at most");
    return this.page;
  }

  read(length: number, position: number): number {
    const page = Math.floor(position / PAGE_BYTES);
    if (page >= this.source.pageCount) {
      this.page.fill(0);
      return SQLITE_IOERR_SHORT_READ;
    }
    const code = this.source.readPage(page, this.page);
    if (code !== SQLITE_OK || length === PAGE_BYTES) return code;
    const start = position - page * PAGE_BYTES;
    invariant(start + length <= PAGE_BYTES, "what SQLite reads lies in one page");
    this.page.copyWithin(0, start, start + length);
    return SQLITE_OK;
  }

  write(length: number, position: number): number {
    const page = position / PAGE_BYTES;
    invariant(length === PAGE_BYTES && Number.isInteger(page), "SQLite writes whole pages");
    return this.target === null ? SQLITE_IOERR_WRITE : this.target.writePage(page, this.page);
  }

  truncate(sizeBytes: number): number {
    return this.target === null ? SQLITE_IOERR_TRUNCATE : this.target.truncate(Math.ceil(sizeBytes / PAGE_BYTES));
  }

  sync(): number {
    return this.target === null ? SQLITE_OK : this.target.sync();
  }

  size(): number {
    return this.source.pageCount * PAGE_BYTES;
  }

  close(): number {
    return SQLITE_OK;
  }
}
