import { invariant } from "../../../base/assert.ts";
import type { SnapshotWriter } from "../../keyed-backend.ts";
import type { StoreIterator, StoreView } from "../../ordered-store.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { iterateKeyGroups } from "./row-format.ts";
import { SectionProgress } from "./section-progress.ts";
import type { SectionSource } from "./section-progress.ts";

/** Writes the canonical section from a view of the store, in steps, while the store changes. */
export class StoreSnapshotWriter implements SnapshotWriter {
  private readonly source: SectionSource;
  private readonly rows: KeyedRows;
  private readonly view: StoreView;
  private iterator: StoreIterator | null = null;
  private progress: SectionProgress | null = null;
  private done = false;
  private released = false;
  /** Something was thrown out of a step. */
  private failed = false;
  private cancelled = false;

  constructor(source: SectionSource, rows: KeyedRows, view: StoreView) {
    this.source = source;
    this.rows = rows;
    this.view = view;
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
    this.progress ??= this.begin();
    const left = this.progress.write(entryBudget);
    if (!left) {
      this.release();
      this.done = true;
    }
    this.failed = false;
    return left ? 1 : 0;
  }

  bytes(): Uint8Array {
    invariant(this.done && this.progress !== null, "a snapshot's bytes are taken once, after its last step");
    const bytes = this.progress.toBytes();
    this.progress = null;
    return bytes;
  }

  cancel(): void {
    this.cancelled = true;
    this.progress = null;
    this.release();
  }

  private begin(): SectionProgress {
    const { rows, view } = this;
    const { start, end } = rows.range;
    if (start <= end) this.iterator = iterateKeyGroups(view, start, end, rows.keyGroupBytes);
    return new SectionProgress(this.source, rows, this.iterator);
  }

  private release(): void {
    if (this.released) return;
    this.released = true;
    this.source.timers.release();
    this.iterator?.close();
    this.view.close();
  }
}
