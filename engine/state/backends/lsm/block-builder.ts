import { BLOCK_TAIL_BYTES, OFFSET_BYTES } from "./block.ts";
import { CHECKSUM_BYTES } from "./block-checksum.ts";
import { copyBytes } from "./key-order.ts";
import { TOMBSTONE } from "./row-cursor.ts";
import { longVaruint, varuintTail, writeVaruint } from "./row-varuint.ts";

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
    const tail = BLOCK_TAIL_BYTES + CHECKSUM_BYTES + count * OFFSET_BYTES + prefixLength;
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
