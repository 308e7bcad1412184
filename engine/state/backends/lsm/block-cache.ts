import { Block } from "./block.ts";
import { BlockChunk } from "./block-chunk.ts";
import type { TableReader } from "./table-reader.ts";

/** What a chunk takes beside its bytes, and its blocks as objects, about. */
const CHUNK_OVERHEAD_BYTES = 128;
const OBJECTS_SHIFT = 4;
/** A chunk is a small part of the cache, so that little is given up at a time, and a value that is held on to holds little. */
const CHUNKS = 32;
const LARGEST_CHUNK_BYTES = 1 << 17;
const FIRST_CHUNK_BYTES = 1 << 12;

/**
 * Verified blocks of all open tables, at most so many bytes. They lie in chunks; which blocks go is decided by
 * a second chance: the oldest chunk goes, but those of its blocks that were looked at since they were
 * considered last move to the newest, as far as they fill no more than half of that.
 */
export class BlockCache {
  private readonly limitBytes: number;
  private readonly chunkBytes: number;
  private usedBytes = 0;
  private newest: BlockChunk | null = null;
  private oldest: BlockChunk | null = null;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.chunkBytes = Math.min(LARGEST_CHUNK_BYTES, Math.floor(limitBytes / CHUNKS));
  }

  get sizeBytes(): number {
    return this.usedBytes;
  }

  /** The chunk at whose end a block of so many bytes, its checksum among them, is to be put before it is added. */
  room(sizeBytes: number): BlockChunk {
    const { newest } = this;
    if (newest !== null && newest.hasRoom(sizeBytes)) return newest;
    // The first chunks of a small store are small too.
    const capacity = Math.max(sizeBytes, Math.min(this.chunkBytes, Math.max(FIRST_CHUNK_BYTES, this.usedBytes)));
    const cost = costOf(capacity);
    const chunk = new BlockChunk(capacity);
    if (cost > this.limitBytes) return chunk;
    const moved: Block[] = [];
    while (this.usedBytes + cost > this.limitBytes && this.oldest !== null) this.evict(this.oldest, moved);
    chunk.isKept = true;
    this.usedBytes += cost;
    this.link(chunk);
    const limit = Math.min(capacity >> 1, capacity - sizeBytes);
    for (const block of moved) this.move(block, chunk, limit);
    return chunk;
  }

  /** `sizeBytes`: with its checksum, as it was put into `chunk`. */
  add(owner: TableReader, index: number, block: Block, chunk: BlockChunk, sizeBytes: number): void {
    if (!chunk.isKept) return;
    chunk.take(block, sizeBytes);
    block.owner = owner;
    block.index = index;
    owner.cached[index] = block;
  }

  remove(block: Block): void {
    const { owner, chunk } = block;
    if (owner === null || chunk === null) return;
    owner.cached[block.index] = null;
    block.owner = null;
    chunk.live -= 1;
    if (chunk.live === 0) this.drop(chunk);
  }

  /** Gives up a chunk; blocks that have a second chance are added to `moved`, while nobody finds them. */
  private evict(chunk: BlockChunk, moved: Block[]): void {
    const [first] = chunk.blocks;
    if (chunk.blocks.length === 1 && first !== undefined && first.isUsed) {
      first.isUsed = false;
      this.unlink(chunk);
      this.link(chunk);
      return;
    }
    for (const block of chunk.blocks) {
      if (block.owner === null) continue;
      block.owner.cached[block.index] = null;
      if (block.isUsed) moved.push(block);
      else block.owner = null;
    }
    this.drop(chunk);
  }

  /** Cursors go on to read the old block where it is. */
  private move(block: Block, chunk: BlockChunk, limit: number): void {
    const { owner, sizeBytes, start } = block;
    block.owner = null;
    if (owner === null || chunk.end + sizeBytes > limit) return;
    const at = chunk.end;
    chunk.bytes.set(block.bytes.subarray(start, start + sizeBytes), at);
    this.add(owner, block.index, new Block(chunk.bytes, at, at + sizeBytes), chunk, sizeBytes);
  }

  private drop(chunk: BlockChunk): void {
    this.unlink(chunk);
    this.usedBytes -= costOf(chunk.bytes.length);
  }

  private link(chunk: BlockChunk): void {
    chunk.older = this.newest;
    chunk.newer = null;
    if (this.newest !== null) this.newest.newer = chunk;
    this.newest = chunk;
    this.oldest ??= chunk;
  }

  private unlink(chunk: BlockChunk): void {
    if (chunk.newer === null) this.newest = chunk.older;
    else chunk.newer.older = chunk.older;
    if (chunk.older === null) this.oldest = chunk.newer;
    else chunk.older.newer = chunk.newer;
    chunk.newer = null;
    chunk.older = null;
  }
}

function costOf(capacityBytes: number): number {
  return capacityBytes + (capacityBytes >> OBJECTS_SHIFT) + CHUNK_OVERHEAD_BYTES;
}
