import { viewOf } from "../../../base/xxh32.ts";
import { BloomFilter, isFilter } from "./bloom-filter.ts";
import { Block } from "./block.ts";
import { CHECKSUM_BYTES, isIntact } from "./block-checksum.ts";
import type { BlockCache } from "./block-cache.ts";
import { compareKeys, keyHead, sharedLength } from "./key-order.ts";
import type { FoundValue } from "./row-cursor.ts";
import { longVaruint, varuintTail } from "./row-varuint.ts";
import type { Table } from "./table.ts";
import { FOOTER_BYTES, readFooter } from "./table-footer.ts";

/** The bytes of a table's file, wherever they come from. */
export interface TableFile {
  /** Exactly these bytes; fewer are corruption. Not to be changed. */
  read(position: number, length: number): Uint8Array;
  /** The same into `target`, from `at` on. */
  readInto(position: number, length: number, target: Uint8Array, at: number): void;
  /** Fails the read. */
  corrupt(fact: string): never;
  sizeBytes(): number;
  close(): void;
}

/**
 * Reads one table. The filter and the index stay in memory, blocks come from the cache or the file. Whatever
 * is read from the file is checked against its checksum right then, each time.
 */
export class TableReader {
  readonly table: Table;
  readonly file: TableFile;
  /** Data blocks in the table. */
  readonly blockCount: number;
  /** By block: the cached one. */
  readonly cached: (Block | null)[];
  /** Looked at since the table cache last considered it. */
  isUsed = false;
  private readonly cache: BlockCache | null;
  private readonly filter: BloomFilter;
  /** Filter and index as they lie in the file; the filter is at 0. */
  private readonly tail: Uint8Array;
  /** By block: where its last key lies in `tail`. */
  private readonly keyStarts: Uint32Array;
  private readonly keyLengths: Uint32Array;
  /** Bytes that all keys of the table begin with. */
  private readonly prefixLength: number;
  /** By block: the head of its last key behind that prefix; close together, for a search that mostly needs no more. */
  private readonly heads: Int32Array;
  /** By block: where it begins; one more for the end of the last. */
  private readonly offsets: Uint32Array;

  constructor(table: Table, file: TableFile, cache: BlockCache | null) {
    this.table = table;
    this.file = file;
    this.cache = cache;
    const size = file.sizeBytes();
    if (size !== table.sizeBytes) file.corrupt(`has ${size} bytes, ${table.sizeBytes} were written`);
    const footer = readFooter(file.read(size - FOOTER_BYTES, FOOTER_BYTES), table, size);
    if (typeof footer === "string") file.corrupt(footer);
    const { filterOffset, filterBytes, indexOffset, indexBytes } = footer;
    this.tail = file.read(filterOffset, size - FOOTER_BYTES - filterOffset);
    const indexAt = indexOffset - filterOffset;
    const tailView = viewOf(this.tail);
    if (!isIntact(tailView, 0, filterBytes, table, filterOffset)) file.corrupt("the filter fails its checksum");
    if (!isFilter(this.tail.subarray(0, filterBytes))) file.corrupt("the filter is none");
    if (!isIntact(tailView, indexAt, indexAt + indexBytes, table, indexOffset)) {
      file.corrupt("the index fails its checksum");
    }
    this.filter = new BloomFilter(this.tail, 0);
    this.blockCount = footer.blocks;
    this.cached = new Array<Block | null>(footer.blocks).fill(null);
    this.keyStarts = new Uint32Array(footer.blocks);
    this.keyLengths = new Uint32Array(footer.blocks);
    this.prefixLength = sharedLength(table.smallest, table.largest);
    this.heads = new Int32Array(footer.blocks);
    this.offsets = new Uint32Array(footer.blocks + 1);
    this.decodeIndex(indexAt, filterOffset);
  }

  /** The value of a key with this hash. */
  get(key: Uint8Array, hash: number): FoundValue {
    if (!this.filter.mayContain(hash)) return undefined;
    const index = this.blockFrom(key);
    return index === this.blockCount ? undefined : this.block(index).find(key);
  }

  /** The first block that may hold keys at or behind `key`; the number of blocks if there is none. */
  blockFrom(key: Uint8Array): number {
    const { tail, keyStarts, keyLengths, heads, prefixLength } = this;
    const { length } = key;
    const shared = length < prefixLength ? length : prefixLength;
    const order = compareKeys(key, 0, shared, this.table.smallest, 0, prefixLength);
    if (order < 0) return 0;
    if (order > 0) return this.blockCount;
    const head = keyHead(key, prefixLength, length - prefixLength);
    let low = 0;
    let high = this.blockCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const middleHead = heads[middle]!;
      let isBefore = head < middleHead;
      if (head === middleHead) {
        isBefore = compareKeys(key, 0, length, tail, keyStarts[middle]!, keyLengths[middle]!) <= 0;
      }
      if (isBefore) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A block, by way of the cache. */
  block(index: number): Block {
    const known = this.cached[index]!;
    if (known !== null) {
      known.isUsed = true;
      return known;
    }
    const start = this.offsets[index]!;
    const size = this.offsets[index + 1]! - start;
    const { cache } = this;
    if (cache === null) {
      const bytes = this.file.read(start, size);
      return this.verified(bytes, viewOf(bytes), 0, index);
    }
    const chunk = cache.room(size);
    const at = chunk.end;
    this.file.readInto(start, size, chunk.bytes, at);
    const block = this.verified(chunk.bytes, chunk.view, at, index);
    cache.add(this, index, block, chunk, size);
    return block;
  }

  /** Bytes of the blocks from `index` on, at least one, at most `limitBytes` of further ones. */
  readAhead(index: number, limitBytes: number): Uint8Array {
    const { offsets } = this;
    const start = offsets[index]!;
    let end = index + 1;
    while (end < this.blockCount && offsets[end + 1]! - start <= limitBytes) end++;
    return this.file.read(start, offsets[end]! - start);
  }

  /** Where a block begins in the file. */
  offsetOf(index: number): number {
    return this.offsets[index]!;
  }

  /** The block that begins at `at` of `bytes`, which were read from the file just now; `view` is of all of them. */
  verified(bytes: Uint8Array, view: DataView, at: number, index: number): Block {
    const offset = this.offsets[index]!;
    const end = at + this.offsets[index + 1]! - offset - CHECKSUM_BYTES;
    if (!isIntact(view, at, end, this.table, offset)) this.file.corrupt(`the block at ${offset} fails its checksum`);
    const block = new Block(bytes, at, end);
    if (!block.isSound) this.file.corrupt(`the block at ${offset} has no rows`);
    return block;
  }

  /** Gives up the descriptor and the cached blocks. */
  close(): void {
    for (const block of this.cached) if (block !== null) this.cache?.remove(block);
    this.file.close();
  }

  private decodeIndex(indexAt: number, dataEnd: number): void {
    const { tail, keyStarts, keyLengths, offsets, heads, prefixLength } = this;
    const end = tail.length - CHECKSUM_BYTES;
    let at = indexAt;
    let offset = 0;
    for (let i = 0; i < this.blockCount; i++) {
      if (at >= end) this.file.corrupt("the index ends early");
      const keyLength = longVaruint(tail, at);
      at += 1 + varuintTail(keyLength);
      keyStarts[i] = at;
      keyLengths[i] = keyLength;
      heads[i] = keyHead(tail, at + prefixLength, keyLength - prefixLength);
      at += keyLength;
      const blockBytes = longVaruint(tail, at);
      at += 1 + varuintTail(blockBytes);
      offsets[i] = offset;
      offset += blockBytes + CHECKSUM_BYTES;
    }
    offsets[this.blockCount] = offset;
    if (at !== end || offset !== dataEnd || this.blockCount === 0) this.file.corrupt("the index does not cover the table");
  }
}
