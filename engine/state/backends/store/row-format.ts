/**
 * Rows of keyed state in an ordered store (engine/state/ordered-store).
 *
 * "varuint" and "value" as in engine/state/snapshot-format, "item" too: what the serializer of the state wrote.
 * What decides the order is big endian. A row key is
 *
 *     key group      1 byte where max parallelism <= 128, else 2 (as Flink's CompositeKeySerializationUtils)
 *     state id       1 byte 00 … 7f, or 2 bytes 80 00 … ff ff with the top bit not counted: states by number in
 *                    the order in which they were registered, from 0 (from 128 on: 2 bytes)
 *     key            value     as in the canonical section: no -0, tuples as arrays
 *     namespace      value     a string or number (not -0)
 *     suffix                   see below
 *
 * and rows are, by kind of state:
 *
 *     value, reducing, aggregating     one row, no suffix; the row's value: the item
 *     list                             one row an element; suffix: the element's sequence number, 6 bytes;
 *                                      the row's value: the item
 *     map                              one row an entry; suffix: the map's key (an item of the key serializer);
 *                                      the row's value: the entry's sequence number (varuint) and the item
 *
 * Sequence numbers are drawn from one counter of the backend, which only grows: elements of a list ascend in
 * the order added, entries of a map in the order in which their keys were first put. So neither needs a row
 * that says how far it is: adding to a list is one blind write, as RocksDB's merge is, an empty list or map
 * leaves nothing behind, and a row that goes missing (compaction drops expired ones) is an element less and no
 * more. The counter travels in the meta file of a native snapshot (snapshot-meta.ts).
 *
 * Every part of a row key tells its own length, so no (key, namespace) is the beginning of another one's:
 * within a key group and state, rows ascend by the bytes of (key, namespace), the order of the canonical
 * section, and the rows of one (key, namespace) stand together.
 */
import { invariant } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import { TAG } from "../../../base/structural-tags.ts";
import type { KeyGroup } from "../../../base/units.ts";
import type { StoreIterator, StoreReader } from "../../ordered-store.ts";

/** Most states of one backend. */
export const STATE_IDS_LIMIT: number = 1 << 15;
const SEQUENCE_BYTES = 6;
/** Beyond every sequence number. */
export const SEQUENCE_LIMIT = 0x1000000000000;

const ONE_BYTE_KEY_GROUPS = 128;
const TWO_BYTE_ID = 0x80;
const TWO_32 = 0x100000000;

export function keyGroupBytes(maxParallelism: number): number {
  return maxParallelism <= ONE_BYTE_KEY_GROUPS ? 1 : 2;
}

export function writeKeyGroup(writer: ByteWriter, keyGroup: KeyGroup, width: number): void {
  if (width === 2) writer.u8(keyGroup >>> 8);
  writer.u8(keyGroup);
}

export function readKeyGroup(key: Uint8Array, width: number): KeyGroup {
  return width === 1 ? key[0]! : (key[0]! << 8) | key[1]!;
}

export function writeStateId(writer: ByteWriter, id: number): void {
  if (id >= TWO_BYTE_ID) writer.u8(TWO_BYTE_ID | (id >>> 8));
  writer.u8(id);
}

/** The state id of a row key; `at`: the bytes of the key group. */
export function readStateId(key: Uint8Array, at: number): number {
  const first = key[at]!;
  return first < TWO_BYTE_ID ? first : ((first & 0x7f) << 8) | key[at + 1]!;
}

/** Where (key, namespace) begins in a row key; `at`: the bytes of the key group. */
export function stateIdEnd(key: Uint8Array, at: number): number {
  return key[at]! < TWO_BYTE_ID ? at + 1 : at + 2;
}

export function writeSequence(writer: ByteWriter, sequence: number): void {
  const high = Math.floor(sequence / TWO_32);
  const low = sequence >>> 0;
  writer.u8(high >>> 8);
  writer.u8(high);
  writer.u8(low >>> 24);
  writer.u8(low >>> 16);
  writer.u8(low >>> 8);
  writer.u8(low);
}

/** The sequence number at the end of the row key of a list's element. */
export function readSequence(key: Uint8Array): number {
  const at = key.length - SEQUENCE_BYTES;
  const low = ((key[at + 2]! << 24) | (key[at + 3]! << 16) | (key[at + 4]! << 8) | key[at + 5]!) >>> 0;
  return ((key[at]! << 8) | key[at + 1]!) * TWO_32 + low;
}

/** Where the suffix of a row key begins; `start`: where (key, namespace) does. */
export function suffixStart(key: Uint8Array, start: number): number {
  return skipKey(key, skipKey(key, start));
}

/** The end of a key or namespace of the structural codec that begins at `start`. */
function skipKey(bytes: Uint8Array, start: number): number {
  const tag = bytes[start]!;
  let at = start + 1;
  if (tag === TAG.true || tag === TAG.false) return at;
  if (tag === TAG.double) return at + 8;
  let count = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++]!;
    count += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    invariant(at < bytes.length, "a row key holds a whole key and namespace");
  }
  switch (tag) {
    case TAG.natural:
    case TAG.negative:
      return at;
    case TAG.text:
    case TAG.bigNatural:
    case TAG.bigNegative:
      return at + count;
    case TAG.units:
      return at + 2 * count;
    default:
      invariant(tag === TAG.array, "a row key holds what may be a key or namespace");
      for (let i = 0; i < count; i++) at = skipKey(bytes, at);
      return at;
  }
}

/** The bytes after every key that begins with `prefix`, made by counting its last byte up; null: there are none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | null {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return null;
  const end = prefix.slice(0, length);
  end[length - 1]!++;
  return end;
}

/** The rows of the key groups from `first` to `last`. */
export function iterateKeyGroups(
  reader: StoreReader,
  first: KeyGroup,
  last: KeyGroup,
  keyGroupBytes: number,
): StoreIterator {
  return reader.iterate(keyGroupPrefix(first, keyGroupBytes), prefixEnd(keyGroupPrefix(last, keyGroupBytes)));
}

/** The rows of one state in a key group. */
export function iterateState(reader: StoreReader, keyGroup: KeyGroup, keyGroupBytes: number, id: number): StoreIterator {
  const prefix = new ByteWriter();
  writeKeyGroup(prefix, keyGroup, keyGroupBytes);
  writeStateId(prefix, id);
  const from = prefix.toBytes();
  return reader.iterate(from, prefixEnd(from));
}

function keyGroupPrefix(keyGroup: KeyGroup, width: number): Uint8Array {
  return Uint8Array.from(width === 2 ? [keyGroup >>> 8, keyGroup & 0xff] : [keyGroup]);
}

/** True where `key` begins with the first `length` bytes of `prefix`. */
export function startsWith(key: Uint8Array, prefix: Uint8Array, length: number): boolean {
  if (key.length < length) return false;
  // Neighbours differ near the end, if at all.
  for (let i = length - 1; i >= 0; i--) if (key[i] !== prefix[i]) return false;
  return true;
}
