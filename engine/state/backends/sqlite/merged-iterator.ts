import { compareBytes } from "../../../base/byte-order.ts";
import type { StoreIterator } from "../../ordered-store.ts";
import type { RowCursor, RowReader } from "./row-reader.ts";
import type { BufferedRow } from "./write-buffer.ts";

const NO_BYTES = new Uint8Array(0);

/** What an iterator needs of the store that made it. */
export interface IteratorOwner {
  /** Throws if it can no longer be read. */
  use(): void;
  /** What reading the database threw ends the store; throws what the caller is to see. */
  fail(error: unknown): never;
  /** It is closed: what was opened for it alone may be given up. */
  iteratorClosed(iterator: MergedIterator): void;
}

/**
 * Rows of the database merged with rows of the write buffer as they were when the iterator was made; of a key
 * that both have, the buffer's counts. The database does not change under it: before a transaction the store
 * moves open iterators to a view (`moveTo`).
 */
export class MergedIterator implements StoreIterator {
  key: Uint8Array = NO_BYTES;
  value: Uint8Array = NO_BYTES;
  private readonly owner: IteratorOwner;
  private readonly buffered: readonly BufferedRow[];
  private readonly to: Uint8Array | null;
  private cursor: RowCursor | null;
  private nextBuffered = 0;
  /** The database's row that is not given out yet. */
  private waiting = false;
  /** The key at which the database's rows go on, and whether it was read already. */
  private position: Uint8Array;
  private started = false;
  private closed = false;

  /** `cursor` null: there is no database yet. `from` and `to` are the iterator's own from here on. */
  constructor(
    owner: IteratorOwner,
    cursor: RowCursor | null,
    buffered: readonly BufferedRow[],
    from: Uint8Array,
    to: Uint8Array | null,
  ) {
    this.owner = owner;
    this.cursor = cursor;
    this.buffered = buffered;
    this.position = from;
    this.to = to;
  }

  next(): boolean {
    if (this.closed) return false;
    for (;;) {
      if (!this.waiting && this.cursor !== null) this.advance(this.cursor);
      const row = this.buffered[this.nextBuffered];
      const { cursor } = this;
      if (row === undefined && cursor === null) break;
      if (row === undefined || (cursor !== null && compareBytes(cursor.key, row.key) < 0)) return this.takeStored();
      // The buffer's row comes first, or stands in for the database's row of the same key.
      if (cursor !== null && compareBytes(cursor.key, row.key) === 0) this.waiting = false;
      this.nextBuffered += 1;
      if (row.value === null) continue;
      this.key = row.key;
      this.value = row.value;
      return true;
    }
    this.close();
    return false;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cursor?.close();
    this.cursor = null;
    this.owner.iteratorClosed(this);
  }

  /** Goes on with another reader of the same contents. */
  moveTo(reader: RowReader): void {
    if (this.cursor === null) return;
    const { cursor, waiting } = this;
    const moved = reader.iterate(this.position, this.started, this.to);
    if (waiting) {
      moved.key = cursor.key;
      moved.value = cursor.value;
    }
    cursor.close();
    this.cursor = moved;
  }

  private takeStored(): boolean {
    const cursor = this.cursor!;
    this.key = cursor.key;
    this.value = cursor.value;
    this.waiting = false;
    return true;
  }

  private advance(cursor: RowCursor): void {
    this.owner.use();
    let isRow: boolean;
    try {
      isRow = cursor.next();
    } catch (error) {
      this.owner.fail(error);
    }
    if (isRow) {
      this.waiting = true;
      this.started = true;
      this.position = cursor.key;
    } else this.cursor = null;
  }
}
