import { crc32 } from "../../../base/crc32.ts";
import { invariant } from "../../../base/assert.ts";
import type { StoreFile, StoreFilesSnapshot } from "../../ordered-store.ts";
import type { Pack, PackPlan } from "./pack-chain.ts";
import type { PageView } from "./page-view.ts";
import { PackWriter } from "./page-pack.ts";
import { SQLITE_OK } from "./sqlite-codes.ts";

/** What a snapshot needs of the store it is of. */
export interface SnapshotOwner {
  /** Throws the failure of the page file. */
  readFailed(): never;
  /** The snapshot was closed before its files were complete. */
  gaveUp(snapshot: SqliteSnapshot): void;
}

/** The pages that changed since the last confirmed snapshot, as one pack, and the packs needed beside it. */
export class SqliteSnapshot implements StoreFilesSnapshot {
  readonly checkpointId: number;
  readonly kept: readonly Pack[];
  /** The generation of pages that it holds. */
  readonly generation: number;
  private readonly owner: SnapshotOwner;
  private readonly name: string;
  private readonly pages: Uint32Array;
  private readonly view: PageView;
  private writer: PackWriter | null;
  private pack: Pack | null = null;
  private complete = false;
  private closed = false;

  constructor(
    owner: SnapshotOwner,
    checkpointId: number,
    name: string,
    plan: PackPlan,
    view: PageView,
    generation: number,
  ) {
    this.owner = owner;
    this.checkpointId = checkpointId;
    this.name = name;
    this.kept = plan.kept;
    this.pages = plan.pages;
    this.view = view;
    this.generation = generation;
    this.writer = new PackWriter(view, plan.pages);
  }

  /** The pack that was written; null: nothing had changed. */
  get added(): Pack | null {
    invariant(this.complete, "a snapshot's pack is asked for when it is complete");
    return this.pack;
  }

  get isComplete(): boolean {
    return this.complete;
  }

  step(byteBudget: number): number {
    const { writer } = this;
    if (writer === null || this.closed) return 0;
    if (writer.remainingBytes > 0 && writer.step(byteBudget) !== SQLITE_OK) this.owner.readFailed();
    const { remainingBytes } = writer;
    if (remainingBytes === 0) this.finish(writer);
    return remainingBytes;
  }

  files(): readonly StoreFile[] {
    invariant(this.complete && !this.closed, "a snapshot's files are asked for when it is complete and not closed");
    const files: StoreFile[] = this.kept.map(({ name, sizeBytes, checksum }) => ({
      name,
      sizeBytes,
      checksum,
      bytes: null,
    }));
    if (this.pack !== null) {
      const { name, sizeBytes, checksum } = this.pack;
      files.push({ name, sizeBytes, checksum, bytes: this.writer!.bytes });
    }
    return files;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.view.close();
    this.writer = null;
    if (!this.complete) this.owner.gaveUp(this);
  }

  private finish(writer: PackWriter): void {
    if (this.complete) return;
    this.complete = true;
    this.view.close();
    if (this.pages.length === 0) return;
    const { bytes } = writer;
    this.pack = { name: this.name, sizeBytes: bytes.length, checksum: crc32(bytes), pages: this.pages };
  }
}
