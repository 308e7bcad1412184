import { invariant } from "../../../base/assert.ts";
import { viewOf } from "../../../base/xxh32.ts";
import { BlockBuilder } from "./block-builder.ts";
import { blockChecksum, CHECKSUM_BYTES, writeU32, type TableIdentity } from "./block-checksum.ts";
import { buildFilter, keyHash } from "./bloom-filter.ts";
import { copyBytes } from "./key-order.ts";
import { NO_BYTES, TOMBSTONE, type RowCursor } from "./row-cursor.ts";
import { writeVaruint } from "./row-varuint.ts";
import type { StoreDisk } from "./store-disk.ts";
import type { TableDescription } from "./table.ts";
import { FOOTER_BYTES, writeFooter } from "./table-footer.ts";

/** Blocks are written to the file when so many bytes are together. */
const WRITE_BYTES = 1 << 16;
const MAX_BLOCK_BYTES = 1 << 14;

/** Writes one table, from the first row to the footer. The file is not synced: a commit does that. */
export class TableWriter {
  readonly path: string;
  private readonly fileName: string;
  rows = 0;
  tombstones = 0;
  private readonly disk: StoreDisk;
  private readonly identity: TableIdentity;
  private readonly blockBytes: number;
  private readonly descriptor: number;
  private readonly block: BlockBuilder;
  private buffer: Uint8Array = new Uint8Array(WRITE_BYTES);
  private buffered = 0;
  /** What of the file was written already. */
  private written = 0;
  private hashes: Int32Array = new Int32Array(1024);
  private index: Uint8Array = new Uint8Array(1024);
  private indexEnd = 0;
  private blocks = 0;
  private smallest: Uint8Array = NO_BYTES;
  private lastKey: Uint8Array = new Uint8Array(64);
  private lastKeyLength = 0;

  constructor(disk: StoreDisk, directory: string, fileName: string, identity: TableIdentity, blockBytes: number) {
    invariant(blockBytes >= 1 && blockBytes <= MAX_BLOCK_BYTES, "offsets in a block fit into 16 bits");
    this.disk = disk;
    const path = `${directory}/${fileName}`;
    this.path = path;
    this.fileName = fileName;
    this.identity = identity;
    this.blockBytes = blockBytes;
    this.block = new BlockBuilder(blockBytes * 2);
    this.descriptor = disk.open(path, "create");
  }

  /** Size of the file so far, about. */
  get sizeBytes(): number {
    return this.written + this.buffered + this.block.end;
  }

  /** Adds the cursor's row, whose key is behind all before; as a tombstone if that is asked for. */
  add(row: RowCursor, valueLength: number): void {
    const { key, keyStart, keyLength } = row;
    const { block } = this;
    // A row as large as a block gets one of its own.
    const isLarge = keyLength + valueLength >= this.blockBytes;
    if (block.count > 0 && (isLarge || block.end >= this.blockBytes)) this.endBlock();
    block.add(key, keyStart, keyLength, row.valueSource, row.valueStart, valueLength);
    if (this.rows === 0) this.smallest = key.slice(keyStart, keyStart + keyLength);
    if (this.rows === this.hashes.length) this.growHashes();
    this.hashes[this.rows] = keyHash(key, keyStart, keyLength);
    this.rows += 1;
    if (valueLength === TOMBSTONE) this.tombstones += 1;
    if (keyLength > this.lastKey.length) this.lastKey = new Uint8Array(keyLength * 2);
    copyBytes(key, keyStart, keyLength, this.lastKey, 0);
    this.lastKeyLength = keyLength;
    if (isLarge) this.endBlock();
  }

  /** Writes what is left and closes the file. */
  finish(number: number): TableDescription {
    invariant(this.rows > 0, "a table has rows");
    if (this.block.count > 0) this.endBlock();
    const filterOffset = this.written + this.buffered;
    const filter = buildFilter(this.hashes, this.rows);
    this.appendChecked(filter, filter.length);
    const indexOffset = this.written + this.buffered;
    this.appendChecked(this.index, this.indexEnd);
    const fileBytes = this.written + this.buffered + FOOTER_BYTES;
    const { storeHash, originNumber } = this.identity;
    const { rows, tombstones, blocks } = this;
    const parts = { filterOffset, filterBytes: filter.length, indexOffset, indexBytes: this.indexEnd };
    this.flushBuffer();
    // With a write of its own: what makes a table of the file is an event that can be named.
    this.append(writeFooter({ storeHash, originNumber, ...parts, rows, tombstones, blocks, fileBytes }), FOOTER_BYTES);
    this.flushBuffer();
    this.disk.closeFile(this.descriptor, this.path);
    const largest = this.lastKey.slice(0, this.lastKeyLength);
    const { smallest, fileName } = this;
    return { number, fileName, storeHash, originNumber, sizeBytes: fileBytes, rows, tombstones, smallest, largest };
  }

  /** Gives up; the file is garbage. */
  abandon(): void {
    this.disk.giveUp(this.descriptor);
  }

  private endBlock(): void {
    const { block } = this;
    block.finish();
    this.noteBlock(block.end);
    this.appendChecked(block.bytes, block.end);
    block.clear();
  }

  /** Its last key and its size go into the index. */
  private noteBlock(blockBytes: number): void {
    const length = this.lastKeyLength;
    const needed = this.indexEnd + length + 8;
    if (needed > this.index.length) {
      const larger = new Uint8Array(needed * 2);
      larger.set(this.index);
      this.index = larger;
    }
    let at = writeVaruint(this.index, this.indexEnd, length);
    copyBytes(this.lastKey, 0, length, this.index, at);
    at = writeVaruint(this.index, at + length, blockBytes);
    this.indexEnd = at;
    this.blocks += 1;
  }

  private appendChecked(bytes: Uint8Array, length: number): void {
    const checksum = blockChecksum(viewOf(bytes), 0, length, this.identity, this.written + this.buffered);
    this.append(bytes, length);
    const trailer = new Uint8Array(CHECKSUM_BYTES);
    writeU32(trailer, 0, checksum);
    this.append(trailer, CHECKSUM_BYTES);
  }

  private append(bytes: Uint8Array, length: number): void {
    if (this.buffered + length > this.buffer.length) this.flushBuffer();
    if (length > this.buffer.length) {
      this.disk.write(this.descriptor, this.path, bytes, 0, length, this.written);
      this.written += length;
      return;
    }
    copyBytes(bytes, 0, length, this.buffer, this.buffered);
    this.buffered += length;
  }

  private flushBuffer(): void {
    this.disk.write(this.descriptor, this.path, this.buffer, 0, this.buffered, this.written);
    this.written += this.buffered;
    this.buffered = 0;
  }

  private growHashes(): void {
    const larger = new Int32Array(this.hashes.length * 2);
    larger.set(this.hashes);
    this.hashes = larger;
  }
}
