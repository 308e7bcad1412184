/**
 * The structural codec: JavaScript values to bytes and back, canonically: equal content gives equal bytes.
 *
 * A value is a tag byte and what the tag says. "varuint" is LEB128 in its shortest form, at most 2^53 - 1;
 * everything of fixed size is little-endian.
 *
 *     0x00 undefined   0x01 null   0x02 false   0x03 true
 *     0x04 n           safe integer n >= 0 (not -0), as varuint
 *     0x05 m           safe integer n < 0, as varuint m = -1 - n
 *     0x06 f64         every other number: -0, fractions, infinities; NaN only as 7ff8000000000000
 *     0x07 len bytes   bigint >= 0: magnitude, least byte first, no zero byte at the end (0n has length 0)
 *     0x08 len bytes   bigint < 0: magnitude of it, likewise
 *     0x09 len bytes   well-formed string, len bytes of UTF-8
 *     0x0a n units     string with a lone surrogate: n UTF-16 code units of two bytes
 *     0x0b len bytes   Uint8Array
 *     0x0c f64         Date: milliseconds, NaN for an invalid one
 *     0x0d n values    array
 *     0x0e n (s, v)…   plain object: key (a string value, with its tag) and value, keys ascending by UTF-16 units
 *     0x0f n (k, v)…   Map: entries ascending by the bytes of the encoded key
 *     0x10 n values    Set: ascending by the bytes of the encoded value
 *
 * So the order in which a Map or Set was filled is not kept: after decoding they iterate in encoded order.
 * An object without prototype comes back as a plain one. Getters are read. Decoding accepts canonical bytes
 * only: what it accepts encodes to the same bytes again.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { decodeFloat, decodeFrom } from "./structural-decoder.ts";
import { StructuralEncoder } from "./structural-encoder.ts";

export { structuralEquals, structuralHash } from "./structural.ts";
export { StructuralEncoder, UnencodableValueError } from "./structural-encoder.ts";
export { decodeFloat, decodeFrom };

export function encode(value: unknown): Uint8Array {
  const writer = new ByteWriter();
  new StructuralEncoder(writer).write(value);
  return writer.toBytes();
}

/**
 * Encodes value after value, each into bytes of its own; faster than `encode` where there are many. Values
 * encoded one after the other share a buffer.
 */
export class ValueEncoder {
  readonly #writer = new ByteWriter(2048);
  readonly #encoder = new StructuralEncoder(this.#writer);

  encode(value: unknown): Uint8Array {
    // An error may have left something behind.
    this.#writer.truncate(0);
    this.#encoder.write(value);
    return this.#writer.take();
  }
}

/** Appends a value; the writer keeps the encoder for the next one. */
export function encodeInto(writer: ByteWriter, value: unknown): void {
  writer.encoder ??= new StructuralEncoder(writer);
  writer.encoder.write(value);
}

/** The value that `bytes` hold from the first to the last; throws CorruptBytesError for anything else. */
export function decode(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  const value = decodeFrom(reader);
  if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the value`);
  return value;
}
