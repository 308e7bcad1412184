import { compareBytes } from "../../../base/byte-order.ts";
import type { CompactionInputs } from "./compaction-picker.ts";
import type { LsmSettings } from "./lsm-options.ts";
import { MergeCursor } from "./merge-cursor.ts";
import { NO_BYTES, TOMBSTONE, type RowCursor } from "./row-cursor.ts";
import type { Table, TableDescription, TableSource } from "./table.ts";
import type { TableWriter } from "./table-writer.ts";
import { TablesCursor } from "./tables-cursor.ts";
import type { Version } from "./version.ts";

/** Makes the writers of a compaction's tables. */
export interface TableMaker {
  newTable(): { readonly writer: TableWriter; readonly number: number };
}

/**
 * One compaction under way: merges its inputs into new tables of the next level, a slice at a time. Of
 * several rows of a key only the newest is written. A tombstone is left out where no deeper level can hold
 * its key; what readers of older versions need is in the input tables, which those versions keep.
 */
export class Compaction {
  readonly inputs: CompactionInputs;
  readonly outputs: TableDescription[] = [];
  tombstonesDropped = 0;
  rowsFiltered = 0;
  private readonly settings: LsmSettings;
  private readonly maker: TableMaker;
  private readonly merge: MergeCursor;
  /** By level below the output: the tables, and the first that does not end before the key at hand. */
  private readonly deeper: readonly (readonly Table[])[];
  private readonly deeperAt: Int32Array;
  private readonly filtersRows: boolean;
  private writer: TableWriter | null = null;
  private writerNumber = 0;
  private isStarted = false;

  constructor(
    inputs: CompactionInputs,
    version: Version,
    settings: LsmSettings,
    source: TableSource,
    maker: TableMaker,
  ) {
    this.inputs = inputs;
    this.settings = settings;
    this.maker = maker;
    const { level, upper, lower } = inputs;
    const runs = level === 0 ? upper.map((table) => [table]) : [upper];
    if (lower.length > 0) runs.push(lower);
    this.merge = new MergeCursor(runs.map((run) => new TablesCursor(source, run, settings.sliceBytes, true)));
    this.deeper = version.levels.slice(level + 2);
    this.deeperAt = new Int32Array(this.deeper.length);
    this.filtersRows = settings.filter !== null;
  }

  /** Goes through about so many bytes; true once everything is merged. */
  slice(): boolean {
    const { merge, settings } = this;
    if (!this.isStarted && !merge.seek(NO_BYTES)) return true;
    let isMore = true;
    if (this.isStarted) isMore = merge.next();
    this.isStarted = true;
    for (let left = settings.sliceBytes; isMore; isMore = merge.next()) {
      this.take(merge);
      left -= merge.keyLength + Math.max(0, merge.valueLength);
      if (left <= 0) return false;
    }
    if (this.writer !== null) this.finishTable(this.writer);
    return true;
  }

  /** Closes what is open. The tables written so far are garbage. */
  abandon(): void {
    this.writer?.abandon();
    this.writer = null;
  }

  private take(row: RowCursor): void {
    let { valueLength } = row;
    const isUnwanted = this.filtersRows && valueLength !== TOMBSTONE && this.isUnwanted(row);
    if (isUnwanted) {
      this.rowsFiltered += 1;
      valueLength = TOMBSTONE;
    }
    if (valueLength === TOMBSTONE && !this.mayLieDeeper(row)) {
      if (!isUnwanted) this.tombstonesDropped += 1;
      return;
    }
    let { writer } = this;
    if (writer !== null && writer.sizeBytes >= this.settings.tableBytes) {
      this.finishTable(writer);
      writer = null;
    }
    if (writer === null) {
      const made = this.maker.newTable();
      writer = made.writer;
      this.writer = writer;
      this.writerNumber = made.number;
    }
    writer.add(row, valueLength);
  }

  private finishTable(writer: TableWriter): void {
    this.outputs.push(writer.finish(this.writerNumber));
    this.writer = null;
  }

  private isUnwanted(row: RowCursor): boolean {
    const { filter } = this.settings;
    const key = row.key.slice(row.keyStart, row.keyStart + row.keyLength);
    return filter !== null && filter(key, row.valueSource.subarray(row.valueStart, row.valueStart + row.valueLength));
  }

  /** Keys come in ascending order, so the places in the deeper levels only move on. */
  private mayLieDeeper(row: RowCursor): boolean {
    const key = row.key.subarray(row.keyStart, row.keyStart + row.keyLength);
    for (let i = 0; i < this.deeper.length; i++) {
      const tables = this.deeper[i]!;
      let at = this.deeperAt[i]!;
      while (at < tables.length && compareBytes(tables[at]!.largest, key) < 0) at++;
      this.deeperAt[i] = at;
      if (at < tables.length && compareBytes(tables[at]!.smallest, key) <= 0) return true;
    }
    return false;
  }
}
