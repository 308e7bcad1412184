import { viewOf } from "../../../base/xxh32.ts";
import type { Block } from "./block.ts";
import { copyBytes } from "./key-order.ts";
import { tableFrom } from "./level-index.ts";
import { NO_BYTES, TOMBSTONE, type RowCursor } from "./row-cursor.ts";
import { longVaruint, varuintTail } from "./row-varuint.ts";
import type { Table, TableSource } from "./table.ts";
import type { TableReader } from "./table-reader.ts";

const MIN_KEY_BYTES = 64;
const NO_VIEW: DataView = viewOf(NO_BYTES);

/** The rows of tables that follow one another: one table of level 0, or a whole deeper level. */
export class TablesCursor implements RowCursor {
  key: Uint8Array = new Uint8Array(MIN_KEY_BYTES);
  readonly keyStart: number = 0;
  keyLength = 0;
  valueSource: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueLength: number = TOMBSTONE;
  private readonly source: TableSource;
  private readonly tables: readonly Table[];
  private readonly readAheadBytes: number;
  /** Reads by the cache as long as this is 0: the first blocks, of which a short scan needs no more. */
  private aheadBytes: number;
  private tableIndex = -1;
  private blockIndex = 0;
  private block: Block | null = null;
  private row = 0;
  /** Where the next row begins. */
  private at = 0;
  /** What was read ahead: bytes of the file from this place on. */
  private chunk: Uint8Array = NO_BYTES;
  private chunkView: DataView = NO_VIEW;
  private chunkOffset = 0;

  /** `isWhole`: everything will be read, so that reading ahead begins at once, past the cache. */
  constructor(source: TableSource, tables: readonly Table[], readAheadBytes: number, isWhole: boolean) {
    this.source = source;
    this.tables = tables;
    this.readAheadBytes = readAheadBytes;
    this.aheadBytes = isWhole ? readAheadBytes : 0;
  }

  seek(from: Uint8Array): boolean {
    const { tables } = this;
    const first = tableFrom(tables, from);
    if (first === tables.length) return this.end();
    this.enterTable(first);
    const reader = this.source.reader(tables[first]!);
    const index = reader.blockFrom(from);
    if (index === reader.blockCount) return this.end();
    this.enterBlock(reader, index);
    const block = this.block!;
    this.row = block.firstFrom(from);
    if (this.row === block.count) return this.nextBlock();
    this.at = block.rowAt(this.row);
    return this.load();
  }

  next(): boolean {
    const { block } = this;
    if (block === null) return false;
    this.row += 1;
    return this.row < block.count ? this.load() : this.nextBlock();
  }

  private load(): boolean {
    const block = this.block!;
    const { bytes, prefixLength } = block;
    let { at } = this;
    let suffixLength = bytes[at++]!;
    if (suffixLength >= 0x80) {
      suffixLength = longVaruint(bytes, at - 1);
      at += varuintTail(suffixLength);
    }
    let size = bytes[at++]!;
    if (size >= 0x80) {
      size = longVaruint(bytes, at - 1);
      at += varuintTail(size);
    }
    const keyLength = prefixLength + suffixLength;
    if (keyLength > this.key.length) this.growKey(keyLength);
    copyBytes(bytes, at, suffixLength, this.key, prefixLength);
    this.keyLength = keyLength;
    at += suffixLength;
    this.valueStart = at;
    this.valueLength = size - 1;
    this.at = size === 0 ? at : at + size - 1;
    return true;
  }

  private nextBlock(): boolean {
    let table = this.tables[this.tableIndex]!;
    let index = this.blockIndex + 1;
    // Asked for each time: the table may have been closed meanwhile.
    let reader = this.source.reader(table);
    if (index === reader.blockCount) {
      if (this.tableIndex + 1 === this.tables.length) return this.end();
      this.enterTable(this.tableIndex + 1);
      table = this.tables[this.tableIndex]!;
      reader = this.source.reader(table);
      index = 0;
    }
    this.aheadBytes = Math.min(this.readAheadBytes, Math.max(this.aheadBytes * 2, reader.offsetOf(1)));
    this.enterBlock(reader, index);
    this.row = 0;
    this.at = this.block!.rowAt(0);
    return this.load();
  }

  private enterTable(index: number): void {
    this.tableIndex = index;
    this.chunk = NO_BYTES;
  }

  private enterBlock(reader: TableReader, index: number): void {
    const block = this.blockOf(reader, index);
    this.blockIndex = index;
    this.block = block;
    this.valueSource = block.bytes;
    const { prefixLength } = block;
    if (prefixLength > this.key.length) this.growKey(prefixLength);
    copyBytes(block.bytes, block.prefixAt, prefixLength, this.key, 0);
  }

  private blockOf(reader: TableReader, index: number): Block {
    if (this.aheadBytes === 0) return reader.block(index);
    const known = reader.cached[index]!;
    if (known !== null) return known;
    const offset = reader.offsetOf(index);
    const isAhead =
      this.chunk.length > 0 && offset >= this.chunkOffset && offset < this.chunkOffset + this.chunk.length;
    if (!isAhead) {
      this.chunk = reader.readAhead(index, this.aheadBytes);
      this.chunkView = viewOf(this.chunk);
      this.chunkOffset = offset;
    }
    return reader.verified(this.chunk, this.chunkView, offset - this.chunkOffset, index);
  }

  private growKey(length: number): void {
    const larger = new Uint8Array(length * 2);
    larger.set(this.key);
    this.key = larger;
  }

  private end(): boolean {
    this.block = null;
    return false;
  }
}
