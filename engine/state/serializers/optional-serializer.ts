import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import type { SerializerSchema, TypeSerializer } from "../type-serializer.ts";

/**
 * A value or null: 00, or 01 and the value. null is always 00, also where the type inside has a null of its
 * own; undefined is no null.
 */
export function optionalOf<T>(of: TypeSerializer<T>): TypeSerializer<T | null> {
  return new OptionalSerializer(of);
}

class OptionalSerializer<T> implements TypeSerializer<T | null> {
  readonly schema: SerializerSchema;
  private readonly of: TypeSerializer<T>;

  constructor(of: TypeSerializer<T>) {
    this.schema = { type: "optional", of: of.schema };
    this.of = of;
  }

  write(writer: ByteWriter, value: T | null): void {
    writer.u8(value === null ? 0 : 1);
    if (value !== null) this.of.write(writer, value);
  }

  read(reader: ByteReader): T | null {
    const byte = reader.u8();
    if (byte === 0) return null;
    if (byte !== 1) reader.corrupt(`an optional value that begins with ${byte}`);
    const value = this.of.read(reader);
    return value === null ? reader.corrupt("a null in the form of a value") : value;
  }
}
