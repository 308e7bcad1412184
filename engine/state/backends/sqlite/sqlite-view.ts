import type { StoreIterator, StoreView } from "../../ordered-store.ts";
import { MergedIterator, type IteratorOwner } from "./merged-iterator.ts";
import type { PageView } from "./page-view.ts";
import type { RowReader } from "./row-reader.ts";

/** What a view needs of the store it is of. */
export interface ViewOwner {
  use(): void;
  fail(error: unknown): never;
  guarded<T>(work: () => T): T;
  openReader(view: PageView): RowReader;
  viewClosed(view: SqliteView): void;
}

/** The store as it was: a connection of its own on the pages of a PageView, opened when it is first read. */
export class SqliteView implements StoreView, IteratorOwner {
  private readonly owner: ViewOwner;
  private readonly pages: PageView;
  private reader: RowReader | null = null;
  private readonly iterators: Set<MergedIterator> = new Set();
  private closed = false;

  constructor(owner: ViewOwner, pages: PageView) {
    this.owner = owner;
    this.pages = pages;
  }

  get(key: Uint8Array): Uint8Array | null {
    this.owner.use();
    try {
      return this.open().get(key);
    } catch (error) {
      this.owner.fail(error);
    }
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    const cursor = this.owner.guarded(() => this.open().iterate(from, false, to));
    const iterator = new MergedIterator(this, cursor, [], from.slice(), to === null ? null : to.slice());
    this.iterators.add(iterator);
    return iterator;
  }

  use(): void {
    this.owner.use();
  }

  fail(error: unknown): never {
    this.owner.fail(error);
  }

  iteratorClosed(iterator: MergedIterator): void {
    this.iterators.delete(iterator);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const iterator of [...this.iterators]) iterator.close();
    this.reader?.close();
    this.reader = null;
    this.pages.close();
    this.owner.viewClosed(this);
  }

  open(): RowReader {
    this.reader ??= this.owner.openReader(this.pages);
    return this.reader;
  }
}
