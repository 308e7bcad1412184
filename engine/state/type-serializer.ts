import type { ByteReader, ByteWriter } from "../base/bytes.ts";

/**
 * What a serializer's bytes mean: plain data that travels in every snapshot, so that a later job can tell
 * whether it can still read them. "structural" is the default codec (engine/base/codec).
 */
export type SerializerSchema =
  | { readonly type: "structural" | "boolean" | "int32" | "long" | "double" | "string" | "bigint" | "bytes" | "date" }
  | { readonly type: "optional"; readonly of: SerializerSchema }
  | { readonly type: "list"; readonly of: SerializerSchema }
  | { readonly type: "map"; readonly key: SerializerSchema; readonly value: SerializerSchema }
  /** Fields in the order in which they are written. `defaultValue`: what an older snapshot without the field gets. */
  | { readonly type: "struct"; readonly fields: readonly StructFieldSchema[] }
  /** A time to live: the last update (ms, a varuint of its distance from 0) before the value. */
  | { readonly type: "ttl"; readonly of: SerializerSchema };

export interface StructFieldSchema {
  readonly name: string;
  /** The name that the field had before, where it was renamed. */
  readonly renamedFrom: string | null;
  readonly schema: SerializerSchema;
  readonly hasDefault: boolean;
  readonly defaultValue: unknown;
}

/**
 * Values of one type to bytes and back. Equal values give equal bytes, on every platform, and the bytes tell
 * their own length: what `write` appends, `read` takes, and nothing more. `write` throws
 * UnencodableValueError for a value that is not of the type; `read` throws CorruptBytesError for bytes that
 * `write` does not write. Both are pure; a serializer can be shared.
 */
export interface TypeSerializer<T> {
  readonly schema: SerializerSchema;
  write(writer: ByteWriter, value: T): void;
  read(reader: ByteReader): T;
}
