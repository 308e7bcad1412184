import { invariant } from "../../../base/assert.ts";
import type { StoreIterator, StoreReader, StoreView } from "../../ordered-store.ts";
import { compareKeys } from "./key-order.ts";
import type { Memtable } from "./memtable.ts";
import { MergeCursor } from "./merge-cursor.ts";
import { NO_BYTES, TOMBSTONE, type RowCursor } from "./row-cursor.ts";
import type { TableSource } from "./table.ts";
import type { Version } from "./version.ts";

/** Keeps what readers of an old moment need. */
export interface MomentKeeper {
  /** Throws what made the store unusable. */
  requireIntact(): void;
  /** A view or iterator is done with this version. */
  release(version: Version): void;
}

/** Where the rows of one moment are: the memtable up to a write, and a version of the tables. */
export interface Moment {
  readonly memtable: Memtable;
  readonly sequence: number;
  readonly version: Version;
  readonly source: TableSource;
}

export function getAt(moment: Moment, key: Uint8Array): Uint8Array | null {
  const written = moment.memtable.get(key, moment.sequence);
  if (written !== undefined) return written;
  return moment.version.get(key, moment.source) ?? null;
}

/** All rows of [from, to) at a moment, tombstones among them. */
function cursorAt(moment: Moment, from: Uint8Array, to: Uint8Array | null, readAheadBytes: number): RowCursor {
  const cursors: RowCursor[] = [];
  if (!moment.memtable.isEmpty) cursors.push(moment.memtable.cursor(moment.sequence));
  moment.version.addCursors(cursors, moment.source, from, to, readAheadBytes);
  return new MergeCursor(cursors);
}

/** Bytes that a long scan reads at a time. */
const READ_AHEAD_BYTES = 1 << 15;

/** The rows of a moment that are not deleted. */
export class LsmIterator implements StoreIterator {
  private readonly rows: RowCursor;
  private readonly from: Uint8Array;
  private readonly to: Uint8Array | null;
  private readonly version: Version;
  /** Null: nothing is kept for this iterator. */
  private readonly keeper: MomentKeeper | null;
  private isStarted = false;
  private isAtRow = false;
  private isClosed = false;
  private keyCopy: Uint8Array = NO_BYTES;
  /** `keyCopy` holds the key of the row at hand. */
  private isKeyCopied = false;

  constructor(moment: Moment, from: Uint8Array, to: Uint8Array | null, keeper: MomentKeeper | null) {
    this.from = from.slice();
    this.to = to === null ? null : to.slice();
    this.version = moment.version;
    this.keeper = keeper;
    this.rows = cursorAt(moment, this.from, this.to, READ_AHEAD_BYTES);
    if (keeper !== null) moment.version.acquire();
  }

  next(): boolean {
    if (this.isClosed) return false;
    this.keeper?.requireIntact();
    const { rows, to } = this;
    this.isKeyCopied = false;
    let isMore = this.advance();
    while (isMore && rows.valueLength === TOMBSTONE) isMore = rows.next();
    if (isMore && to !== null && compareKeys(rows.key, rows.keyStart, rows.keyLength, to, 0, to.length) >= 0) {
      isMore = false;
    }
    this.isAtRow = isMore;
    return isMore;
  }

  get key(): Uint8Array {
    invariant(this.isAtRow, "a key is asked for at a row");
    const { rows } = this;
    if (this.isKeyCopied) return this.keyCopy;
    // The same array serves all keys of a length: making one costs more than filling it.
    if (this.keyCopy.length !== rows.keyLength) this.keyCopy = new Uint8Array(rows.keyLength);
    const { keyCopy } = this;
    const { key, keyStart } = rows;
    for (let i = 0; i < keyCopy.length; i++) keyCopy[i] = key[keyStart + i]!;
    this.isKeyCopied = true;
    return keyCopy;
  }

  get value(): Uint8Array {
    invariant(this.isAtRow, "a value is asked for at a row");
    const { rows } = this;
    return rows.valueSource.subarray(rows.valueStart, rows.valueStart + rows.valueLength);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isAtRow = false;
    this.keeper?.release(this.version);
  }

  private advance(): boolean {
    if (this.isStarted) return this.isAtRow && this.rows.next();
    this.isStarted = true;
    return this.rows.seek(this.from);
  }
}

/** A moment that is kept: the memtable keeps older versions in memory, the version keeps its tables on disk. */
export class LsmView implements StoreView {
  private readonly moment: Moment;
  private readonly keeper: MomentKeeper;
  private readonly onClose: () => void;
  private isClosed = false;

  constructor(moment: Moment, keeper: MomentKeeper, onClose: () => void) {
    this.moment = moment;
    this.keeper = keeper;
    this.onClose = onClose;
    moment.version.acquire();
  }

  get(key: Uint8Array): Uint8Array | null {
    invariant(!this.isClosed, "a view is read before it is closed");
    this.keeper.requireIntact();
    return getAt(this.moment, key);
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    invariant(!this.isClosed, "a view is read before it is closed");
    this.keeper.requireIntact();
    return new LsmIterator(this.moment, from, to, this.keeper);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose();
    this.keeper.release(this.moment.version);
  }
}

/** The present contents for people and oracles: nothing is kept for it, and nothing changes by it. */
export class LsmInspection implements StoreReader {
  private readonly moment: Moment;

  constructor(moment: Moment) {
    this.moment = moment;
  }

  get(key: Uint8Array): Uint8Array | null {
    return getAt(this.moment, key);
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    return new LsmIterator(this.moment, from, to, null);
  }
}
