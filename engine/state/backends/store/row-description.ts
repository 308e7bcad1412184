import { invariant } from "../../../base/assert.ts";
import { ByteReader } from "../../../base/bytes.ts";
import { decodeFrom } from "../../../base/codec.ts";
import type { KeyedEntry } from "../../keyed-backend.ts";
import type { StoreReader } from "../../ordered-store.ts";
import type { Key, Namespace } from "../../state.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { iterateKeyGroups, readStateId, startsWith, stateIdEnd } from "./row-format.ts";
import type { StoredState } from "./stored-states.ts";

const NO_BYTES = new Uint8Array(0);

interface Part {
  readonly sequence: number;
  /** A value or element, or a pair of a map. */
  readonly item: unknown;
}

/** The entry at hand. */
interface OpenEntry {
  readonly state: StoredState;
  readonly key: Key;
  readonly namespace: Namespace;
  /** What its row keys begin with. */
  readonly prefix: Uint8Array;
  readonly parts: Part[];
}

/** Every entry that the rows in the range make up, for people and oracles. */
export function describeRows(store: StoreReader, rows: KeyedRows, states: readonly StoredState[]): readonly KeyedEntry[] {
  const { range, keyGroupBytes } = rows;
  const entries: KeyedEntry[] = [];
  if (range.start > range.end) return entries;
  const reader = new ByteReader(NO_BYTES);
  const iterator = iterateKeyGroups(store, range.start, range.end, keyGroupBytes);
  let open: OpenEntry | null = null;
  while (iterator.next()) {
    const { key, value } = iterator;
    if (open === null || !startsWith(key, open.prefix, open.prefix.length)) {
      if (open !== null) entries.push(describe(open));
      const state = states[readStateId(key, keyGroupBytes)];
      invariant(state !== undefined, "every row is one of a state");
      reader.reopen(key, stateIdEnd(key, keyGroupBytes));
      const stateKey = decodeFrom(reader) as Key;
      const namespace = decodeFrom(reader) as Namespace;
      open = { state, key: stateKey, namespace, prefix: key.slice(0, reader.position), parts: [] };
    }
    open.parts.push(partOf(open, key, value, reader));
  }
  iterator.close();
  if (open !== null) entries.push(describe(open));
  return entries;
}

function partOf({ state, prefix, parts }: OpenEntry, key: Uint8Array, value: Uint8Array, reader: ByteReader): Part {
  const { serializer, keySerializer } = state;
  if (keySerializer === null) {
    reader.reopen(value);
    return { sequence: parts.length, item: serializer.read(reader) };
  }
  reader.reopen(key, prefix.length);
  const mapKey: unknown = keySerializer.read(reader);
  reader.reopen(value);
  const sequence = reader.varuint();
  return { sequence, item: [mapKey, serializer.read(reader)] };
}

function describe({ state: { name, kind }, key, namespace, parts }: OpenEntry): KeyedEntry {
  const items = parts.sort((left, right) => left.sequence - right.sequence).map((part) => part.item);
  return { state: name, key, namespace, value: kind === "list" || kind === "map" ? items : items[0] };
}
