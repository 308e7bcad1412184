import { compareBytes } from "../../../base/byte-order.ts";
import type { LsmSettings } from "./lsm-options.ts";
import type { Table } from "./table.ts";
import { LEVELS, type Version } from "./version.ts";

/** Each level is so many times as large as the one above. */
const LEVEL_FACTOR = 10;

/** What is to be merged: tables of a level and those of the next one that overlap them. */
export interface CompactionInputs {
  readonly level: number;
  /** In the order of the version. */
  readonly upper: readonly Table[];
  readonly lower: readonly Table[];
}

/**
 * The next compaction, or null. The level that is fullest in proportion goes first (of equals the upper one).
 * From level 0 the oldest table goes, with all that overlap it, one by way of another; from a deeper level
 * the table behind the one that went last.
 */
export function pickCompaction(
  version: Version,
  settings: LsmSettings,
  compactedTo: readonly Uint8Array[],
): CompactionInputs | null {
  let level = 0;
  let fullest = version.levels[0]!.length / settings.levelZeroTables;
  let limitBytes = settings.levelOneBytes;
  for (let i = 1; i < LEVELS - 1; i++, limitBytes *= LEVEL_FACTOR) {
    const fullness = version.levelBytes[i]! / limitBytes;
    // A level that is just full is not over its size.
    if (fullness <= 1 || fullness <= fullest) continue;
    fullest = fullness;
    level = i;
  }
  if (fullest < 1) return null;
  const upper = level === 0 ? levelZeroInputs(version.levels[0]!) : [nextTable(version.levels[level]!, compactedTo[level]!)];
  const [smallest, largest] = rangeOf(upper);
  return { level, upper, lower: version.overlapping(level + 1, smallest, largest) };
}

function levelZeroInputs(tables: readonly Table[]): readonly Table[] {
  let inputs: readonly Table[] = [tables.at(-1)!];
  for (;;) {
    const [smallest, largest] = rangeOf(inputs);
    const wider = tables.filter(
      (table) =>
        compareBytes(table.largest, smallest) >= 0 && compareBytes(table.smallest, largest) <= 0,
    );
    if (wider.length === inputs.length) return wider;
    inputs = wider;
  }
}

function nextTable(tables: readonly Table[], compactedTo: Uint8Array): Table {
  return tables.find((table) => compareBytes(table.largest, compactedTo) > 0) ?? tables[0]!;
}

function rangeOf(tables: readonly Table[]): [Uint8Array, Uint8Array] {
  let { smallest, largest } = tables[0]!;
  for (const table of tables) {
    if (compareBytes(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareBytes(table.largest, largest) > 0) largest = table.largest;
  }
  return [smallest, largest];
}
