import { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import type { StateKind } from "../../engine/state/descriptors.ts";
import { itemDecoder } from "./item-decoder.ts";
import type { DecodeItem } from "./item-decoder.ts";
import { KeyedSectionReader } from "./snapshot-reader.ts";
import type { KeyedSection, SectionState } from "./snapshot-reader.ts";

/*
 * A second reader of the meta file of native snapshots, made from the description of the format (head of
 * snapshot-meta in engine/state/backends/store) and not from the engine's code. Throws CorruptBytesError for
 * whatever is not as described.
 */

/** A state that has rows, and how their items are read. */
export interface RowState extends SectionState {
  readonly item: DecodeItem;
  /** Of the keys of map state; else null. */
  readonly mapKey: DecodeItem | null;
}

export interface NativeMeta {
  /** Greater than every sequence number in the rows. */
  readonly nextSequence: number;
  /** By id. */
  readonly states: readonly RowState[];
  /** Range, watermarks and timers; no states and no entries. */
  readonly section: KeyedSection;
}

/** "WWKM", least byte first. */
const MAGIC = 0x4d_4b_57_57;
const VERSION = 1;
const SEQUENCE_LIMIT = 0x1_00_00_00_00_00_00;
const KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];

/** Reads the meta files of one subtask one after another: states that stay the same stay the same objects. */
export class NativeMetaReader {
  readonly #sections: KeyedSectionReader = new KeyedSectionReader();
  #table: Uint8Array = new Uint8Array(0);
  #states: readonly RowState[] = [];

  read(bytes: Uint8Array): NativeMeta {
    const reader = new ByteReader(bytes);
    if (bytes.length < 4 || reader.u32() !== MAGIC) reader.corrupt("no meta file of a native snapshot");
    const version = reader.u8();
    if (version !== VERSION) reader.corrupt(`a meta file of the unknown version ${version}`);
    const nextSequence = reader.varuint();
    if (nextSequence > SEQUENCE_LIMIT) reader.corrupt("a sequence number beyond 2^48");
    const start = reader.position;
    const states = readStates(reader);
    const table = bytes.subarray(start, reader.position);
    const isAsBefore = table.length === this.#table.length && table.every((byte, i) => byte === this.#table[i]);
    if (!isAsBefore) {
      this.#table = table;
      this.#states = states;
    }
    const section = this.#sections.read(bytes.subarray(reader.position));
    if (section.states.length > 0) reader.corrupt("a meta file whose section has states");
    return { nextSequence, states: this.#states, section };
  }
}

function readStates(reader: ByteReader): readonly RowState[] {
  const states: RowState[] = [];
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
    const mapKey = keySchema === null ? null : itemDecoder(keySchema, reader);
    states.push({ name, kind, schema, keySchema, item, mapKey });
  }
  return states;
}
