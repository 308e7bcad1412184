/**
 * The meta file of a native snapshot: what a restore needs beside the store's own files. "varuint" and "value"
 * as in engine/state/snapshot-format.
 *
 *     magic             4 bytes   57 57 4b 4d ("WWKM")
 *     format version    1 byte    01
 *     next sequence     varuint   0 … 2^48: greater than every sequence number in the rows (see row-format)
 *     states            varuint   S
 *     S times a state, by id, from 0:
 *       name            value     a string; each once
 *       kind            1 byte    00 value, 01 list, 02 map, 03 reducing, 04 aggregating
 *       schema          value     SerializerSchema that the rows are written with
 *       key schema      value     map state: SerializerSchema of the map's keys; else null
 *     section                     to the end: a canonical section without states, which gives max parallelism,
 *                                 range, watermark and timers, the timers in the order of that section
 */
import { ByteReader, ByteWriter } from "../../../base/bytes.ts";
import { StructuralEncoder, decodeFrom } from "../../../base/codec.ts";
import { crc32 } from "../../../base/crc32.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { StoreFile } from "../../ordered-store.ts";
import { checkedSchema, serializerOf } from "../../serializers/serializer-schema.ts";
import { STATE_KINDS } from "../../snapshot-format.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import { SEQUENCE_LIMIT, STATE_IDS_LIMIT } from "./row-format.ts";

const MAGIC = 0x4d4b5757;
const VERSION = 1;
const NO_BYTES = new Uint8Array(0);

/** A meta file, opened. */
export interface SnapshotMeta {
  readonly nextSequence: number;
  /** By id. */
  readonly states: readonly SectionState[];
  readonly section: KeyedSectionReader;
}

export function writeSnapshotMeta(
  nextSequence: number,
  states: readonly SectionState[],
  section: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter(section.length + 256);
  const encoder = new StructuralEncoder(writer);
  writer.u32(MAGIC);
  writer.u8(VERSION);
  writer.varuint(nextSequence);
  writer.varuint(states.length);
  for (const { name, kind, serializer, keySerializer } of states) {
    encoder.write(name);
    writer.u8(STATE_KINDS.indexOf(kind));
    encoder.write(serializer.schema);
    encoder.write(keySerializer === null ? null : keySerializer.schema);
  }
  writer.bytes(section);
  return writer.toBytes();
}

/** Throws CorruptBytesError for anything but a meta file as it was written. */
export function readSnapshotMeta(file: StoreFile): SnapshotMeta {
  const bytes = file.bytes ?? NO_BYTES;
  const reader = new ByteReader(bytes);
  if (bytes.length !== file.sizeBytes || crc32(bytes) !== file.checksum) {
    reader.corrupt(`${file.name} is not what was written`);
  }
  if (reader.u32() !== MAGIC) reader.corrupt("no meta file of a native snapshot");
  const version = reader.u8();
  if (version !== VERSION) reader.corrupt(`a meta file of version ${version}, where only version ${VERSION} can be read`);
  const nextSequence = reader.varuint();
  if (nextSequence > SEQUENCE_LIMIT) reader.corrupt("a sequence number beyond 2^48");
  const count = reader.count(4);
  if (count > STATE_IDS_LIMIT) reader.corrupt(`${count} states`);
  const states: SectionState[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const state = readState(reader);
    if (names.has(state.name)) reader.corrupt(`state "${state.name}" twice`);
    names.add(state.name);
    states.push(state);
  }
  const section = new KeyedSectionReader(bytes.subarray(reader.position));
  if (section.states.length > 0) reader.corrupt("a meta file whose section has states");
  return { nextSequence, states, section };
}

function readState(reader: ByteReader): SectionState {
  const name = decodeFrom(reader);
  if (typeof name !== "string") return reader.corrupt("a state name that is no string");
  const kind = STATE_KINDS[reader.u8()];
  if (kind === undefined) return reader.corrupt("an unknown kind of state");
  const serializer = readSerializer(reader);
  if (serializer === null) return reader.corrupt("a state without a schema");
  const keySerializer = readSerializer(reader);
  if ((kind === "map") !== (keySerializer !== null)) reader.corrupt("a schema of map keys where none belongs, or none");
  return { name, kind, serializer, keySerializer };
}

function readSerializer(reader: ByteReader): TypeSerializer<any> | null {
  const schema = decodeFrom(reader);
  return schema === null ? null : serializerOf(checkedSchema(schema));
}
