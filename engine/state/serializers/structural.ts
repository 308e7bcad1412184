import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { decodeFrom, encode, encodeInto } from "../../base/codec.ts";
import type { TypeSerializer } from "../type-serializer.ts";

/** The default: anything the structural codec keeps (see engine/base/codec). */
export const structuralSerializer: TypeSerializer<any> = {
  schema: { type: "structural" },
  write: (writer: ByteWriter, value: unknown): void => encodeInto(writer, value),
  read: (reader: ByteReader): unknown => decodeFrom(reader),
};

/** The schema as snapshots have it: most of theirs are this one. */
export const STRUCTURAL_SCHEMA_BYTES: Uint8Array = encode(structuralSerializer.schema);
