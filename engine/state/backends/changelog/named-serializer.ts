import type { ByteReader, ByteWriter } from "../../../base/bytes.ts";
import { UnencodableValueError } from "../../../base/codec.ts";
import type { TypeSerializer } from "../../type-serializer.ts";

/** The same serializer; its errors name the state that a value was meant for. */
export function namedSerializer<T>(serializer: TypeSerializer<T>, state: string): TypeSerializer<T> {
  return {
    schema: serializer.schema,
    write(writer: ByteWriter, value: T): void {
      try {
        serializer.write(writer, value);
      } catch (error) {
        if (!(error instanceof UnencodableValueError) || !error.path.startsWith("$")) throw error;
        throw new UnencodableValueError(`${state}${error.path.slice(1)}`, error.what);
      }
    },
    read: (reader: ByteReader): T => serializer.read(reader),
  };
}
