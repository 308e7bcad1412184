/**
 * Serializers of what has no parts. Bytes, everything of fixed size little-endian:
 *
 *     boolean   1 byte    00 false, 01 true
 *     int32     4 bytes   two's complement
 *     long      8 bytes   two's complement, -(2^53 - 1) … 2^53 - 1
 *     double    8 bytes   IEEE 754; NaN only as 7ff8000000000000
 *     string              as the structural codec writes one: 09, varuint length and that many bytes of UTF-8;
 *                         with a lone surrogate 0a, varuint n and n UTF-16 units of two bytes
 *     bigint              likewise: 07 (>= 0) or 08 (< 0), varuint length, magnitude, least byte first
 *     bytes               varuint length, then the bytes
 *     date      8 bytes   a double: ms since 1970, NaN for an invalid date
 *
 * Integers have no -0: int32 and long take it for 0, as Java would.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { decodeFloat, decodeFrom, encodeInto } from "../../base/codec.ts";
import type { TypeSerializer } from "../type-serializer.ts";
import { refuse } from "./unencodable.ts";

const TWO_32 = 0x100000000;

export const booleanSerializer: TypeSerializer<boolean> = {
  schema: { type: "boolean" },
  write(writer: ByteWriter, value: boolean): void {
    if (typeof value !== "boolean") refuse("a boolean", value);
    writer.u8(value ? 1 : 0);
  },
  read(reader: ByteReader): boolean {
    const byte = reader.u8();
    return byte > 1 ? reader.corrupt(`a boolean of ${byte}`) : byte === 1;
  },
};

/** Whole numbers from -2^31 to 2^31 - 1. */
export const int32Serializer: TypeSerializer<number> = {
  schema: { type: "int32" },
  write(writer: ByteWriter, value: number): void {
    if (typeof value !== "number" || (value | 0) !== value) refuse("an int32", value);
    writer.u32(value);
  },
  read: (reader: ByteReader): number => reader.u32() | 0,
};

/** Safe integers. */
export const longSerializer: TypeSerializer<number> = {
  schema: { type: "long" },
  write(writer: ByteWriter, value: number): void {
    if (!Number.isSafeInteger(value)) refuse("a long (a safe integer)", value);
    const high = Math.floor(value / TWO_32);
    writer.u32(value - high * TWO_32);
    writer.u32(high);
  },
  read(reader: ByteReader): number {
    const low = reader.u32();
    const value = (reader.u32() | 0) * TWO_32 + low;
    return Number.isSafeInteger(value) ? value : reader.corrupt("a long beyond the safe integers");
  },
};

/** Every number; -0 stays -0. */
export const doubleSerializer: TypeSerializer<number> = {
  schema: { type: "double" },
  write(writer: ByteWriter, value: number): void {
    if (typeof value !== "number") refuse("a double", value);
    writer.f64(value !== value ? NaN : value);
  },
  read: decodeFloat,
};

export const stringSerializer: TypeSerializer<string> = {
  schema: { type: "string" },
  write(writer: ByteWriter, value: string): void {
    if (typeof value !== "string") refuse("a string", value);
    encodeInto(writer, value);
  },
  read(reader: ByteReader): string {
    const value = decodeFrom(reader);
    return typeof value === "string" ? value : reader.corrupt("a string expected");
  },
};

export const bigintSerializer: TypeSerializer<bigint> = {
  schema: { type: "bigint" },
  write(writer: ByteWriter, value: bigint): void {
    if (typeof value !== "bigint") refuse("a bigint", value);
    encodeInto(writer, value);
  },
  read(reader: ByteReader): bigint {
    const value = decodeFrom(reader);
    return typeof value === "bigint" ? value : reader.corrupt("a bigint expected");
  },
};

/** A Uint8Array, of no subclass: it comes back as one. */
export const bytesSerializer: TypeSerializer<Uint8Array> = {
  schema: { type: "bytes" },
  write(writer: ByteWriter, value: Uint8Array): void {
    if (!isOfClass(value, Uint8Array.prototype)) refuse("bytes (a Uint8Array)", value);
    writer.varuint(value.length);
    writer.bytes(value);
  },
  read: (reader: ByteReader): Uint8Array => reader.bytes(reader.count(1)),
};

export const dateSerializer: TypeSerializer<Date> = {
  schema: { type: "date" },
  write(writer: ByteWriter, value: Date): void {
    if (!isOfClass(value, Date.prototype)) refuse("a Date", value);
    const ms = value.getTime();
    writer.f64(ms !== ms ? NaN : ms);
  },
  read(reader: ByteReader): Date {
    const ms = decodeFloat(reader);
    const date = new Date(ms);
    return Object.is(date.getTime(), ms) ? date : reader.corrupt("a date that is none");
  },
};

function isOfClass(value: unknown, prototype: object): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === prototype;
}
