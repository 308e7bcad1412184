import { ByteReader } from "../../engine/base/bytes.ts";
import { crc32 } from "../../engine/base/crc32.ts";
import { viewOf, xxh32 } from "../../engine/base/xxh32.ts";
import { compareKeys } from "./native-rows.ts";
import type { NativeRow } from "./native-rows.ts";

/*
 * A second reader of the tables of the LSM store, made from the description of the format
 * (engine/state/backends/lsm/FORMAT.md) and not from the engine's code. Verifies checksums, order and counts, and
 * throws CorruptBytesError for whatever is not as described. The filter is left alone: it answers only lookups.
 */

/** Who wrote a table, and which number it had there. */
export interface TableIdentity {
  readonly storeHash: number;
  readonly originNumber: number;
}

export interface LsmTable {
  readonly identity: TableIdentity;
  /** In ascending order of keys, tombstones among them. */
  readonly rows: readonly NativeRow[];
  readonly tombstones: number;
}

const FOOTER_BYTES = 56;
const CHECKSUM_BYTES = 4;
const MAGIC = "WWLSMT02";
/** Prefix length and row count at the end of a block. */
const BLOCK_TAIL_BYTES = 6;
const OFFSET_BYTES = 2;
const TWO_32 = 0x1_00_00_00_00;

/** A part of a file: without the checksum behind it. */
interface Part {
  readonly start: number;
  readonly end: number;
}

export function readLsmTable(bytes: Uint8Array): LsmTable {
  return new TableScan(bytes).table();
}

/** Eight bytes of Latin letters and digits. */
export function readMagic(reader: ByteReader): string {
  let text = "";
  for (let i = 0; i < 8; i++) text += String.fromCharCode(reader.u8());
  return text;
}

class TableScan {
  readonly #bytes: Uint8Array;
  readonly #reader: ByteReader;
  #identity: TableIdentity = { storeHash: 0, originNumber: 0 };
  readonly #rows: NativeRow[] = [];
  #tombstones = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new ByteReader(bytes);
  }

  table(): LsmTable {
    const bytes = this.#bytes;
    if (bytes.length < FOOTER_BYTES) this.#reader.corrupt("too short for a table");
    const start = bytes.length - FOOTER_BYTES;
    const footer = new ByteReader(bytes, start);
    if (readMagic(footer) !== MAGIC) footer.corrupt("the footer is not that of a table");
    this.#identity = { storeHash: footer.u32(), originNumber: readU64(footer) };
    const filter = partAt(footer);
    const index = partAt(footer);
    const [rows, tombstones, blocks, size] = [footer.u32(), footer.u32(), footer.u32(), footer.u32()];
    if (footer.u32() !== crc32(bytes, start, bytes.length - CHECKSUM_BYTES)) footer.corrupt("the footer has another checksum");
    if (size !== bytes.length) footer.corrupt(`a file of ${bytes.length} bytes, not ${size}`);
    const isGapless = filter.end + CHECKSUM_BYTES === index.start && index.end + CHECKSUM_BYTES === start;
    if (filter.start > filter.end || !isGapless) footer.corrupt("the parts do not follow one another");
    this.#check(filter);
    this.#check(index);
    this.#readBlocks(index, blocks, filter.start);
    if (this.#rows.length !== rows || this.#tombstones !== tombstones) {
      footer.corrupt(`${this.#rows.length} rows, ${this.#tombstones} of them tombstones, not ${rows} and ${tombstones}`);
    }
    return { identity: this.#identity, rows: this.#rows, tombstones };
  }

  #readBlocks(index: Part, blocks: number, end: number): void {
    const reader = new ByteReader(this.#bytes, index.start, index.end);
    let offset = 0;
    for (let i = 0; i < blocks; i++) {
      const lastKey = reader.bytes(reader.varuint());
      const part = { start: offset, end: offset + reader.varuint() };
      if (part.end + CHECKSUM_BYTES > end) reader.corrupt("a block reaches beyond the blocks");
      this.#check(part);
      this.#readBlock(part);
      const last = this.#rows.at(-1);
      if (last === undefined || compareKeys(last.key, lastKey) !== 0) reader.corrupt("a block ends with another key than the index says");
      offset = part.end + CHECKSUM_BYTES;
    }
    if (reader.remaining > 0 || offset !== end) reader.corrupt("the index does not cover the blocks");
  }

  #readBlock({ start, end }: Part): void {
    if (end - start < BLOCK_TAIL_BYTES) this.#reader.corrupt("too short for a block");
    const tail = new ByteReader(this.#bytes, end - BLOCK_TAIL_BYTES, end);
    const prefixLength = tail.u32();
    const count = tail.u16();
    const prefixAt = end - BLOCK_TAIL_BYTES - prefixLength;
    const offsetsAt = prefixAt - count * OFFSET_BYTES;
    if (count === 0 || offsetsAt < start) tail.corrupt("a block without rows, or smaller than they are");
    const prefix = this.#bytes.subarray(prefixAt, prefixAt + prefixLength);
    const offsets = new ByteReader(this.#bytes, offsetsAt, prefixAt);
    const rows = new ByteReader(this.#bytes, start, offsetsAt);
    for (let i = 0; i < count; i++) {
      if (offsets.u16() !== rows.position - start) offsets.corrupt("a row does not begin where its offset says");
      this.#readRow(rows, prefix);
    }
    if (rows.remaining > 0) rows.corrupt("a block holds more than its rows");
  }

  #readRow(reader: ByteReader, prefix: Uint8Array): void {
    const suffixLength = reader.varuint();
    const size = reader.varuint();
    const key = new Uint8Array(prefix.length + suffixLength);
    key.set(prefix);
    key.set(reader.bytes(suffixLength), prefix.length);
    const value = size === 0 ? null : reader.bytes(size - 1);
    const before = this.#rows.at(-1);
    if (before !== undefined && compareKeys(before.key, key) >= 0) reader.corrupt("a row is out of order or there twice");
    this.#rows.push({ key, value });
    if (value === null) this.#tombstones += 1;
  }

  /** The checksum behind a part depends on the identity of the table and the place of the part, too. */
  #check({ start, end }: Part): void {
    const { storeHash, originNumber } = this.#identity;
    const place = new Uint8Array(16);
    const words = [storeHash, originNumber % TWO_32, Math.floor(originNumber / TWO_32), start];
    words.forEach((word, at) => {
      for (let i = 0; i < 4; i++) place[4 * at + i] = (word >>> (8 * i)) & 255;
    });
    const own = xxh32(viewOf(this.#bytes), start, end, crc32(place));
    const behind = new ByteReader(this.#bytes, end);
    if (behind.u32() !== own) behind.corrupt("a part has another checksum");
  }
}

function partAt(footer: ByteReader): Part {
  const start = footer.u32();
  return { start, end: start + footer.u32() };
}

function readU64(reader: ByteReader): number {
  const low = reader.u32();
  return reader.u32() * TWO_32 + low;
}
