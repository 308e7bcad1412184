import { invariant } from "../../../base/assert.ts";
import { ByteWriter, utf8Length } from "../../../base/bytes.ts";
import { UnencodableValueError } from "../../../base/codec.ts";
import { crc32 } from "../../../base/crc32.ts";
import { isProcessDied } from "../../../ports/process-ports.ts";
import { removeTree } from "../../local-directory.ts";
import type {
  OrderedStore,
  QuietFiles,
  StoreFile,
  StoreFilesSnapshot,
  StoreIterator,
  StoreReader,
  StoreView,
} from "../../ordered-store.ts";
import { UploadedFiles } from "../../uploaded-files.ts";
import { keyHash } from "./bloom-filter.ts";
import { readLevelsFile, type LevelsTable } from "./levels-file.ts";
import { LsmIterator } from "./lsm-iterator.ts";
import { settingsOf, type LsmOptions, type LsmSettings } from "./lsm-options.ts";
import type { LsmStats } from "./lsm-stats.ts";
import { LsmInspection, LsmView } from "./lsm-view.ts";
import { Memtable } from "./memtable.ts";
import type { Moment, MomentKeeper } from "./moment.ts";
import { NativeSnapshot, type SnapshotOwner, type SnapshotPlan, type UploadedTables } from "./native-snapshot.ts";
import { QuietTables } from "./quiet-tables.ts";
import { StoreDisk } from "./store-disk.ts";
import { tableFileName, type Table, type TableSource } from "./table.ts";
import { LINKS_PREFIX, TableTree } from "./table-tree.ts";
import type { Version } from "./version.ts";

const MAX_KEY_BYTES = 1 << 20;
const MAX_VALUE_BYTES = 1 << 26;
/** With so many times the tables on level 0 at which compaction begins, writes do some of it themselves ... */
const SLOW_FACTOR = 2;
/** ... and with so many, as much as it takes. */
const STOP_FACTOR = 3;
/** A slice of compaction for each part of its size that is written while writes are slowed down. */
const SLICES_PER_BYTES = 8;

/**
 * A log-structured merge tree in one directory (FORMAT.md). Writes go to the memtable; a full one is written
 * out as a table of level 0, and compaction moves rows down, level by level. There is no write-ahead log:
 * what must survive is committed by `flush`, and checkpoints are what makes state durable, as in Flink.
 *
 * Memory: the memtable, the block cache, filter and index of each open table. A view or iterator keeps the
 * memtable of its moment in memory and the tables of its moment on disk.
 */
export class LsmStore implements OrderedStore, MomentKeeper, SnapshotOwner {
  private readonly settings: LsmSettings;
  private readonly disk: StoreDisk;
  private readonly tree: TableTree;
  private memtable: Memtable = new Memtable();
  private readonly slowTables: number;
  private readonly stopTables: number;
  private isSlowed = false;
  private unpaidBytes = 0;
  private stallSlices = 0;
  private isClosed = false;
  private readonly snapshots: Set<NativeSnapshot> = new Set();
  private readonly uploads: UploadedFiles<Table> = new UploadedFiles();

  private constructor(disk: StoreDisk, settings: LsmSettings) {
    this.settings = settings;
    this.disk = disk;
    this.tree = new TableTree(disk, settings, hashOf(settings.storeId));
    this.slowTables = settings.levelZeroTables * SLOW_FACTOR;
    this.stopTables = settings.levelZeroTables * STOP_FACTOR;
  }

  /** Opens what the manifest in the directory describes, or begins a new store. Throws StateStorageError. */
  static open(options: LsmOptions): LsmStore {
    const settings = settingsOf(options);
    const disk = new StoreDisk(settings.disk);
    try {
      const store = new LsmStore(disk, settings);
      store.tree.load();
      return store;
    } catch (error) {
      if (!isProcessDied(error)) disk.giveUpAll();
      throw error;
    }
  }

  get(key: Uint8Array): Uint8Array | null {
    this.requireIntact();
    const { memtable, tree } = this;
    const hash = keyHash(key, 0, key.length);
    const written = memtable.get(key, hash, memtable.sequence);
    if (written !== undefined) return written;
    return tree.version.get(key, hash, tree.cache) ?? null;
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    this.requireIntact();
    return new LsmIterator(this.pinned(), from, to, this);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    if (key.length > MAX_KEY_BYTES) refuseSize("key", key.length, MAX_KEY_BYTES);
    if (value.length > MAX_VALUE_BYTES) refuseSize("value", value.length, MAX_VALUE_BYTES);
    this.requireIntact();
    this.memtable.put(key, value);
    this.afterWrite(key.length + value.length);
  }

  delete(key: Uint8Array): void {
    if (key.length > MAX_KEY_BYTES) refuseSize("key", key.length, MAX_KEY_BYTES);
    this.requireIntact();
    this.memtable.put(key, null);
    this.afterWrite(key.length);
  }

  /** Takes no I/O: the memtable keeps what the view sees, and its tables stay. */
  view(): StoreView {
    this.requireIntact();
    this.tree.openSnapshots += 1;
    return new LsmView(this.pinned(), this, () => {
      this.tree.openSnapshots -= 1;
    });
  }

  flush(): void {
    this.requireIntact();
    this.writeMemtable(null);
    this.tree.commit();
  }

  snapshotFiles(checkpointId: number): StoreFilesSnapshot {
    this.requireIntact();
    const { tree } = this;
    const number = tree.takeDurableNumber();
    this.writeMemtable(`${this.settings.snapshotLabel}-${checkpointId}`);
    tree.commit();
    const plan: SnapshotPlan = {
      checkpointId,
      namePrefix: `${this.settings.storeId}-${number}`,
      linkDirectory: `${this.settings.directory}/${LINKS_PREFIX}${number}`,
      version: tree.version,
      nextNumber: tree.nextNumber,
      compactedTo: tree.compactedTo.slice(),
      base: this.uploads.begin(checkpointId),
    };
    const snapshot = new NativeSnapshot(this.disk, this, plan);
    this.snapshots.add(snapshot);
    tree.openSnapshots += 1;
    snapshot.link();
    return snapshot;
  }

  confirm(checkpointId: number): void {
    this.uploads.confirm(checkpointId);
  }

  abort(checkpointId: number): void {
    this.uploads.forget(checkpointId);
  }

  restoreFiles(files: readonly StoreFile[], areKept: boolean = false): void {
    this.requireIntact();
    const { tree } = this;
    invariant(this.memtable.isEmpty && tree.version.deepestLevel < 0, "a store is restored before its first use");
    const [description, ...tables] = files;
    invariant(description !== undefined, "a snapshot has a description");
    const levels = readLevelsFile(this.intactBytes(description));
    if (typeof levels === "string") return this.disk.fail("corrupt", description.name, levels);
    const byName = new Map(tables.map((file) => [file.name, file]));
    // In the order of their old numbers, so that the newer of two tables stays the newer one.
    const named = levels.levels.flat().sort((a, b) => a.number - b.number);
    const restored = new Map<LevelsTable, Table>();
    for (const table of named) restored.set(table, this.restoreTable(table, byName.get(table.fileName)));
    tree.adopt(levels, levels.levels.map((each) => each.map((table) => restored.get(table)!)));
    if (!areKept) return;
    const base = new Map<Table, StoreFile>();
    for (const [{ fileName }, table] of restored) base.set(table, { ...byName.get(fileName)!, bytes: null });
    this.uploads.restored(base);
  }

  get needsMaintenance(): boolean {
    return this.disk.failure === null && this.tree.hasWork;
  }

  maintain(): void {
    this.requireIntact();
    this.tree.work();
    this.isSlowed = this.tree.version.levels[0]!.length >= this.slowTables;
  }

  inspect(files: QuietFiles): StoreReader {
    return new LsmInspection(this.moment(new QuietTables(files)));
  }

  statistics(): Readonly<Record<string, number>> {
    const { tables, levelBytes, ...numbers } = this.stats();
    return { ...numbers, tables: sumOf(tables), tableBytes: sumOf(levelBytes) };
  }

  stats(): LsmStats {
    const { tree } = this;
    const { version } = tree;
    return {
      tables: version.levels.map((tables) => tables.length),
      levelBytes: version.levelBytes,
      deepestLevel: version.deepestLevel,
      deepestLevelEver: tree.deepestLevelEver,
      memtableBytes: this.memtable.sizeBytes,
      cachedBytes: tree.blocks.sizeBytes,
      openTables: tree.cache.openTables,
      memtablesWritten: tree.memtablesWritten,
      commits: tree.commits,
      compactions: tree.compactions,
      trivialMoves: tree.trivialMoves,
      compactionsDuringSnapshot: tree.compactionsDuringSnapshot,
      tombstonesDropped: tree.tombstonesDropped,
      rowsFiltered: tree.rowsFiltered,
      stallSlices: this.stallSlices,
    };
  }

  close(): void {
    if (this.isClosed) return;
    for (const snapshot of Array.from(this.snapshots)) snapshot.close();
    this.isClosed = true;
    this.tree.close();
    this.tree.garbage.removeAll();
    this.disk.giveUpAll();
    this.memtable = new Memtable();
  }

  destroy(): void {
    this.close();
    removeTree(this.settings.disk, this.settings.directory);
  }

  /** For views and iterators. */
  requireIntact(): void {
    if (this.disk.failure !== null) throw this.disk.failure;
    invariant(!this.isClosed, "a store is used before it is closed");
  }

  release(version: Version): void {
    if (!this.isClosed) this.tree.release(version);
  }

  completed(plan: SnapshotPlan, uploaded: UploadedTables): void {
    this.uploads.complete(plan.checkpointId, uploaded);
  }

  closed(snapshot: NativeSnapshot, links: readonly string[]): void {
    this.snapshots.delete(snapshot);
    if (!snapshot.isComplete) this.uploads.forget(snapshot.plan.checkpointId);
    if (this.isClosed) return;
    const { tree } = this;
    tree.openSnapshots -= 1;
    for (const link of links) tree.garbage.addFile(link);
    if (links.length > 0) tree.garbage.addDirectory(snapshot.plan.linkDirectory);
    tree.release(snapshot.plan.version);
  }

  private moment(source: TableSource): Moment {
    return { memtable: this.memtable, sequence: this.memtable.sequence, version: this.tree.version, source };
  }

  /** The present moment, which the memtable keeps from now on. */
  private pinned(): Moment {
    this.memtable.pin();
    return this.moment(this.tree.cache);
  }

  private afterWrite(bytes: number): void {
    if (this.memtable.sizeBytes >= this.settings.memtableBytes) this.makeRoom();
    else if (this.isSlowed) this.payFor(bytes);
  }

  /** The memtable is full. */
  private makeRoom(): void {
    this.writeMemtable(null);
    const { tree } = this;
    while (tree.version.levels[0]!.length >= this.stopTables && tree.hasCompaction) this.stall();
    // Files must go too, where nobody calls for maintenance.
    while (!tree.garbage.isEmpty && this.isSlowed) tree.garbage.removeOne();
  }

  /** Compaction keeps pace with writes: a stall is spread over many of them. */
  private payFor(bytes: number): void {
    this.unpaidBytes += bytes;
    if (this.unpaidBytes < this.settings.sliceBytes / SLICES_PER_BYTES) return;
    this.unpaidBytes = 0;
    if (this.tree.hasCompaction) this.stall();
  }

  private stall(): void {
    this.stallSlices += 1;
    this.tree.compact();
    this.isSlowed = this.tree.version.levels[0]!.length >= this.slowTables;
  }

  private writeMemtable(occasion: string | null): void {
    if (this.memtable.isEmpty) return;
    const full = this.memtable;
    this.tree.writeMemtable(full, occasion);
    this.memtable = new Memtable();
    this.isSlowed = this.tree.version.levels[0]!.length >= this.slowTables;
  }

  private intactBytes(file: StoreFile): Uint8Array {
    const { bytes } = file;
    invariant(bytes !== null, "a store is restored from files with bytes");
    if (bytes.length !== file.sizeBytes) this.disk.fail("corrupt", file.name, `${bytes.length} bytes, not ${file.sizeBytes}`);
    if (crc32(bytes) !== file.checksum) this.disk.fail("corrupt", file.name, "fails its checksum");
    return bytes;
  }

  private restoreTable(named: LevelsTable, file: StoreFile | undefined): Table {
    if (file === undefined) return this.disk.fail("corrupt", named.fileName, "is missing from the snapshot");
    const bytes = this.intactBytes(file);
    if (named.sizeBytes !== bytes.length || named.fileChecksum !== file.checksum) {
      this.disk.fail("corrupt", file.name, "is not the table that the snapshot describes");
    }
    const number = this.tree.takeNumber();
    const fileName = tableFileName(number);
    const path = `${this.settings.directory}/${fileName}`;
    const descriptor = this.disk.open(path, "create");
    this.disk.write(descriptor, path, bytes, 0, bytes.length, 0);
    this.disk.closeFile(descriptor, path);
    return this.tree.table({ ...named, number, fileName }, false);
  }
}

/** It is the user's: no bug, and no fault of the disk. */
function refuseSize(what: string, sizeBytes: number, limitBytes: number): never {
  throw new UnencodableValueError("a row", `a ${what} of ${sizeBytes} bytes, where at most ${limitBytes} are kept,`);
}

function hashOf(storeId: string): number {
  const writer = new ByteWriter();
  writer.utf8(storeId, utf8Length(storeId));
  return crc32(writer.take());
}

function sumOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
