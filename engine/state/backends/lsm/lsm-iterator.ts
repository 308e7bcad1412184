import { invariant } from "../../../base/assert.ts";
import type { StoreIterator } from "../../ordered-store.ts";
import { compareKeys, copyBytes } from "./key-order.ts";
import { MergeCursor } from "./merge-cursor.ts";
import type { Moment, MomentKeeper } from "./moment.ts";
import { NO_BYTES, TOMBSTONE, type RowCursor } from "./row-cursor.ts";
import type { Version } from "./version.ts";

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
    copyBytes(rows.key, rows.keyStart, rows.keyLength, this.keyCopy, 0);
    this.isKeyCopied = true;
    return this.keyCopy;
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
