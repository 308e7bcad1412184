import type { ByteReader, ByteWriter } from "../../../base/bytes.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { ItemMigration } from "../../state-migration.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { iterateState } from "./row-format.ts";
import { writeNamed } from "./store-state.ts";
import type { StoredState } from "./stored-states.ts";

/** Appends the value of a row, its item migrated. Maps keep the sequence number before it. */
export function writeMigrated(
  target: ByteWriter,
  reader: ByteReader,
  value: Uint8Array,
  written: SectionState,
  wanted: SectionState,
  migration: ItemMigration,
): void {
  reader.reopen(value);
  if (written.kind === "map") target.varuint(reader.varuint());
  const item: unknown = migration(written.serializer.read(reader));
  if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the item`);
  writeNamed(target, wanted.serializer, item, wanted.name);
}

/**
 * Rewrites all rows of a state. First every row is converted without being written: where an item cannot be
 * converted, nothing was changed.
 */
export function migrateRows(rows: KeyedRows, stored: StoredState, wanted: SectionState, migration: ItemMigration): void {
  const { range, store, value, reader } = rows;
  for (const writes of [false, true]) {
    for (let keyGroup = range.start; keyGroup <= range.end; keyGroup++) {
      const iterator = iterateState(store, keyGroup, rows.keyGroupBytes, stored.id);
      while (iterator.next()) {
        value.truncate(0);
        writeMigrated(value, reader, iterator.value, stored, wanted, migration);
        if (writes) store.put(iterator.key, value.view());
      }
      iterator.close();
    }
  }
}
