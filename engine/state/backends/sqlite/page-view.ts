import type { PageFile } from "./page-file.ts";
import { SQLITE_OK } from "./sqlite-codes.ts";

/**
 * A database file as it was at one moment. When a page is about to be overwritten for the first time since the
 * newest view was made, its old image goes into that view; an older view that misses a page looks for it in the
 * views made after it, then in the present file. So each image is kept once, however many views there are.
 */
export class PageView {
  readonly pageCount: number;
  /** For the file and its views alone. */
  readonly images: Map<number, Uint8Array> = new Map();
  older: PageView | null;
  newer: PageView | null = null;
  private readonly file: PageFile;
  private closed = false;

  constructor(file: PageFile, pageCount: number, older: PageView | null) {
    this.file = file;
    this.pageCount = pageCount;
    this.older = older;
    if (older !== null) older.newer = this;
  }

  /** Fills `target` with a page below `pageCount`; a code of sqlite-codes.ts, as of PageFile.readPage. */
  readPage(page: number, target: Uint8Array): number {
    let image = this.images.get(page);
    for (let view = this.newer; view !== null && image === undefined; view = view.newer) image = view.images.get(page);
    if (image === undefined) return this.file.readPage(page, target);
    target.set(image);
    return SQLITE_OK;
  }

  /** Drops what no older view needs. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { older, newer } = this;
    if (older !== null) {
      older.newer = newer;
      for (const [page, image] of this.images) {
        if (page < older.pageCount && !older.images.has(page)) older.images.set(page, image);
      }
    }
    if (newer !== null) newer.older = older;
    this.images.clear();
    this.file.viewClosed(this, older);
  }
}
