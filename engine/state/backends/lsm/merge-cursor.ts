import { compareKeys, copyBytes } from "./key-order.ts";
import { NO_BYTES, TOMBSTONE, type RowCursor } from "./row-cursor.ts";

const MIN_KEY_BYTES = 64;

/**
 * Several cursors as one: keys in ascending order, and of several rows with one key the one of the newest
 * cursor (the first in the list). A binary heap by key, then by age.
 */
export class MergeCursor implements RowCursor {
  /** A copy: a cursor's own key goes when it moves on. */
  key: Uint8Array = new Uint8Array(MIN_KEY_BYTES);
  readonly keyStart: number = 0;
  keyLength = 0;
  valueSource: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueLength: number = TOMBSTONE;
  private readonly cursors: readonly RowCursor[];
  /** Places in `cursors`. */
  private readonly heap: Int32Array;
  private size = 0;

  /** Newest first. */
  constructor(cursors: readonly RowCursor[]) {
    this.cursors = cursors;
    this.heap = new Int32Array(cursors.length);
  }

  seek(from: Uint8Array): boolean {
    this.size = 0;
    for (let i = 0; i < this.cursors.length; i++) if (this.cursors[i]!.seek(from)) this.heap[this.size++] = i;
    for (let i = (this.size >>> 1) - 1; i >= 0; i--) this.sift(i);
    return this.load();
  }

  next(): boolean {
    if (this.size === 0) return false;
    const { heap, cursors } = this;
    this.advance();
    // Older rows of the same key.
    while (this.size > 0) {
      const top = cursors[heap[0]!]!;
      if (compareKeys(top.key, top.keyStart, top.keyLength, this.key, 0, this.keyLength) !== 0) break;
      this.advance();
    }
    return this.load();
  }

  private load(): boolean {
    if (this.size === 0) return false;
    const top = this.cursors[this.heap[0]!]!;
    const { keyLength } = top;
    if (keyLength > this.key.length) this.key = new Uint8Array(keyLength * 2);
    copyBytes(top.key, top.keyStart, keyLength, this.key, 0);
    this.keyLength = keyLength;
    this.valueSource = top.valueSource;
    this.valueStart = top.valueStart;
    this.valueLength = top.valueLength;
    return true;
  }

  private advance(): void {
    const { heap } = this;
    if (!this.cursors[heap[0]!]!.next()) {
      this.size -= 1;
      if (this.size === 0) return;
      heap[0] = heap[this.size]!;
    }
    if (this.size > 1) this.sift(0);
  }

  private sift(start: number): void {
    const { heap, size } = this;
    const moving = heap[start]!;
    let at = start;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!this.isBefore(heap[child]!, moving)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moving;
  }

  private isBefore(left: number, right: number): boolean {
    const a = this.cursors[left]!;
    const b = this.cursors[right]!;
    const order = compareKeys(a.key, a.keyStart, a.keyLength, b.key, b.keyStart, b.keyLength);
    return order === 0 ? left < right : order < 0;
  }
}
