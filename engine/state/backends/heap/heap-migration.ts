import type { StateKind } from "../../descriptors.ts";
import type { ItemMigration } from "../../state-migration.ts";
import type { MapContent } from "./heap-map-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { StateCell } from "./key-entry.ts";

/**
 * Converts everything that a table holds of a state, each item once. Snapshots in flight go on to see what was
 * there before. Where an item cannot be converted, nothing was changed.
 */
export function migrateState(table: HeapTable, state: number, kind: StateKind, convert: ItemMigration): void {
  const cells: StateCell[] = [];
  for (const group of table.groups) for (const entry of group) entry.collectCells(state, cells);
  const contents = cells.map((cell) => (cell.value === null ? null : migrated(kind, cell.value, convert)));
  cells.forEach((cell, index) => {
    if (cell.value === null) return;
    table.write(cell, contents[index]);
    // It is a new array or Map, which nobody else holds.
    cell.shared = false;
  });
}

function migrated(kind: StateKind, content: unknown, convert: ItemMigration): unknown {
  if (kind === "list") return (content as readonly unknown[]).map((element) => convert(element));
  if (kind !== "map") return convert(content);
  const map: MapContent = new Map();
  for (const [identity, [key, value]] of content as MapContent) map.set(identity, [key, convert(value)]);
  return map;
}
