import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import type { TimestampMs } from "../../base/units.ts";
import type { SerializerSchema, TypeSerializer } from "../type-serializer.ts";
import { refuse, within } from "./unencodable.ts";

/** What a state with a time to live keeps for each value, element or map entry. */
export interface TtlValue<T> {
  /** In processing time; a whole number from 0 on. */
  readonly lastUpdateMs: TimestampMs;
  readonly value: T;
}

/** A value that has a time to live: varuint of the last update in ms, then the value. */
export function ttlSerializer<T>(of: TypeSerializer<T>): TypeSerializer<TtlValue<T>> {
  return new TtlSerializer(of);
}

class TtlSerializer<T> implements TypeSerializer<TtlValue<T>> {
  readonly schema: SerializerSchema;
  private readonly of: TypeSerializer<T>;

  constructor(of: TypeSerializer<T>) {
    this.schema = { type: "ttl", of: of.schema };
    this.of = of;
  }

  write(writer: ByteWriter, kept: TtlValue<T>): void {
    if (typeof kept !== "object" || kept === null) refuse("a value with the time of its last update", kept);
    const { lastUpdateMs, value } = kept;
    if (!(Number.isSafeInteger(lastUpdateMs) && lastUpdateMs >= 0)) refuse("the time of a last update", lastUpdateMs);
    writer.varuint(lastUpdateMs);
    try {
      this.of.write(writer, value);
    } catch (error) {
      throw within(".value", error);
    }
  }

  read(reader: ByteReader): TtlValue<T> {
    const lastUpdateMs = reader.varuint();
    return { lastUpdateMs, value: this.of.read(reader) };
  }
}
