import { invariant } from "../../../base/assert.ts";
import { crc32 } from "../../../base/crc32.ts";
import type { StoreFile, StoreFilesSnapshot } from "../../ordered-store.ts";
import { StateStorageError } from "../../state-errors.ts";
import { writeLevelsFile, type LevelsTable } from "./levels-file.ts";
import { describedTable } from "./manifest.ts";
import { verifyTable } from "./quiet-tables.ts";
import type { StoreDisk } from "./store-disk.ts";
import type { Table } from "./table.ts";
import type { FilesByContent } from "../../uploaded-files.ts";
import type { Version } from "./version.ts";

/** A read is at least so long, whatever the budget. */
const LEAST_READ_BYTES = 1 << 12;

/** By table: the file of a snapshot that holds its bytes, without them. */
export type UploadedTables = FilesByContent<Table>;

/** What a snapshot is made of. */
export interface SnapshotPlan {
  readonly checkpointId: number;
  /** Begins the name of every file of this snapshot, and of no other. */
  readonly namePrefix: string;
  /** Holds a link to every table that is to be read. */
  readonly linkDirectory: string;
  readonly version: Version;
  readonly nextNumber: number;
  readonly compactedTo: readonly Uint8Array[];
  /** Tables of the last confirmed snapshot that come without bytes. */
  readonly base: UploadedTables;
}

/** What the store does for its snapshots. */
export interface SnapshotOwner {
  /** Everything was read: with `confirm` it would be the base of later snapshots. */
  completed(plan: SnapshotPlan, uploaded: UploadedTables): void;
  /** `links` are not needed any more. */
  closed(snapshot: NativeSnapshot, links: readonly string[]): void;
}

/**
 * A snapshot of the store's own files. A table that the last confirmed snapshot has comes without bytes; the
 * others are read by way of their links and checked block by block, so that a damaged table is never uploaded.
 */
export class NativeSnapshot implements StoreFilesSnapshot {
  readonly plan: SnapshotPlan;
  private readonly disk: StoreDisk;
  private readonly owner: SnapshotOwner;
  /** Not in the base, in the order of the levels. */
  private readonly pending: readonly Table[];
  private readonly uploaded: Map<Table, StoreFile> = new Map();
  private readonly tableFiles: StoreFile[] = [];
  private description: StoreFile | null = null;
  private leftBytes = 0;
  private tableIndex = 0;
  private target: Uint8Array | null = null;
  private targetFilled = 0;
  private descriptor = -1;
  private isClosed = false;

  constructor(disk: StoreDisk, owner: SnapshotOwner, plan: SnapshotPlan) {
    this.disk = disk;
    this.owner = owner;
    this.plan = plan;
    this.pending = plan.version.levels.flatMap((tables) => tables.filter((table) => !plan.base.has(table)));
    for (const table of this.pending) this.leftBytes += table.sizeBytes;
    plan.version.acquire();
  }

  /** Links what will be read. */
  link(): void {
    if (this.pending.length === 0) return;
    this.disk.makeDirectory(this.plan.linkDirectory);
    for (const table of this.pending) this.disk.link(table.path, this.linkOf(table));
  }

  get isComplete(): boolean {
    return this.description !== null;
  }

  step(byteBudget: number): number {
    invariant(!this.isClosed, "a snapshot is read before it is closed");
    this.disk.requireIntact();
    for (let budget = byteBudget; this.leftBytes > 0; ) {
      budget -= this.readPiece(Math.max(budget, LEAST_READ_BYTES));
      if (budget <= 0) break;
    }
    if (this.leftBytes === 0 && this.description === null) this.complete();
    return this.leftBytes;
  }

  files(): readonly StoreFile[] {
    const { description } = this;
    invariant(description !== null, "the files of a snapshot are complete once step returned 0");
    return [description, ...this.tableFiles];
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.descriptor >= 0) this.disk.giveUp(this.descriptor);
    this.target = null;
    this.owner.closed(this, this.pending.map((table) => this.linkOf(table)));
  }

  /** Returns how many bytes it read. */
  private readPiece(budget: number): number {
    const table = this.pending[this.tableIndex]!;
    const path = this.linkOf(table);
    let { target } = this;
    if (target === null) {
      target = new Uint8Array(table.sizeBytes);
      this.target = target;
      this.targetFilled = 0;
      this.descriptor = this.disk.open(path, "read");
    }
    const length = Math.min(budget, target.length - this.targetFilled);
    target.set(this.disk.read(this.descriptor, path, this.targetFilled, length), this.targetFilled);
    this.targetFilled += length;
    this.leftBytes -= length;
    if (this.targetFilled === target.length) this.finishTable(table, path, target);
    return length;
  }

  private finishTable(table: Table, path: string, bytes: Uint8Array): void {
    const { descriptor } = this;
    this.descriptor = -1;
    this.disk.closeFile(descriptor, path);
    try {
      verifyTable(table, path, bytes);
    } catch (error) {
      if (error instanceof StateStorageError) this.disk.fail(error.code, path, error.message);
      throw error;
    }
    const name = `${this.plan.namePrefix}-${table.fileName}`;
    const file = { name, sizeBytes: bytes.length, checksum: crc32(bytes), bytes };
    this.tableFiles.push(file);
    this.uploaded.set(table, { ...file, bytes: null });
    this.target = null;
    this.tableIndex += 1;
  }

  private complete(): void {
    const { plan } = this;
    for (const tables of plan.version.levels) {
      for (const table of tables) {
        const known = plan.base.get(table);
        if (known === undefined) continue;
        this.tableFiles.push(known);
        this.uploaded.set(table, known);
      }
    }
    const levels = plan.version.levels.map((tables) => tables.map((table) => this.described(table)));
    const bytes = writeLevelsFile({ nextNumber: plan.nextNumber, compactedTo: plan.compactedTo, levels });
    const name = `${plan.namePrefix}.levels`;
    this.description = { name, sizeBytes: bytes.length, checksum: crc32(bytes), bytes };
    this.owner.completed(plan, this.uploaded);
  }

  private described(table: Table): LevelsTable {
    const file = this.uploaded.get(table);
    invariant(file !== undefined, "every table of a snapshot has a file");
    return describedTable(table, file.name, file.checksum);
  }

  private linkOf(table: Table): string {
    return `${this.plan.linkDirectory}/${table.fileName}`;
  }
}
