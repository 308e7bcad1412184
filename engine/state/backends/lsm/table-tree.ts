import { BlockCache } from "./block-cache.ts";
import { Compaction, type TableMaker } from "./compaction.ts";
import { pickCompaction, type CompactionInputs } from "./compaction-picker.ts";
import type { LevelsFile, LevelsTable } from "./levels-file.ts";
import type { LsmSettings } from "./lsm-options.ts";
import { Manifest, MANIFEST_NAME } from "./manifest.ts";
import type { Memtable } from "./memtable.ts";
import { NO_BYTES } from "./row-cursor.ts";
import type { StoreDisk } from "./store-disk.ts";
import { StoreGarbage } from "./store-garbage.ts";
import { Table, tableFileName, type TableDescription } from "./table.ts";
import { TableCache } from "./table-cache.ts";
import { TableWriter } from "./table-writer.ts";
import { LEVELS, Version } from "./version.ts";

/** The names of directories with links for snapshots begin so. */
export const LINKS_PREFIX = "snap-";

/**
 * The tables of a store: the present version and the one that the manifest names, compaction, and the files
 * that nothing needs any more. The manifest's version keeps its tables until the next commit replaced it.
 */
export class TableTree implements TableMaker {
  readonly cache: TableCache;
  readonly blocks: BlockCache;
  readonly garbage: StoreGarbage;
  version: Version = Version.empty();
  nextNumber = 1;
  compactedTo: Uint8Array[] = Array.from({ length: LEVELS }, () => NO_BYTES);
  /** Views and snapshots that are open: a compaction meanwhile is counted. */
  openSnapshots = 0;
  memtablesWritten = 0;
  commits = 0;
  compactions = 0;
  trivialMoves = 0;
  compactionsDuringSnapshot = 0;
  tombstonesDropped = 0;
  rowsFiltered = 0;
  deepestLevelEver = -1;
  private readonly disk: StoreDisk;
  private readonly settings: LsmSettings;
  private readonly storeHash: number;
  private readonly manifest: Manifest;
  /** What the manifest names. */
  private durable: Version;
  /** Numbers were given out that the manifest must know of. */
  private owesCommit = false;
  /** What to compact next, if nothing is under way. */
  private inputs: CompactionInputs | null = null;
  private compaction: Compaction | null = null;
  private isDuringSnapshot = false;

  constructor(disk: StoreDisk, settings: LsmSettings, storeHash: number) {
    this.disk = disk;
    this.settings = settings;
    this.storeHash = storeHash;
    this.manifest = new Manifest(disk, settings.directory);
    this.blocks = new BlockCache(settings.blockCacheBytes);
    this.cache = new TableCache(disk, this.blocks, settings.openTables);
    this.garbage = new StoreGarbage(disk);
    this.version.acquire();
    this.durable = this.version;
    this.durable.acquire();
  }

  /** Takes over what the manifest names, and removes everything else from the directory. */
  load(): void {
    const { directory } = this.settings;
    this.disk.makeDirectoryTree(directory);
    const manifest = this.manifest.read();
    const kept = new Set([MANIFEST_NAME]);
    if (manifest !== null) {
      this.nextNumber = manifest.nextNumber;
      const levels = manifest.levels.map((tables) => tables.map((table) => this.table(localTable(table), true)));
      this.adopt(manifest, levels);
      this.replaceDurable();
      for (const tables of levels) for (const table of tables) kept.add(table.fileName);
    }
    // The rename that put this manifest here may not be durable yet: then what it replaced must not go first.
    this.disk.fsyncDirectory(directory);
    const names = this.disk.list(directory);
    for (const name of kept) {
      if (manifest !== null && !names.includes(name)) this.disk.fail("corrupt", `${directory}/${name}`, "is not there");
    }
    for (const name of names) if (!kept.has(name)) this.removeLeftover(name);
  }

  /** The first version: of a manifest or a snapshot. */
  adopt(file: LevelsFile, levels: readonly (readonly Table[])[]): void {
    this.compactedTo = file.compactedTo.slice();
    this.install(new Version(levels));
  }

  /** A number for a new file. */
  takeNumber(): number {
    const number = this.nextNumber;
    this.nextNumber += 1;
    return number;
  }

  /** As `takeNumber`; the next commit is made even if nothing else changed, so that it is never given again. */
  takeDurableNumber(): number {
    this.owesCommit = true;
    return this.takeNumber();
  }

  table(description: TableDescription, isSynced: boolean): Table {
    return new Table(this.settings.directory, description, isSynced);
  }

  newTable(occasion: string | null = null): { readonly writer: TableWriter; readonly number: number } {
    const number = this.takeNumber();
    const identity = { storeHash: this.storeHash, originNumber: number };
    const { directory, blockBytes } = this.settings;
    return { writer: new TableWriter(this.disk, directory, tableFileName(number, occasion), identity, blockBytes), number };
  }

  /** Writes all rows of a memtable, which has some, as a table of level 0; the occasion becomes part of its name. */
  writeMemtable(memtable: Memtable, occasion: string | null): void {
    const { writer, number } = this.newTable(occasion);
    const rows = memtable.cursor(memtable.sequence);
    for (let isMore = rows.seek(NO_BYTES); isMore; isMore = rows.next()) writer.add(rows, rows.valueLength);
    const table = this.table(writer.finish(number), false);
    this.memtablesWritten += 1;
    this.install(this.version.changed(new Set(), 0, [table]));
  }

  /** Makes the present version durable; does nothing if it is. */
  commit(): void {
    if (this.version === this.durable && !this.owesCommit) return;
    this.manifest.commit(this.version, this.nextNumber, this.compactedTo);
    this.owesCommit = false;
    this.commits += 1;
    this.replaceDurable();
  }

  get hasWork(): boolean {
    return this.compaction !== null || this.inputs !== null || !this.garbage.isEmpty;
  }

  get hasCompaction(): boolean {
    return this.compaction !== null || this.inputs !== null;
  }

  /** One slice of what there is to do: a file removed, a table moved, or a part of a compaction. */
  work(): void {
    if (!this.garbage.isEmpty) this.garbage.removeOne();
    else this.compact();
  }

  /** One slice of compaction. */
  compact(): void {
    let { compaction } = this;
    if (compaction === null) {
      const { inputs } = this;
      if (inputs === null) return;
      this.inputs = null;
      if (inputs.upper.length === 1 && inputs.lower.length === 0) return this.move(inputs);
      compaction = new Compaction(inputs, this.version, this.settings, this.cache, this);
      this.compaction = compaction;
      this.isDuringSnapshot = false;
    }
    if (this.openSnapshots > 0) this.isDuringSnapshot = true;
    if (compaction.slice()) this.finish(compaction);
  }

  release(version: Version): void {
    const unneeded: Table[] = [];
    version.release(unneeded);
    for (const table of unneeded) {
      this.cache.close(table);
      this.garbage.addFile(table.path);
    }
  }

  close(): void {
    this.compaction?.abandon();
    this.compaction = null;
    this.inputs = null;
    this.cache.closeAll();
  }

  private finish(compaction: Compaction): void {
    const { level, upper, lower } = compaction.inputs;
    this.compaction = null;
    this.compactions += 1;
    if (this.isDuringSnapshot) this.compactionsDuringSnapshot += 1;
    this.tombstonesDropped += compaction.tombstonesDropped;
    this.rowsFiltered += compaction.rowsFiltered;
    this.noteCompacted(level, upper);
    const added = compaction.outputs.map((description) => this.table(description, false));
    this.install(this.version.changed(new Set([...upper, ...lower]), level + 1, added));
  }

  private move({ level, upper }: CompactionInputs): void {
    this.trivialMoves += 1;
    this.noteCompacted(level, upper);
    this.install(this.version.changed(new Set(upper), level + 1, upper));
  }

  private noteCompacted(level: number, upper: readonly Table[]): void {
    if (level > 0) this.compactedTo[level] = upper.at(-1)!.largest;
  }

  private install(version: Version): void {
    const before = this.version;
    version.acquire();
    this.version = version;
    this.release(before);
    this.deepestLevelEver = Math.max(this.deepestLevelEver, version.deepestLevel);
    if (this.compaction === null) this.inputs = pickCompaction(version, this.settings, this.compactedTo);
  }

  private replaceDurable(): void {
    const before = this.durable;
    this.durable = this.version;
    this.durable.acquire();
    this.release(before);
  }

  /** What a crash left over. */
  private removeLeftover(name: string): void {
    const path = `${this.settings.directory}/${name}`;
    if (!name.startsWith(LINKS_PREFIX)) return this.disk.unlink(path);
    for (const link of this.disk.list(path)) this.disk.unlink(`${path}/${link}`);
    this.disk.removeDirectory(path);
  }
}

function localTable(table: LevelsTable): LevelsTable {
  return table.fileName === "" ? { ...table, fileName: tableFileName(table.number) } : table;
}
