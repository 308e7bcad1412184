import { invariant } from "../../../base/assert.ts";
import { crc32 } from "../../../base/crc32.ts";
import type { IncrementalSnapshotWriter } from "../../keyed-backend.ts";
import type { StoreFile, StoreFilesSnapshot } from "../../ordered-store.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { SectionProgress } from "./section-progress.ts";
import type { SectionSource } from "./section-progress.ts";
import { writeSnapshotMeta } from "./snapshot-meta.ts";

/** What one entry of a step's budget is worth in bytes of the store's files. */
const BYTES_PER_ENTRY = 1024;

/** A snapshot in the store's own format: a meta file (see snapshot-meta), written first, and the store's files. */
export class StoreIncrementalSnapshot implements IncrementalSnapshotWriter {
  private readonly source: SectionSource;
  private readonly storeFiles: StoreFilesSnapshot;
  private readonly metaName: string;
  private readonly nextSequence: number;
  /** The timers; null once they are written, and `meta` is the whole file. */
  private timers: SectionProgress | null;
  private meta: Uint8Array | null = null;
  private done = false;
  private failed = false;
  private cancelled = false;
  private released = false;

  constructor(source: SectionSource, rows: KeyedRows, storeFiles: StoreFilesSnapshot, metaName: string) {
    this.source = source;
    this.storeFiles = storeFiles;
    this.metaName = metaName;
    this.nextSequence = rows.nextSequence;
    this.timers = new SectionProgress({ ...source, states: [] }, rows, null);
  }

  /** It holds nothing of the store any more. */
  get isReleased(): boolean {
    return this.released;
  }

  step(entryBudget: number): number {
    invariant(entryBudget >= 1, "a step of a snapshot serializes at least one entry");
    invariant(!this.cancelled, "a cancelled snapshot takes no further step");
    invariant(!this.failed, "a snapshot that failed takes no further step");
    if (this.done) return 0;
    this.failed = true;
    if (this.timers !== null) this.writeTimers(this.timers, entryBudget);
    else this.done = this.storeFiles.step(entryBudget * BYTES_PER_ENTRY) === 0;
    this.failed = false;
    return this.done ? 0 : 1;
  }

  files(): readonly StoreFile[] {
    invariant(this.done && this.meta !== null, "a snapshot's files are taken once, after its last step");
    const bytes = this.meta;
    this.meta = null;
    const files = this.storeFiles.files();
    this.release();
    return [{ name: this.metaName, sizeBytes: bytes.length, checksum: crc32(bytes), bytes }, ...files];
  }

  cancel(): void {
    this.cancelled = true;
    this.meta = null;
    this.release();
  }

  private release(): void {
    this.released = true;
    this.source.timers.release();
    this.storeFiles.close();
  }

  private writeTimers(timers: SectionProgress, entryBudget: number): void {
    if (timers.write(entryBudget)) return;
    this.source.timers.release();
    this.meta = writeSnapshotMeta(this.nextSequence, this.source.states, timers.toBytes());
    this.timers = null;
  }
}
