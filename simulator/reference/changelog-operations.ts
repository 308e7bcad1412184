import type { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import type { StateKind } from "../../engine/state/descriptors.ts";
import type { ChangelogContents } from "./changelog-contents.ts";
import { itemDecoder } from "./item-decoder.ts";
import type { DecodeItem } from "./item-decoder.ts";
import type { KeyedSection, SectionState } from "./snapshot-reader.ts";

/*
 * The operations of a changelog, and the table of states that they are in terms of, by the description of the
 * format (head of changelog-format in engine/state/backends/changelog).
 */

const KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];
const OPERATIONS = ["clear", "set", "replace", "append", "put", "remove", "register", "deregister"] as const;

/** A state of a log's table, and how its items are read. */
export interface LogState extends SectionState {
  readonly item: DecodeItem;
  readonly key: DecodeItem | null;
}

/** The key groups of the subtask that wrote a log. */
export interface LogRange {
  readonly firstKeyGroup: number;
  readonly groups: number;
}

/** Reads a table of states. */
export function readLogStates(reader: ByteReader): readonly LogState[] {
  const states: LogState[] = [];
  const count = reader.varuint();
  for (let i = 0; i < count; i++) {
    const name = decodeFrom(reader);
    if (typeof name !== "string") return reader.corrupt("the name of a state is no string");
    if (states.some((state) => state.name === name)) reader.corrupt(`state "${name}" is there twice`);
    const kind = KINDS[reader.u8()];
    if (kind === undefined) return reader.corrupt(`state "${name}" is of an unknown kind`);
    const schema = decodeFrom(reader) as SectionState["schema"];
    const item = itemDecoder(schema, reader);
    const keySchema = decodeFrom(reader) as SectionState["keySchema"];
    if ((keySchema !== null) !== (kind === "map")) reader.corrupt(`state "${name}" has a schema of keys, or a map has none`);
    const key = keySchema === null ? null : itemDecoder(keySchema, reader);
    states.push({ name, kind, schema, keySchema, item, key });
  }
  return states;
}

/** Applies a segment, which holds just these operations. */
export function applySegment(
  segment: ByteReader,
  operations: number,
  states: readonly LogState[],
  range: LogRange,
  contents: ChangelogContents,
): void {
  for (let n = 0; n < operations; n++) applyOperation(segment, states, range, contents);
  if (segment.remaining > 0) segment.corrupt("a segment holds more than its operations");
}

function applyOperation(reader: ByteReader, states: readonly LogState[], { firstKeyGroup, groups }: LogRange, contents: ChangelogContents): void {
  const code = reader.u8();
  const operation = OPERATIONS[code];
  if (operation === undefined) return reader.corrupt(`an operation of the unknown code ${code}`);
  const keyGroup = reader.varuint();
  const last = firstKeyGroup + groups - 1;
  if (keyGroup < firstKeyGroup || keyGroup > last) reader.corrupt(`key group ${keyGroup} is not the subtask's`);
  const isTimer = operation === "register" || operation === "deregister";
  const state = isTimer ? null : states[reader.varuint()];
  if (state === undefined) return reader.corrupt("an operation on an unknown state");
  const { key, namespace } = contents.readPlace(reader);
  if (state === null) {
    const domain = reader.u8();
    if (domain !== 0 && domain !== 1) return reader.corrupt(`a timer of the unknown domain ${domain}`);
    const timestampMs = wholeNumber(reader, "a timer's timestamp");
    contents.setTimer(domain, { key, namespace, timestampMs, keyGroup }, operation === "register");
    return;
  }
  const { name, kind } = state;
  const change = { state: name, kind, key, namespace, keyGroup };
  switch (operation) {
    case "clear":
      return contents.clear(change);
    case "set": {
      if (kind === "list" || kind === "map") reader.corrupt(`${kind} state "${name}" is set to a value`);
      const value = state.item(reader);
      if (value === null) reader.corrupt(`${kind} state "${name}" is set to null`);
      return contents.set(change, value);
    }
    case "replace":
    case "append": {
      if (kind !== "list") reader.corrupt(`elements for ${kind} state "${name}"`);
      const count = reader.count(1);
      if (count === 0) reader.corrupt("no element where there is at least one");
      const elements: unknown[] = [];
      while (elements.length < count) elements.push(state.item(reader));
      return operation === "replace" ? contents.set(change, elements) : contents.append(change, elements);
    }
    default: {
      if (state.key === null) return reader.corrupt(`a map's key for ${kind} state "${name}"`);
      const mapKey = state.key(reader);
      if (operation === "put") contents.put(change, mapKey, state.item(reader));
      else contents.remove(change, mapKey);
    }
  }
}

/** Those of the tables of logs, and those that only the base has; by name. */
export function statesOf(logged: readonly LogState[], bases: readonly KeyedSection[], reader: ByteReader): readonly SectionState[] {
  const states = new Map<string, SectionState>();
  for (const { name, kind, schema, keySchema } of logged) states.set(name, { name, kind, schema, keySchema });
  for (const base of bases) {
    for (const state of base.states) {
      const known = states.get(state.name);
      if (known === undefined) states.set(state.name, state);
      else if (known.kind !== state.kind) reader.corrupt(`state "${state.name}" is of two kinds`);
    }
  }
  return [...states.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

export function wholeNumber(reader: ByteReader, what: string): number {
  const value = decodeFrom(reader);
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return reader.corrupt(`${what} is no whole number`);
}
