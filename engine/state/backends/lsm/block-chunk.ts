import { viewOf } from "../../../base/xxh32.ts";
import type { Block } from "./block.ts";

/** Blocks begin at a multiple of it, so that their words lie whole in lines of the processor's cache. */
const ALIGNMENT = 8;

/**
 * Memory in which blocks lie one after the other. It is filled once, from the front, and never written over:
 * values that were handed out lie in it and stay as they are, also when the cache gave it up.
 */
export class BlockChunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly blocks: Block[] = [];
  /** Where the next block goes. */
  end = 0;
  /** Blocks in it that the cache holds. */
  live = 0;
  /** One of the cache's; else it holds a block that the cache has no room for. */
  isKept = false;
  newer: BlockChunk | null = null;
  older: BlockChunk | null = null;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
    this.view = viewOf(this.bytes);
  }

  hasRoom(sizeBytes: number): boolean {
    return this.end + sizeBytes <= this.bytes.length;
  }

  /** A block that was put at `end`, `sizeBytes` long with its checksum. */
  take(block: Block, sizeBytes: number): void {
    this.blocks.push(block);
    this.end = (this.end + sizeBytes + ALIGNMENT - 1) & -ALIGNMENT;
    this.live += 1;
    block.chunk = this;
  }
}
