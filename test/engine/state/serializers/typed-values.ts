import fc from "fast-check";
import { ByteReader, ByteWriter } from "#whitewater/engine/base/bytes.js";
import { listOf } from "#whitewater/engine/state/serializers/list-serializer.js";
import { mapOf } from "#whitewater/engine/state/serializers/map-serializer.js";
import { optionalOf } from "#whitewater/engine/state/serializers/optional-serializer.js";
import {
  bigintSerializer,
  booleanSerializer,
  bytesSerializer,
  dateSerializer,
  doubleSerializer,
  int32Serializer,
  longSerializer,
  stringSerializer,
} from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import type { StructField } from "#whitewater/engine/state/serializers/struct-serializer.js";
import { structuralSerializer } from "#whitewater/engine/state/serializers/structural.js";
import { ttlSerializer } from "#whitewater/engine/state/serializers/ttl-serializer.js";
import type { TypeSerializer } from "#whitewater/engine/state/type-serializer.js";

export function written(serializer: TypeSerializer<any>, value: unknown): Uint8Array {
  const writer = new ByteWriter();
  serializer.write(writer, value);
  return writer.toBytes();
}

/** Everything must have been read. */
export function readAll<T>(serializer: TypeSerializer<T>, bytes: Uint8Array): T {
  const reader = new ByteReader(bytes);
  const value = serializer.read(reader);
  if (reader.remaining !== 0) reader.corrupt("something follows the value");
  return value;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** A type and some value of it. */
export interface TypedValue {
  readonly serializer: TypeSerializer<any>;
  readonly value: unknown;
}

interface Type {
  readonly serializer: TypeSerializer<any>;
  readonly values: fc.Arbitrary<unknown>;
}

/** Every string of UTF-16 units, with lone surrogates. */
const units = fc.array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.nat(0xffff)), { maxLength: 12 });
const strings = units.map((codes) => String.fromCharCode(...codes));

const PRIMITIVES: readonly Type[] = [
  { serializer: structuralSerializer, values: fc.oneof(fc.constant(null), fc.nat(), fc.array(strings), fc.record({ x: fc.double() })) },
  { serializer: booleanSerializer, values: fc.boolean() },
  { serializer: int32Serializer, values: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
  { serializer: longSerializer, values: fc.maxSafeInteger() },
  { serializer: doubleSerializer, values: fc.double() },
  { serializer: stringSerializer, values: strings },
  { serializer: bigintSerializer, values: fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }) },
  { serializer: bytesSerializer, values: fc.uint8Array({ maxLength: 20 }) },
  { serializer: dateSerializer, values: fc.date() },
];

const primitive = fc.constantFrom(...PRIMITIVES);

/** Types of at most so many levels, with their values. */
function types(depth: number): fc.Arbitrary<Type> {
  if (depth === 0) return primitive;
  const inner = types(depth - 1);
  const optional = inner.map(({ serializer, values }): Type => ({ serializer: optionalOf(serializer), values: fc.option(values) }));
  const list = inner.map(({ serializer, values }): Type => ({ serializer: listOf(serializer), values: fc.array(values, { maxLength: 5 }) }));
  const map = fc.tuple(inner, inner).map(([key, value]): Type => {
    const entries = fc.uniqueArray(fc.tuple(key.values, value.values), {
      maxLength: 5,
      // A Map takes -0 for 0.
      selector: ([one]) => hex(written(key.serializer, Object.is(one, -0) ? 0 : one)),
    });
    return { serializer: mapOf(key.serializer, value.serializer), values: entries.map((pairs) => new Map(pairs)) };
  });
  const ttl = inner.map(({ serializer, values }): Type => ({
    serializer: ttlSerializer(serializer),
    values: fc.record({ lastUpdateMs: fc.maxSafeNat(), value: values }),
  }));
  const names = fc.constantFrom("a", "b", "7", "", "name of it", "é");
  const structs = fc.uniqueArray(fc.tuple(names, inner), { minLength: 1, maxLength: 4, selector: ([name]) => name }).map((parts): Type => {
    const fields: Record<string, StructField<any>> = {};
    const values: Record<string, fc.Arbitrary<unknown>> = {};
    for (const [name, type] of parts) {
      fields[name] = field(type.serializer);
      values[name] = type.values;
    }
    return { serializer: struct(fields), values: fc.record(values, { noNullPrototype: true }) };
  });
  return fc.oneof(primitive, optional, list, map, ttl, structs);
}

export const typedValues: fc.Arbitrary<TypedValue> = types(3).chain(({ serializer, values }) =>
  values.map((value) => ({ serializer, value })),
);

/** A deep copy with everything in another order whose order does not count. */
export function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (value instanceof Map) return new Map([...value].reverse().map(([key, one]) => [reordered(key), reordered(one)]));
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof Uint8Array) return value.slice();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([name, one]) => [name, reordered(one)]));
}
