import { invariant } from "../../../base/assert.ts";
import { compareBytes } from "../../../base/byte-order.ts";
import { LevelIndex, tableFrom } from "./level-index.ts";
import type { FoundValue, RowCursor } from "./row-cursor.ts";
import type { Table, TableSource } from "./table.ts";
import { TablesCursor } from "./tables-cursor.ts";

/** Level 0 and six below it: ten times as large each, so the last never fills up. */
export const LEVELS = 7;

/**
 * Which tables hold the rows at one moment. Level 0: tables as they were written from the memtable, newest
 * first, which may overlap. Deeper levels: ascending, without overlap; what lies on a higher level is newer.
 * Immutable. While a version is referenced, its tables stay on disk.
 */
export class Version {
  readonly levels: readonly (readonly Table[])[];
  /** By level: bytes of its tables. */
  readonly levelBytes: readonly number[];
  private readonly indexes: readonly LevelIndex[];
  private references = 0;

  constructor(levels: readonly (readonly Table[])[]) {
    invariant(levels.length === LEVELS, "a version has all levels");
    this.levels = levels;
    this.indexes = levels.map((tables) => new LevelIndex(tables));
    this.levelBytes = levels.map((tables) => tables.reduce((sum, table) => sum + table.sizeBytes, 0));
  }

  static empty(): Version {
    return new Version(Array.from({ length: LEVELS }, () => []));
  }

  acquire(): void {
    this.references += 1;
    if (this.references > 1) return;
    for (const tables of this.levels) for (const table of tables) table.references += 1;
  }

  /** Tables that no version names any more are added to `unneeded`. */
  release(unneeded: Table[]): void {
    invariant(this.references > 0, "a version is released as often as it was acquired");
    this.references -= 1;
    if (this.references > 0) return;
    for (const tables of this.levels) {
      for (const table of tables) {
        table.references -= 1;
        if (table.references === 0) unneeded.push(table);
      }
    }
  }

  /** The newest row of a key with this hash. */
  get(key: Uint8Array, hash: number, source: TableSource): FoundValue {
    const { levels, indexes } = this;
    for (let level = 0; level < LEVELS; level++) {
      const tables = levels[level]!;
      if (tables.length === 0) continue;
      const index = indexes[level]!;
      const head = index.headOf(key);
      if (head === null) continue;
      if (level > 0) {
        const at = index.tableFrom(key, head);
        if (at === tables.length || !index.mayCover(at, head)) continue;
        const found = source.reader(tables[at]!).get(key, hash);
        if (found !== undefined) return found;
        continue;
      }
      for (let at = 0; at < tables.length; at++) {
        if (!index.mayCover(at, head)) continue;
        const found = source.reader(tables[at]!).get(key, hash);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** Adds cursors over everything that may hold keys in [from, to), newest first. */
  addCursors(
    cursors: RowCursor[],
    source: TableSource,
    from: Uint8Array,
    to: Uint8Array | null,
    readAheadBytes: number,
  ): void {
    for (const table of this.levels[0]!) {
      if (compareBytes(table.largest, from) < 0) continue;
      if (to !== null && compareBytes(table.smallest, to) >= 0) continue;
      cursors.push(new TablesCursor(source, [table], readAheadBytes, false));
    }
    for (let level = 1; level < LEVELS; level++) {
      const tables = this.levels[level]!;
      const first = tables[tableFrom(tables, from)];
      if (first === undefined || (to !== null && compareBytes(first.smallest, to) >= 0)) continue;
      cursors.push(new TablesCursor(source, tables, readAheadBytes, false));
    }
  }

  /** Tables of a level that hold keys in [smallest, largest]. */
  overlapping(level: number, smallest: Uint8Array, largest: Uint8Array): Table[] {
    return this.levels[level]!.filter(
      (table) =>
        compareBytes(table.largest, smallest) >= 0 && compareBytes(table.smallest, largest) <= 0,
    );
  }

  /** This version without some tables and with others, put where they belong on their level. */
  changed(removed: ReadonlySet<Table>, level: number, added: readonly Table[]): Version {
    return new Version(
      this.levels.map((tables, at) => {
        const kept = tables.filter((table) => !removed.has(table));
        if (at !== level) return kept;
        kept.push(...added);
        if (level === 0) return kept.sort((a, b) => b.number - a.number);
        return kept.sort((a, b) => compareBytes(a.smallest, b.smallest));
      }),
    );
  }

  /** The deepest level with tables; -1 without any. */
  get deepestLevel(): number {
    return this.levels.findLastIndex((tables) => tables.length > 0);
  }
}
