import { invariant } from "./assert.ts";
import { compareRanges } from "./byte-order.ts";
import type { StructuralEncoder } from "./structural-encoder.ts";

export { ByteReader, CorruptBytesError } from "./byte-reader.ts";
export { compareRanges };

const INITIAL_CAPACITY = 64;
/** Up to here a loop copies faster than a view is made for the built-in copy. */
const SHORT_COPY = 24;
const INSERTION_LIMIT = 24;
const TWO_28 = 0x10000000;
/** Memory that `take` lets make, in sizes of what it took: making some is much slower than filling it. */
const PIECES_PER_BUFFER = 4;
/** But for several pieces no more than this: one that is kept keeps the whole buffer. */
const SHARED_BUFFER_BYTES = 1 << 16;
const NO_BYTES = new Uint8Array(0);
/** Views up to this length are remembered. */
const REMEMBERED_VIEW_BYTES = 128;
/** Always written before it is read. */
const doubleBits = new DataView(new ArrayBuffer(8));

/** Bytes that `text` takes in UTF-8, or -1 if it holds a lone surrogate (which UTF-8 cannot express). */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) length += 1;
    else if (unit < 0xd800 || unit > 0xdfff) length += 2;
    else {
      const low = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) return -1;
      // Two units become four bytes; both units are counted once already.
      length += 2;
      i++;
    }
  }
  return length;
}

/** Bytes that `varuint` writes for a number. */
export function varuintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** A growing buffer. Multi-byte numbers are little-endian. */
export class ByteWriter {
  private buffer: Uint8Array = NO_BYTES;
  /** Of the present buffer, by length. */
  private views: (Uint8Array | undefined)[] | null = null;
  private at = 0;
  /** What a new buffer has room for, at least. */
  private capacity: number;
  /** Of those who write values here one by one and keep no encoder: see `encodeInto`. */
  encoder: StructuralEncoder | null = null;

  /** The first buffer, made with the first byte, has room for `capacity` bytes. */
  constructor(capacity: number = INITIAL_CAPACITY) {
    invariant(capacity >= 1, "a byte writer starts with room for a byte");
    this.capacity = capacity;
  }

  /** Bytes written so far. */
  get position(): number {
    return this.at;
  }

  /** Forgets everything written at `position` and after it. */
  truncate(position: number): void {
    invariant(position >= 0 && position <= this.at, "a byte writer only goes back");
    this.at = position;
  }

  u8(value: number): void {
    if (this.at === this.buffer.length) this.grow(1);
    this.buffer[this.at++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.buffer[this.at++] = value;
    this.buffer[this.at++] = value >>> 8;
  }

  u32(value: number): void {
    this.reserve(4);
    const buffer = this.buffer;
    buffer[this.at++] = value;
    buffer[this.at++] = value >>> 8;
    buffer[this.at++] = value >>> 16;
    buffer[this.at++] = value >>> 24;
  }

  f64(value: number): void {
    this.reserve(8);
    doubleBits.setFloat64(0, value, true);
    this.u32(doubleBits.getUint32(0, true));
    this.u32(doubleBits.getUint32(4, true));
  }

  /** A safe integer from 0 on, seven bits a byte, the least first; the top bit says that more follow. */
  varuint(value: number): void {
    this.reserve(8);
    const buffer = this.buffer;
    let at = this.at;
    let rest = value;
    if (rest >= TWO_28) {
      // Four bytes of it at a time: whole numbers below 2^28 are fast to take apart.
      const high = Math.floor(rest / TWO_28);
      const low = rest - high * TWO_28;
      buffer[at++] = low | 0x80;
      buffer[at++] = (low >>> 7) | 0x80;
      buffer[at++] = (low >>> 14) | 0x80;
      buffer[at++] = (low >>> 21) | 0x80;
      rest = high;
    }
    while (rest >= 0x80) {
      buffer[at++] = rest | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.at = at;
  }

  bytes(source: Uint8Array): void {
    this.append(source, 0, source.length);
  }

  /** Appends what another writer holds from `start` to `end`. */
  copyFrom(source: ByteWriter, start: number, end: number): void {
    invariant(source !== this && end <= source.at, "bytes are copied from what another writer has written");
    this.append(source.buffer, start, end);
  }

  /** A tag, the length and the characters of a short string of ASCII alone; false (nothing written) for others. */
  shortAscii(tag: number, text: string): boolean {
    const length = text.length;
    if (length >= 0x80) return false;
    this.reserve(length + 2);
    const buffer = this.buffer;
    const start = this.at + 2;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      buffer[start + i] = unit;
    }
    buffer[this.at] = tag;
    buffer[this.at + 1] = length;
    this.at = start + length;
    return true;
  }

  /** `text` in UTF-8; `byteLength` is what `utf8Length` said about it. */
  utf8(text: string, byteLength: number): void {
    invariant(byteLength >= text.length, "text written as UTF-8 has no lone surrogate");
    this.reserve(byteLength);
    const buffer = this.buffer;
    let at = this.at;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) {
        buffer[at++] = unit;
      } else if (unit < 0x800) {
        buffer[at++] = 0xc0 | (unit >> 6);
        buffer[at++] = 0x80 | (unit & 0x3f);
      } else if (unit < 0xd800 || unit > 0xdfff) {
        buffer[at++] = 0xe0 | (unit >> 12);
        buffer[at++] = 0x80 | ((unit >> 6) & 0x3f);
        buffer[at++] = 0x80 | (unit & 0x3f);
      } else {
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
        buffer[at++] = 0xf0 | (point >> 18);
        buffer[at++] = 0x80 | ((point >> 12) & 0x3f);
        buffer[at++] = 0x80 | ((point >> 6) & 0x3f);
        buffer[at++] = 0x80 | (point & 0x3f);
      }
    }
    this.at = at;
  }

  /**
   * Sorts items that were written one after the other up to the current position: item i starts at
   * `starts[i]` and its key ends at `keyEnds[i]`. Ascending by key bytes. Returns the index of an item whose
   * key another one has too, or -1 (with equal keys nothing is moved).
   */
  sortItems(starts: readonly number[], keyEnds: readonly number[]): number {
    const count = starts.length;
    const order: number[] = [];
    const repeated = this.orderItems(starts, keyEnds, count, order);
    if (repeated >= 0 || count === 0) return repeated;
    const first = starts[0]!;
    const copy = this.buffer.slice(first, this.at);
    const end = this.at;
    this.at = first;
    for (const item of order) {
      this.append(copy, starts[item]! - first, (item + 1 < count ? starts[item + 1]! : end) - first);
    }
    invariant(this.at === end, "sorting items moves bytes and loses none");
    return -1;
  }

  /**
   * Fills the first `count` places of `order` with the numbers of such items, ascending by key bytes, and
   * moves nothing. Returns like `sortItems`. Few items, the usual case, are inserted one by one: that is
   * faster than a sort that calls back, and takes one comparison each where they ascend already.
   */
  orderItems(starts: readonly number[], keyEnds: readonly number[], count: number, order: number[]): number {
    if (count > INSERTION_LIMIT) return this.orderMany(starts, keyEnds, count, order);
    const buffer = this.buffer;
    for (let item = 0; item < count; item++) {
      const start = starts[item]!;
      const end = keyEnds[item]!;
      let at = item;
      for (; at > 0; at--) {
        const before = order[at - 1]!;
        const difference = compareRanges(buffer, starts[before]!, keyEnds[before]!, start, end);
        if (difference < 0) break;
        if (difference === 0) return item;
        order[at] = before;
      }
      order[at] = item;
    }
    return -1;
  }

  private orderMany(starts: readonly number[], keyEnds: readonly number[], count: number, order: number[]): number {
    const compare = (left: number, right: number): number =>
      compareRanges(this.buffer, starts[left]!, keyEnds[left]!, starts[right]!, keyEnds[right]!);
    order.length = 0;
    let sorted = true;
    for (let item = 0; item < count; item++) {
      order.push(item);
      sorted &&= item === 0 || compare(item - 1, item) < 0;
    }
    if (sorted) return -1;
    order.sort(compare);
    for (let i = 1; i < count; i++) if (compare(order[i - 1]!, order[i]!) === 0) return order[i]!;
    return -1;
  }

  /**
   * What was written, without a copy, until the next change. Views of short contents are made once: rows and
   * their keys are handed to a store by the million.
   */
  view(): Uint8Array {
    const { at } = this;
    if (at > REMEMBERED_VIEW_BYTES) return this.buffer.subarray(0, at);
    this.views ??= new Array<Uint8Array | undefined>(REMEMBERED_VIEW_BYTES + 1).fill(undefined);
    return (this.views[at] ??= this.buffer.subarray(0, at));
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.buffer.slice(0, this.at);
  }

  /**
   * What was written, without a copy: the writer forgets it and never touches its memory again. Pieces taken
   * one after the other lie in one buffer.
   */
  take(): Uint8Array {
    const { buffer, at } = this;
    this.at = 0;
    this.views = null;
    this.capacity = Math.max(this.capacity, Math.min(at * PIECES_PER_BUFFER, SHARED_BUFFER_BYTES));
    // Not so much left that the next one will probably fit: it gets a new buffer.
    this.buffer = buffer.length < 2 * at ? NO_BYTES : buffer.subarray(at);
    return buffer.subarray(0, at);
  }

  private append(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    const { buffer, at } = this;
    if (length <= SHORT_COPY) for (let i = 0; i < length; i++) buffer[at + i] = source[start + i]!;
    else if (length === source.length) buffer.set(source, at);
    else buffer.set(source.subarray(start, end), at);
    this.at = at + length;
  }

  private reserve(count: number): void {
    if (this.at + count > this.buffer.length) this.grow(count);
  }

  private grow(count: number): void {
    const buffer = new Uint8Array(Math.max(this.buffer.length * 2, this.at + count, this.capacity));
    buffer.set(this.buffer.subarray(0, this.at));
    this.buffer = buffer;
    this.views = null;
  }
}
