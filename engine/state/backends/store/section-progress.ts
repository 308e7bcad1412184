import type { TimestampMs } from "../../../base/units.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";
import { KeyedSectionWriter, SectionBuffers } from "../../keyed-section-writer.ts";
import type { StoreIterator } from "../../ordered-store.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { readKeyGroup } from "./row-format.ts";
import { SectionRows } from "./section-rows.ts";
import type { LeftOutRows } from "./section-rows.ts";
import type { FrozenTimers } from "./store-timers.ts";
import type { StoredState } from "./stored-states.ts";

/** What a section is written from, as it was at one moment. */
export interface SectionSource {
  /** By id. */
  readonly states: readonly StoredState[];
  readonly timers: FrozenTimers;
  readonly watermarkMs: TimestampMs;
  /** What is expired then is left out where a time to live says so. */
  readonly nowMs: TimestampMs;
  readonly expired: LeftOutRows;
}

/** A section that is being written, row by row and timer by timer, from one walk over the rows of a store. */
export class SectionProgress {
  private readonly shared: KeyedRows;
  private readonly buffers: SectionBuffers;
  private readonly section: KeyedSectionWriter;
  private readonly sectionRows: SectionRows;
  private readonly source: SectionSource;
  private readonly range: KeyGroupRange;
  private readonly keyGroupBytes: number;
  /** Null: there are none. */
  private readonly rows: StoreIterator | null;
  /** `rows` stands at a row that is still to be written. */
  private rowHeld = false;
  private rowsEnded: boolean;
  private keyGroup: number;
  /** Only the timers of the key group are left. */
  private inTimers = false;

  constructor(source: SectionSource, shared: KeyedRows, rows: StoreIterator | null) {
    const { range, maxParallelism, keyGroupBytes } = shared;
    this.source = source;
    this.shared = shared;
    // One section at a time may use the buffers of the one before it.
    this.buffers = shared.spareBuffers ?? new SectionBuffers();
    shared.spareBuffers = null;
    this.range = range;
    this.keyGroupBytes = keyGroupBytes;
    this.section = new KeyedSectionWriter(maxParallelism, range, source.states, this.buffers);
    this.sectionRows = new SectionRows(this.section, source.states, keyGroupBytes, source.nowMs, source.expired);
    this.rows = rows;
    this.rowsEnded = rows === null;
    this.keyGroup = range.start;
  }

  /** Writes so many rows or timers; false once everything is written. */
  write(budget: number): boolean {
    for (let left = budget; left > 0; left--) if (!this.writeNext()) return false;
    return true;
  }

  /** Once: the next section gets the buffers. */
  toBytes(): Uint8Array {
    const bytes = this.section.toBytes();
    this.shared.spareBuffers = this.buffers;
    return bytes;
  }

  private writeNext(): boolean {
    while (this.keyGroup <= this.range.end) {
      if (this.inTimers) {
        if (this.source.timers.writeNext(this.section)) return true;
        this.section.endGroup(this.source.watermarkMs);
        this.keyGroup++;
        this.inTimers = false;
      } else if (this.findRow()) {
        this.rowHeld = false;
        this.sectionRows.row(this.rows!.key, this.rows!.value);
        return true;
      } else {
        this.sectionRows.endEntry();
        this.source.timers.beginGroup(this.keyGroup - this.range.start);
        this.inTimers = true;
      }
    }
    return false;
  }

  /** True where `rows` stands at a row of the key group. */
  private findRow(): boolean {
    if (this.rowsEnded) return false;
    if (!this.rowHeld) {
      if (!this.rows!.next()) {
        this.rowsEnded = true;
        return false;
      }
      this.rowHeld = true;
    }
    return readKeyGroup(this.rows!.key, this.keyGroupBytes) === this.keyGroup;
  }
}
