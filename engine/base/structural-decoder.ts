import { invariant } from "./assert.ts";
import { utf8Length } from "./bytes.ts";
import type { ByteReader } from "./bytes.ts";
import { CODEC_BIGINT_BYTES_LIMIT, CODEC_DEPTH_LIMIT } from "./limits.ts";
import { TAG } from "./structural-tags.ts";

/** The next value; leaves the reader behind it. Throws CorruptBytesError where there is none. */
export function decodeFrom(reader: ByteReader): unknown {
  return decodeValue(reader, 0);
}

function decodeValue(reader: ByteReader, depth: number): unknown {
  const tag = reader.u8();
  switch (tag) {
    case TAG.undefined:
      return undefined;
    case TAG.null:
      return null;
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.natural:
      return reader.varuint();
    case TAG.negative: {
      const value = -1 - reader.varuint();
      return Number.isSafeInteger(value) ? value : reader.corrupt("a number beyond the safe integers");
    }
    case TAG.double:
      return decodeDouble(reader);
    case TAG.bigNatural:
    case TAG.bigNegative:
      return decodeBigint(reader, tag === TAG.bigNegative);
    case TAG.text:
    case TAG.units:
      return decodeText(reader, tag);
    case TAG.bytes:
      return reader.bytes(reader.varuint());
    case TAG.date: {
      const ms = decodeFloat(reader);
      const date = new Date(ms);
      return Object.is(date.getTime(), ms) ? date : reader.corrupt("a date that is none");
    }
    default:
      if (depth >= CODEC_DEPTH_LIMIT) reader.corrupt(`nesting beyond ${CODEC_DEPTH_LIMIT} levels`);
      return decodeContainer(reader, tag, depth);
  }
}

function decodeContainer(reader: ByteReader, tag: number, depth: number): unknown {
  switch (tag) {
    case TAG.array: {
      const count = reader.count(1);
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(decodeValue(reader, depth + 1));
      return values;
    }
    case TAG.object:
      return decodeRecord(reader, depth);
    case TAG.map: {
      const count = reader.count(2);
      const map = new Map<unknown, unknown>();
      let lastStart = 0;
      let lastEnd = 0;
      for (let i = 0; i < count; i++) {
        const start = reader.position;
        const key = decodeMember(reader, depth, lastStart, lastEnd);
        lastStart = start;
        lastEnd = reader.position;
        map.set(key, decodeValue(reader, depth + 1));
      }
      return map;
    }
    case TAG.set: {
      const count = reader.count(1);
      const set = new Set<unknown>();
      let lastStart = 0;
      let lastEnd = 0;
      for (let i = 0; i < count; i++) {
        const start = reader.position;
        set.add(decodeMember(reader, depth, lastStart, lastEnd));
        lastStart = start;
        lastEnd = reader.position;
      }
      return set;
    }
    default:
      return reader.corrupt(`no value has the tag ${tag}`);
  }
}

/** A key of a Map or an element of a Set, which must be greater than the last one (empty range: none). */
function decodeMember(reader: ByteReader, depth: number, lastStart: number, lastEnd: number): unknown {
  const start = reader.position;
  const member = decodeValue(reader, depth + 1);
  if (lastEnd !== 0 && reader.compare(lastStart, lastEnd, start, reader.position) >= 0) {
    reader.corrupt("members of a Map or Set out of order");
  }
  // A Map and a Set turn -0 into 0, so no encoder writes one.
  if (member === 0 && 1 / member < 0) reader.corrupt("-0 in a Map or Set");
  return member;
}

function decodeRecord(reader: ByteReader, depth: number): object {
  const count = reader.count(2);
  const record: Record<string, unknown> = {};
  let last = "";
  for (let i = 0; i < count; i++) {
    const key = decodeText(reader, reader.u8());
    if (i > 0 && key <= last) reader.corrupt("keys of an object out of order");
    last = key;
    const value = decodeValue(reader, depth + 1);
    if (key === "__proto__") {
      Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
    } else {
      record[key] = value;
    }
  }
  return record;
}

function decodeText(reader: ByteReader, tag: number): string {
  if (tag === TAG.text) return reader.utf8(reader.varuint());
  if (tag !== TAG.units) reader.corrupt("a string expected");
  const text = reader.utf16(reader.count(2));
  if (utf8Length(text) >= 0) reader.corrupt("a well-formed string in the form of one that is not");
  return text;
}

/** Eight bytes of a double, of which one is NaN. */
export function decodeFloat(reader: ByteReader): number {
  const start = reader.position;
  const value = reader.f64();
  if (value === value) return value;
  reader.seek(start);
  if (reader.u32() !== 0 || reader.u32() !== 0x7ff80000) reader.corrupt("a NaN other than the one");
  return value;
}

function decodeDouble(reader: ByteReader): number {
  const value = decodeFloat(reader);
  if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) reader.corrupt("an integer in the form of a double");
  return value;
}

function decodeBigint(reader: ByteReader, negative: boolean): bigint {
  const length = reader.count(1);
  if (length > CODEC_BIGINT_BYTES_LIMIT) reader.corrupt(`a bigint of ${length} bytes`);
  const bytes = reader.bytes(length);
  if (length === 0) return negative ? reader.corrupt("a negative zero bigint") : 0n;
  if (bytes[length - 1] === 0) reader.corrupt("a bigint in a longer form than it needs");
  let digits = "0x";
  for (let i = length - 1; i >= 0; i--) {
    const byte = bytes[i]!;
    digits += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16);
  }
  const magnitude = BigInt(digits);
  invariant(magnitude > 0n, "a bigint whose last byte is not zero is not zero");
  return negative ? -magnitude : magnitude;
}
