import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { UnencodableValueError } from "../../base/codec.ts";
import type { SerializerSchema, TypeSerializer } from "../type-serializer.ts";
import { refuse, within } from "./unencodable.ts";

/**
 * A Map: varuint n, then n times a key and its value, ascending by the bytes of the key. So the order in which
 * the Map was filled is not kept. Two keys of equal content are refused.
 */
export function mapOf<K, V>(key: TypeSerializer<K>, value: TypeSerializer<V>): TypeSerializer<ReadonlyMap<K, V>> {
  return new MapSerializer(key, value);
}

class MapSerializer<K, V> implements TypeSerializer<ReadonlyMap<K, V>> {
  readonly schema: SerializerSchema;
  private readonly key: TypeSerializer<K>;
  private readonly value: TypeSerializer<V>;

  constructor(key: TypeSerializer<K>, value: TypeSerializer<V>) {
    this.schema = { type: "map", key: key.schema, value: value.schema };
    this.key = key;
    this.value = value;
  }

  write(writer: ByteWriter, map: ReadonlyMap<K, V>): void {
    if (typeof map !== "object" || map === null || Object.getPrototypeOf(map) !== Map.prototype) refuse("a Map", map);
    writer.varuint(map.size);
    const starts: number[] = [];
    const keyEnds: number[] = [];
    try {
      for (const [key, value] of map) {
        starts.push(writer.position);
        this.key.write(writer, key);
        keyEnds.push(writer.position);
        this.value.write(writer, value);
      }
    } catch (error) {
      throw within(starts.length > keyEnds.length ? `[key ${keyEnds.length}]` : `[value ${keyEnds.length - 1}]`, error);
    }
    if (writer.sortItems(starts, keyEnds) >= 0) {
      throw new UnencodableValueError("$", "a Map with two keys of equal content");
    }
  }

  read(reader: ByteReader): ReadonlyMap<K, V> {
    const count = reader.count(2);
    const map = new Map<K, V>();
    let lastStart = 0;
    let lastEnd = 0;
    for (let i = 0; i < count; i++) {
      const start = reader.position;
      const key = this.key.read(reader);
      const end = reader.position;
      if (i > 0 && reader.compare(lastStart, lastEnd, start, end) >= 0) reader.corrupt("keys of a Map out of order");
      // A Map turns -0 into 0, so nobody wrote one.
      if (Object.is(key, -0)) reader.corrupt("-0 as the key of a Map");
      lastStart = start;
      lastEnd = end;
      map.set(key, this.value.read(reader));
    }
    return map;
  }
}
