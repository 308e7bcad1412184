import { schemaText } from "./serializers/schema-text.ts";
import { compatibilityOf, keyCompatibilityOf } from "./serializers/schema-compatibility.ts";
import type { SchemaCompatibility } from "./serializers/schema-compatibility.ts";
import type { SectionState } from "./snapshot-format.ts";
import { StateSchemaError } from "./state-errors.ts";

/** Makes an item (a value, an element, a map's value, an accumulator) of the new schema out of one of the old. */
export type ItemMigration = (old: any) => any;

/** Whether the items of a state, as it was written, can become those of the same state as it is wanted. */
export function stateCompatibilityOf(written: SectionState, wanted: SectionState): SchemaCompatibility {
  if (written.keySerializer !== wanted.keySerializer && written.keySerializer !== null && wanted.keySerializer !== null) {
    const reason = keyCompatibilityOf(written.keySerializer.schema, wanted.keySerializer.schema);
    if (reason !== null) return { kind: "incompatible", reason };
  }
  if (written.serializer === wanted.serializer) return { kind: "as-is" };
  return compatibilityOf(written.serializer.schema, wanted.serializer.schema);
}

/**
 * What has to be done to each item of a state before it is one of the state as it is wanted, which is of the
 * same kind; null: nothing. Throws StateSchemaError where nothing can be done.
 */
export function itemMigration(written: SectionState, wanted: SectionState): ItemMigration | null {
  const compatibility = stateCompatibilityOf(written, wanted);
  if (compatibility.kind === "incompatible") throw new StateSchemaError(schemaFault(written, wanted, compatibility.reason));
  return compatibility.kind === "as-is" ? null : compatibility.convert;
}

/**
 * Which of two forms of a state is kept where sections of one snapshot differ and nobody has bound it yet (the
 * older job's subtasks bound it at different times): the one that loses nothing of the other. Throws
 * StateSchemaError where neither does.
 */
export function mergedState(kept: SectionState, other: SectionState): SectionState {
  if (keepsAll(other, kept)) return kept;
  if (keepsAll(kept, other)) return other;
  throw new StateSchemaError(schemaFault(other, kept, "sections of one snapshot differ, and neither schema keeps what both hold"));
}

/** True if nothing of a state as written is lost when it becomes the other. */
function keepsAll(written: SectionState, wanted: SectionState): boolean {
  const compatibility = stateCompatibilityOf(written, wanted);
  return compatibility.kind === "as-is" || (compatibility.kind === "migrate" && !compatibility.dropsFields);
}

/** The text of a StateSchemaError. */
export function schemaFault(written: SectionState, wanted: SectionState, reason: string): string {
  return `state "${written.name}" was written as ${stateText(written)} and is bound as ${stateText(wanted)}: ${reason}`;
}

function stateText({ serializer, keySerializer }: SectionState): string {
  const items = schemaText(serializer.schema);
  return keySerializer === null ? items : `${schemaText(keySerializer.schema)} -> ${items}`;
}
