import type { Block } from "./block.ts";
import type { TableReader } from "./table-reader.ts";

/** What a block takes beside its bytes, about. */
const BLOCK_OVERHEAD_BYTES = 128;

/**
 * Verified blocks of all open tables, at most so many bytes. Which block goes is decided by a second chance:
 * the oldest goes, unless it was looked at since it was considered last; then it becomes the newest.
 */
export class BlockCache {
  private readonly limitBytes: number;
  private usedBytes = 0;
  private newest: Block | null = null;
  private oldest: Block | null = null;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.usedBytes;
  }

  add(owner: TableReader, index: number, block: Block): void {
    const size = block.sizeBytes + BLOCK_OVERHEAD_BYTES;
    if (size > this.limitBytes) return;
    while (this.usedBytes + size > this.limitBytes && this.oldest !== null) this.evictOne(this.oldest);
    block.owner = owner;
    block.index = index;
    owner.cached[index] = block;
    this.usedBytes += size;
    this.link(block);
  }

  remove(block: Block): void {
    const { owner } = block;
    if (owner === null) return;
    this.unlink(block);
    this.usedBytes -= block.sizeBytes + BLOCK_OVERHEAD_BYTES;
    owner.cached[block.index] = null;
    block.owner = null;
  }

  private evictOne(block: Block): void {
    if (!block.isUsed) return this.remove(block);
    block.isUsed = false;
    this.unlink(block);
    this.link(block);
  }

  private link(block: Block): void {
    block.older = this.newest;
    block.newer = null;
    if (this.newest !== null) this.newest.newer = block;
    this.newest = block;
    this.oldest ??= block;
  }

  private unlink(block: Block): void {
    if (block.newer === null) this.newest = block.older;
    else block.newer.older = block.older;
    if (block.older === null) this.oldest = block.newer;
    else block.older.newer = block.newer;
    block.newer = null;
    block.older = null;
  }
}
