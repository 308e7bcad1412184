import type { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import type { SerializerSchema } from "../../engine/state/type-serializer.ts";

/** Reads the next item: the value of a state, an element of a list, or the key or value of a map's entry. */
export type DecodeItem = (reader: ByteReader) => unknown;

/** Deepest schema that is followed; what the structural codec keeps is less deep. */
const MOST_LEVELS = 64;
const TWO_32 = 0x1_00_00_00_00;

/**
 * How items of a schema are read: made from what the heads of the files in engine/state/serializers say about
 * bytes, without the engine's serializers. Items come as lists (arrays), Maps, plain objects for structs, and,
 * where there is a time to live, as `{ value, lastUpdateMs }`. What is not in the one form that it may have,
 * and what is no schema, is corrupt.
 */
export function itemDecoder(schema: unknown, reader: ByteReader): DecodeItem {
  return decoderOf(schema, reader, 0);
}

function decoderOf(schema: unknown, reader: ByteReader, level: number): DecodeItem {
  if (level > MOST_LEVELS) return reader.corrupt("a schema of endless depth");
  const { type, of, key, value, fields } = parts(schema, reader);
  const like = schema as SerializerSchema;
  switch (like.type) {
    case "structural":
      return decodeFrom;
    case "boolean":
      return (bytes) => oneOf(bytes, "a boolean") === 1;
    case "int32":
      return (bytes) => bytes.u32() | 0;
    case "long":
      return decodeLong;
    case "double":
      return decodeDouble;
    case "string":
      return (bytes) => decodeOf(bytes, "string");
    case "bigint":
      return (bytes) => decodeOf(bytes, "bigint");
    case "bytes":
      return (bytes) => bytes.bytes(bytes.varuint());
    case "date":
      return decodeDate;
    case "optional":
      return optionalDecoder(decoderOf(of, reader, level + 1));
    case "list":
      return listDecoder(decoderOf(of, reader, level + 1));
    case "map":
      return mapDecoder(decoderOf(key, reader, level + 1), decoderOf(value, reader, level + 1));
    case "struct":
      return structDecoder(fields, reader, level);
    case "ttl": {
      const decode = decoderOf(of, reader, level + 1);
      return (bytes) => {
        const lastUpdateMs = bytes.varuint();
        return { value: decode(bytes), lastUpdateMs };
      };
    }
    default:
      return reader.corrupt(`a schema of the unknown type ${JSON.stringify(typeof type === "string" ? type : null)}`);
  }
}

function parts(schema: unknown, reader: ByteReader): Readonly<Record<string, unknown>> {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return reader.corrupt("a schema that is no object");
  return schema as Readonly<Record<string, unknown>>;
}

function structDecoder(fields: unknown, reader: ByteReader, level: number): DecodeItem {
  if (!Array.isArray(fields) || fields.length === 0) return reader.corrupt("a struct without fields");
  const names: string[] = [];
  const decoders: DecodeItem[] = [];
  for (const one of fields as readonly unknown[]) {
    const { name, schema } = parts(one, reader);
    if (typeof name !== "string" || name === "__proto__" || names.includes(name)) {
      return reader.corrupt("a struct with a field that has no name of its own");
    }
    names.push(name);
    decoders.push(decoderOf(schema, reader, level + 1));
  }
  return (bytes) => {
    const value: Record<string, unknown> = {};
    decoders.forEach((decode, at) => (value[names[at] as string] = decode(bytes)));
    return value;
  };
}

function optionalDecoder(decode: DecodeItem): DecodeItem {
  return (bytes) => {
    if (oneOf(bytes, "an optional value") === 0) return null;
    const value = decode(bytes);
    return value === null ? bytes.corrupt("null where a value is announced") : value;
  };
}

function listDecoder(decode: DecodeItem): DecodeItem {
  return (bytes) => {
    const count = bytes.count(1);
    const values: unknown[] = [];
    while (values.length < count) values.push(decode(bytes));
    return values;
  };
}

function mapDecoder(decodeKey: DecodeItem, decodeValue: DecodeItem): DecodeItem {
  return (bytes) => {
    const count = bytes.count(2);
    const map = new Map<unknown, unknown>();
    let before: readonly [number, number] | null = null;
    for (let i = 0; i < count; i++) {
      const start = bytes.position;
      const key = decodeKey(bytes);
      const end = bytes.position;
      if (before !== null && bytes.compare(before[0], before[1], start, end) >= 0) bytes.corrupt("keys of a Map are out of order");
      if (Object.is(key, -0)) bytes.corrupt("-0 as a key of a Map");
      before = [start, end];
      map.set(key, decodeValue(bytes));
    }
    return map;
  };
}

/** A byte that is 0 or 1. */
function oneOf(bytes: ByteReader, what: string): number {
  const byte = bytes.u8();
  return byte > 1 ? bytes.corrupt(`${what} of byte ${byte}`) : byte;
}

function decodeLong(bytes: ByteReader): number {
  const low = bytes.u32();
  const high = bytes.u32();
  const value = (high < TWO_32 / 2 ? high : high - TWO_32) * TWO_32 + low;
  return Number.isSafeInteger(value) ? value : bytes.corrupt("a long that is no safe integer");
}

function decodeDouble(bytes: ByteReader): number {
  const start = bytes.position;
  const value = bytes.f64();
  if (!Number.isNaN(value)) return value;
  bytes.seek(start);
  if (bytes.u32() !== 0 || bytes.u32() !== 0x7f_f8_00_00) bytes.corrupt("another NaN than the one");
  return value;
}

function decodeDate(bytes: ByteReader): Date {
  const ms = decodeDouble(bytes);
  const date = new Date(ms);
  return Object.is(date.getTime(), ms) ? date : bytes.corrupt("no date");
}

function decodeOf(bytes: ByteReader, type: "string" | "bigint"): unknown {
  const value = decodeFrom(bytes);
  return typeof value === type ? value : bytes.corrupt(`a ${type} expected`);
}
