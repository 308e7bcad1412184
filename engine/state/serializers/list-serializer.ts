import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import type { SerializerSchema, TypeSerializer } from "../type-serializer.ts";
import { refuse, within } from "./unencodable.ts";

/** An array: varuint n, then n elements. Holes are refused, named properties not kept. */
export function listOf<T>(of: TypeSerializer<T>): TypeSerializer<readonly T[]> {
  return new ListSerializer(of);
}

class ListSerializer<T> implements TypeSerializer<readonly T[]> {
  readonly schema: SerializerSchema;
  private readonly of: TypeSerializer<T>;

  constructor(of: TypeSerializer<T>) {
    this.schema = { type: "list", of: of.schema };
    this.of = of;
  }

  write(writer: ByteWriter, values: readonly T[]): void {
    if (!Array.isArray(values)) refuse("a list (an array)", values);
    writer.varuint(values.length);
    let index = 0;
    try {
      for (; index < values.length; index++) {
        if (values[index] === undefined && !Object.hasOwn(values, index)) refuse("an element of a list", undefined);
        this.of.write(writer, values[index]!);
      }
    } catch (error) {
      throw within(`[${index}]`, error);
    }
  }

  read(reader: ByteReader): readonly T[] {
    const count = reader.count(1);
    const values: T[] = [];
    for (let i = 0; i < count; i++) values.push(this.of.read(reader));
    return values;
  }
}
