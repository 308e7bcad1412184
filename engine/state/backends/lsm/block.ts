import { compareKeys, copyBytes } from "./key-order.ts";
import { readU32 } from "./block-checksum.ts";
import { TOMBSTONE, type FoundValue } from "./row-cursor.ts";
import type { TableReader } from "./table-reader.ts";

/** Behind the prefix: its length and the number of rows. */
export const BLOCK_TAIL_BYTES = 6;
export const OFFSET_BYTES = 2;

/**
 * A data block in memory, as its bytes lie on disk (FORMAT.md). What all its keys begin with is stored once,
 * and every row has its offset in a list: each is a restart point, so that a lookup compares bytes in place.
 */
export class Block {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Rows in it. */
  readonly count: number;
  readonly prefixLength: number;
  readonly prefixAt: number;
  readonly offsetsAt: number;
  /** Where the block cache keeps it: whose block it is, by which number, between which neighbours. */
  owner: TableReader | null = null;
  index = 0;
  newer: Block | null = null;
  older: Block | null = null;
  /** Looked at since the cache last considered it. */
  isUsed = false;
  readonly sizeBytes: number;

  /** `bytes[start, end)`, without the checksum, which was verified. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.sizeBytes = end - start;
    this.count = bytes[end - 2]! | (bytes[end - 1]! << 8);
    this.prefixLength = readU32(bytes, end - BLOCK_TAIL_BYTES);
    this.prefixAt = end - BLOCK_TAIL_BYTES - this.prefixLength;
    this.offsetsAt = this.prefixAt - this.count * OFFSET_BYTES;
  }

  /** False if the numbers at its end cannot be right. */
  get isSound(): boolean {
    return this.count > 0 && this.offsetsAt >= this.start;
  }

  /** The value of a key. */
  find(key: Uint8Array): FoundValue {
    const { bytes, start, prefixLength, offsetsAt } = this;
    const length = key.length;
    if (length < prefixLength) return undefined;
    for (let i = 0, at = this.prefixAt; i < prefixLength; i++) if (key[i] !== bytes[at + i]) return undefined;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const slot = offsetsAt + middle * OFFSET_BYTES;
      let at = start + (bytes[slot]! | (bytes[slot + 1]! << 8));
      let suffixLength = bytes[at++]!;
      if (suffixLength >= 0x80) {
        suffixLength = longVaruint(bytes, at - 1);
        at += varuintTail(suffixLength);
      }
      let valueSize = bytes[at++]!;
      if (valueSize >= 0x80) {
        valueSize = longVaruint(bytes, at - 1);
        at += varuintTail(valueSize);
      }
      const order = compareKeys(key, prefixLength, length - prefixLength, bytes, at, suffixLength);
      if (order === 0) {
        if (valueSize === 0) return null;
        const valueStart = at + suffixLength;
        return bytes.subarray(valueStart, valueStart + valueSize - 1);
      }
      if (order < 0) high = middle - 1;
      else low = middle + 1;
    }
    return undefined;
  }

  /** The number of the first row at or behind `key`; `count` if there is none. */
  firstFrom(key: Uint8Array): number {
    const { bytes, prefixLength, prefixAt } = this;
    const shared = Math.min(prefixLength, key.length);
    const order = compareKeys(key, 0, shared, bytes, prefixAt, prefixLength);
    if (order < 0) return 0;
    if (order > 0) return this.count;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      let at = this.rowAt(middle);
      const suffixLength = longVaruint(bytes, at);
      at += 1 + varuintTail(suffixLength);
      at += 1 + varuintTail(longVaruint(bytes, at));
      if (compareKeys(key, prefixLength, key.length - prefixLength, bytes, at, suffixLength) <= 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Where a row begins. */
  rowAt(number: number): number {
    const slot = this.offsetsAt + number * OFFSET_BYTES;
    return this.start + (this.bytes[slot]! | (this.bytes[slot + 1]! << 8));
  }
}

/** The number whose first byte is at `at`. Below 2^28. */
export function longVaruint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]!;
  let value = byte & 0x7f;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    at += 1;
    byte = bytes[at]!;
    value |= (byte & 0x7f) << shift;
  }
  return value;
}

/** Bytes of such a number beyond the first. */
export function varuintTail(value: number): number {
  return value < 0x80 ? 0 : value < 0x4000 ? 1 : value < 0x200000 ? 2 : 3;
}

/** Gathers rows in ascending order and gives a block. Rows are written where they stay. */
export class BlockBuilder {
  /** What is built, from 0 on; behind a finished block there is room for its checksum. */
  bytes: Uint8Array;
  end = 0;
  count = 0;
  private offsets: Uint16Array = new Uint16Array(64);
  /** What all keys so far begin with. */
  private prefixLength = 0;
  private firstKeyAt = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  add(
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    source: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): void {
    const size = valueLength + 1;
    this.reserve(8 + keyLength + size);
    const { bytes } = this;
    if (this.count === this.offsets.length) this.growOffsets();
    this.offsets[this.count] = this.end;
    let at = writeVaruint(bytes, this.end, keyLength);
    at = writeVaruint(bytes, at, size);
    copyBytes(key, keyStart, keyLength, bytes, at);
    if (this.count === 0) {
      this.firstKeyAt = at;
      this.prefixLength = keyLength;
    } else {
      const first = this.firstKeyAt;
      let shared = Math.min(this.prefixLength, keyLength);
      for (let i = 0; i < shared; i++) if (bytes[first + i] !== bytes[at + i]) shared = i;
      this.prefixLength = shared;
    }
    at += keyLength;
    if (valueLength !== TOMBSTONE) {
      copyBytes(source, valueStart, valueLength, bytes, at);
      at += valueLength;
    }
    this.end = at;
    this.count += 1;
  }

  /** Ends the block at `end`; the checksum's place follows. */
  finish(): void {
    const { count, offsets, prefixLength } = this;
    const tail = BLOCK_TAIL_BYTES + 4 + count * OFFSET_BYTES + prefixLength;
    this.reserve(tail);
    const { bytes } = this;
    const prefix = bytes.slice(this.firstKeyAt, this.firstKeyAt + prefixLength);
    if (prefixLength > 0) this.cutPrefix();
    let at = this.end;
    for (let i = 0; i < count; i++) {
      bytes[at++] = offsets[i]!;
      bytes[at++] = offsets[i]! >>> 8;
    }
    bytes.set(prefix, at);
    at += prefixLength;
    bytes[at++] = prefixLength;
    bytes[at++] = prefixLength >>> 8;
    bytes[at++] = prefixLength >>> 16;
    bytes[at++] = prefixLength >>> 24;
    bytes[at++] = count;
    bytes[at++] = count >>> 8;
    this.end = at;
  }

  clear(): void {
    this.end = 0;
    this.count = 0;
  }

  /** Moves the rows together so that each key begins behind the prefix. */
  private cutPrefix(): void {
    const { bytes, offsets, prefixLength } = this;
    let target = 0;
    for (let i = 0; i < this.count; i++) {
      let at = offsets[i]!;
      const keyLength = longVaruint(bytes, at);
      at += 1 + varuintTail(keyLength);
      const size = longVaruint(bytes, at);
      at += 1 + varuintTail(size);
      offsets[i] = target;
      target = writeVaruint(bytes, target, keyLength - prefixLength);
      target = writeVaruint(bytes, target, size);
      const from = at + prefixLength;
      const end = at + keyLength + (size === 0 ? 0 : size - 1);
      bytes.copyWithin(target, from, end);
      target += end - from;
    }
    this.end = target;
  }

  private reserve(count: number): void {
    const needed = this.end + count;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }

  private growOffsets(): void {
    const larger = new Uint16Array(this.offsets.length * 2);
    larger.set(this.offsets);
    this.offsets = larger;
  }
}

/** Returns where it ends. */
export function writeVaruint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    target[at++] = rest | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
