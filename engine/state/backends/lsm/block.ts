import { readU32 } from "./block-checksum.ts";
import type { BlockChunk } from "./block-chunk.ts";
import { compareKeys } from "./key-order.ts";
import type { FoundValue } from "./row-cursor.ts";
import { longVaruint, varuintTail } from "./row-varuint.ts";
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
  /** Where the block cache keeps it: whose block it is, by which number, in which chunk. */
  owner: TableReader | null = null;
  index = 0;
  chunk: BlockChunk | null = null;
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
