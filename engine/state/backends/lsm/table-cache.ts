import type { BlockCache } from "./block-cache.ts";
import type { StoreDisk } from "./store-disk.ts";
import type { Table, TableSource } from "./table.ts";
import { TableReader, type TableFile } from "./table-reader.ts";

/** A table's file on the store's disk. */
class DiskTableFile implements TableFile {
  private readonly disk: StoreDisk;
  private readonly path: string;
  private readonly descriptor: number;

  constructor(disk: StoreDisk, path: string) {
    this.disk = disk;
    this.path = path;
    this.descriptor = disk.open(path, "read");
  }

  read(position: number, length: number): Uint8Array {
    this.disk.requireIntact();
    return this.disk.read(this.descriptor, this.path, position, length);
  }

  readInto(position: number, length: number, target: Uint8Array, at: number): void {
    this.disk.requireIntact();
    this.disk.readInto(this.descriptor, this.path, position, length, target, at);
  }

  corrupt(fact: string): never {
    return this.disk.fail("corrupt", this.path, fact);
  }

  sizeBytes(): number {
    return this.disk.size(this.descriptor, this.path);
  }

  /** A refusal matters to nobody: what was read was checked. */
  close(): void {
    this.disk.giveUp(this.descriptor);
  }
}

/**
 * Open tables, at most so many: the oldest one is closed, unless it was used since it was considered last; then
 * it becomes the newest.
 */
export class TableCache implements TableSource {
  private readonly disk: StoreDisk;
  private readonly blocks: BlockCache;
  private readonly limit: number;
  private newest: Table | null = null;
  private oldest: Table | null = null;
  private count = 0;

  constructor(disk: StoreDisk, blocks: BlockCache, limit: number) {
    this.disk = disk;
    this.blocks = blocks;
    this.limit = limit;
  }

  get openTables(): number {
    return this.count;
  }

  reader(table: Table): TableReader {
    const known = table.reader;
    if (known !== null) {
      known.isUsed = true;
      return known;
    }
    while (this.count >= this.limit && this.oldest !== null) this.closeUnused(this.oldest);
    const file = new DiskTableFile(this.disk, table.path);
    const reader = new TableReader(table, file, this.blocks);
    table.reader = reader;
    this.link(table);
    this.count += 1;
    return reader;
  }

  close(table: Table): void {
    const { reader } = table;
    if (reader === null) return;
    table.reader = null;
    this.unlink(table);
    this.count -= 1;
    reader.close();
  }

  closeAll(): void {
    while (this.oldest !== null) this.close(this.oldest);
  }

  private closeUnused(table: Table): void {
    const { reader } = table;
    if (reader === null || !reader.isUsed) return this.close(table);
    reader.isUsed = false;
    this.unlink(table);
    this.link(table);
  }

  private link(table: Table): void {
    table.older = this.newest;
    table.newer = null;
    if (this.newest !== null) this.newest.newer = table;
    this.newest = table;
    this.oldest ??= table;
  }

  private unlink(table: Table): void {
    if (table.newer === null) this.newest = table.older;
    else table.newer.older = table.older;
    if (table.older === null) this.oldest = table.newer;
    else table.older.newer = table.newer;
    table.newer = null;
    table.older = null;
  }
}
