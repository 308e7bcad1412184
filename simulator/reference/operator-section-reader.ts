import { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import { itemDecoder } from "./item-decoder.ts";

/**
 * A second reader of operator state, made from the description of the format (head of operator-state-section
 * in engine/state) and not from the engine's code. Throws CorruptBytesError for whatever is not as described.
 */

/** A state of an operator subtask that belongs to no key. */
export interface OperatorSectionEntry {
  readonly name: string;
  readonly mode: "split" | "union" | "broadcast";
  /** In order; of broadcast state the pairs [key, value]. */
  readonly elements: readonly unknown[];
}

/** "WWOL", least byte first. */
const MAGIC = 0x4c_4f_57_57;
const VERSION = 2;
const MODES: readonly OperatorSectionEntry["mode"][] = ["split", "union", "broadcast"];

/** Reads the operator state of one subtask, by name. */
export function readOperatorSection(bytes: Uint8Array): ReadonlyMap<string, OperatorSectionEntry> {
  const states = new Map<string, OperatorSectionEntry>();
  if (bytes.length === 0) return states;
  const reader = new ByteReader(bytes);
  if (reader.remaining < 6) reader.corrupt("too short for operator state");
  if (reader.u32() !== MAGIC) reader.corrupt("the first bytes are not those of operator state");
  const version = reader.u8();
  if (version !== VERSION) reader.corrupt(`operator state of the unknown version ${version}`);
  const count = reader.varuint();
  if (count === 0) reader.corrupt("a section of operator state without a state");
  let before: string | null = null;
  for (let i = 0; i < count; i++) {
    const state = readState(reader);
    if (before !== null && state.name <= before) reader.corrupt(`operator state "${state.name}" stands after "${before}"`);
    states.set(state.name, state);
    before = state.name;
  }
  if (reader.remaining > 0) reader.corrupt("something follows the last operator state");
  return states;
}

/** The elements of each state by its name. */
export function readListSection(bytes: Uint8Array): ReadonlyMap<string, readonly unknown[]> {
  const lists = new Map<string, readonly unknown[]>();
  for (const { name, elements } of readOperatorSection(bytes).values()) lists.set(name, elements);
  return lists;
}

function readState(reader: ByteReader): OperatorSectionEntry {
  const name = decodeFrom(reader);
  if (typeof name !== "string") return reader.corrupt("the name of an operator state is no string");
  const number = reader.u8();
  const mode = MODES[number];
  if (mode === undefined) return reader.corrupt(`operator state "${name}" is of the unknown mode ${number}`);
  const decodeItem = itemDecoder(decodeFrom(reader), reader);
  const keySchema = decodeFrom(reader);
  if ((keySchema !== null) !== (mode === "broadcast")) {
    return reader.corrupt(`operator state "${name}" has a schema of keys, or broadcast state has none`);
  }
  const decodeKey = keySchema === null ? null : itemDecoder(keySchema, reader);
  const count = reader.varuint();
  if (count === 0 && mode !== "union") reader.corrupt(`operator state "${name}" is empty`);
  const elements: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.varuint();
    if (length > reader.remaining) reader.corrupt(`an element of operator state "${name}" is longer than the section`);
    const end = reader.position + length;
    const key = decodeKey === null ? null : decodeKey(reader);
    const item = decodeItem(reader);
    if (reader.position !== end) reader.corrupt(`an element of operator state "${name}" does not end where its length says`);
    elements.push(decodeKey === null ? item : [key, item]);
  }
  return { name, mode, elements };
}
