import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { decodeFrom, encodeInto } from "../base/codec.ts";
import { checkedSchema } from "./serializers/serializer-schema.ts";
import type { SerializerSchema } from "./type-serializer.ts";

/**
 * The operator-state section: the state of one operator subtask that belongs to no key. Equal state gives
 * equal bytes. Where nothing is to be kept, the section is empty. Else ("varuint", "value", "item" as in
 * snapshot-format):
 *
 *     magic            4 bytes   57 57 4f 4c ("WWOL")
 *     format version   1 byte    02
 *     states           varuint   S, at least 1
 *     S times, strictly ascending by name (UTF-16 code units):
 *       name           value     a string
 *       mode           1 byte    00 split list, 01 union list, 02 broadcast
 *       schema         value     of an element's serializer, broadcast: of a value's (SerializerSchema)
 *       key schema     value     broadcast: of the keys' serializer; else null
 *       elements       varuint   E; at least 1, except of a union list (see below)
 *       E times, in the order added (broadcast: in which the keys were first put):
 *         length       varuint   bytes of the element
 *         element                one item; broadcast: an item of the key schema, then one of the schema
 *     end                        nothing follows the last state
 *
 * An element tells its length so that elements can be dealt out anew without a serializer. A union list that
 * was bound stands there even when it is empty: a subtask that is restored from this section must learn that
 * other subtasks may have elements for it.
 */
export const OPERATOR_SECTION_MAGIC = 0x4c4f5757;
export const OPERATOR_SECTION_VERSION = 2;

/**
 * What becomes of the elements on a restore. "split": dealt out over the subtasks; "union": every subtask gets
 * all of every subtask; "broadcast": a map that is the same in every subtask, who each get a copy.
 */
export type OperatorStateMode = "split" | "union" | "broadcast";

/** By their number in the section. */
export const OPERATOR_STATE_MODES: readonly OperatorStateMode[] = ["split", "union", "broadcast"];

/** A state of the section, its elements as bytes. */
export interface OperatorSectionState {
  readonly name: string;
  readonly mode: OperatorStateMode;
  readonly schema: SerializerSchema;
  /** Null except for broadcast. */
  readonly keySchema: SerializerSchema | null;
  readonly elements: readonly Uint8Array[];
}

/** A state in the course of being written: what stands before its elements, and the elements. */
export interface WrittenState {
  readonly name: string;
  readonly mode: OperatorStateMode;
  /** From the name to the key schema. */
  readonly head: Uint8Array;
  readonly count: number;
  /** Writes the elements, each with its length. */
  write(writer: ByteWriter): void;
}

const NO_BYTES = new Uint8Array(0);

export function sectionHead(name: string, mode: OperatorStateMode, schema: SerializerSchema, keySchema: SerializerSchema | null): Uint8Array {
  const writer = new ByteWriter();
  encodeInto(writer, name);
  writer.u8(OPERATOR_STATE_MODES.indexOf(mode));
  encodeInto(writer, schema);
  encodeInto(writer, keySchema);
  return writer.toBytes();
}

/** A state whose elements are bytes already. */
export function writtenState({ name, mode, schema, keySchema, elements }: OperatorSectionState): WrittenState {
  return {
    name,
    mode,
    head: sectionHead(name, mode, schema, keySchema),
    count: elements.length,
    write: (writer) => {
      for (const element of elements) {
        writer.varuint(element.length);
        writer.bytes(element);
      }
    },
  };
}

/** The section of these states, whose names differ; those of which nothing is to be kept are left out. */
export function writeOperatorSection(states: readonly WrittenState[], writer: ByteWriter = new ByteWriter(512)): Uint8Array {
  const kept = states.filter(({ mode, count }) => mode === "union" || count > 0);
  if (kept.length === 0) return NO_BYTES;
  kept.sort((left, right) => (left.name < right.name ? -1 : 1));
  // An error may have left something behind.
  writer.truncate(0);
  writer.u32(OPERATOR_SECTION_MAGIC);
  writer.u8(OPERATOR_SECTION_VERSION);
  writer.varuint(kept.length);
  for (const state of kept) {
    writer.bytes(state.head);
    writer.varuint(state.count);
    state.write(writer);
  }
  return writer.take();
}

/** Throws CorruptBytesError for anything but what `writeOperatorSection` writes. What elements hold is not looked at. */
export function readOperatorSection(bytes: Uint8Array): readonly OperatorSectionState[] {
  if (bytes.length === 0) return [];
  const reader = new ByteReader(bytes);
  if (reader.u32() !== OPERATOR_SECTION_MAGIC) reader.corrupt("no operator-state section");
  const version = reader.u8();
  if (version !== OPERATOR_SECTION_VERSION) reader.corrupt(`an operator-state section of version ${version}`);
  const count = reader.count(5);
  if (count === 0) reader.corrupt("an operator-state section without states");
  const states: OperatorSectionState[] = [];
  for (let i = 0; i < count; i++) states.push(readState(reader, states.at(-1)?.name ?? null));
  if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the last operator state`);
  return states;
}

function readState(reader: ByteReader, before: string | null): OperatorSectionState {
  const name = decodeFrom(reader);
  if (typeof name !== "string" || (before !== null && name <= before)) {
    return reader.corrupt("names of operator states out of order");
  }
  const mode = OPERATOR_STATE_MODES[reader.u8()];
  if (mode === undefined) return reader.corrupt("an unknown mode of operator state");
  const schema = checkedSchema(decodeFrom(reader));
  const key = decodeFrom(reader);
  if ((key !== null) !== (mode === "broadcast")) reader.corrupt("a key schema where none is, or none where one is");
  const keySchema = key === null ? null : checkedSchema(key);
  const count = reader.count(1);
  if (count === 0 && mode !== "union") reader.corrupt(`an empty ${mode} state`);
  const elements: Uint8Array[] = [];
  for (let i = 0; i < count; i++) elements.push(reader.bytes(reader.varuint()));
  return { name, mode, schema, keySchema, elements };
}
