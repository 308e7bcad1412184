import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader, CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { UnencodableValueError, decode, encode, structuralEquals } from "#whitewater/engine/base/codec.js";
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
import { checkedSchema, serializerOf } from "#whitewater/engine/state/serializers/serializer-schema.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import { structuralSerializer } from "#whitewater/engine/state/serializers/structural.js";
import { ttlSerializer } from "#whitewater/engine/state/serializers/ttl-serializer.js";
import type { TypeSerializer } from "#whitewater/engine/state/type-serializer.js";
import { hex, readAll, reordered, typedValues, written } from "./typed-values.js";

const RUNS = { numRuns: 400 };
/** Typed end to end: this line does not compile where the fields' types are lost. */
const user: TypeSerializer<{ readonly name: string; readonly age: number | null }> = struct({
  name: field(stringSerializer),
  age: field(optionalOf(int32Serializer)),
});

describe("a value of a type", () => {
  it("comes back as it was, from as many bytes as were written", () => {
    fc.assert(
      fc.property(typedValues, ({ serializer, value }) => {
        const back = readAll(serializer, written(serializer, value));
        expect(structuralEquals(back, value)).toBe(true);
      }),
      RUNS,
    );
  });

  it("has the same bytes in whatever order Maps were filled and properties were set", () => {
    fc.assert(
      fc.property(typedValues, ({ serializer, value }) => {
        expect(written(serializer, reordered(value))).toEqual(written(serializer, value));
      }),
      RUNS,
    );
  });

  it("is refused when cut short", () => {
    fc.assert(
      fc.property(typedValues, fc.nat(), ({ serializer, value }, at) => {
        const bytes = written(serializer, value);
        const cut = new ByteReader(bytes, 0, at % bytes.length);
        expect(() => serializer.read(cut)).toThrow(CorruptBytesError);
      }),
      RUNS,
    );
  });

  it("with a byte changed is refused, or reads as a value that has just these bytes", () => {
    fc.assert(
      fc.property(typedValues, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ serializer, value }, at, change) => {
        const bytes = written(serializer, value);
        bytes[at % bytes.length]! ^= change;
        const reader = new ByteReader(bytes);
        let read: unknown;
        try {
          read = serializer.read(reader);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptBytesError);
          return;
        }
        expect(written(serializer, read)).toEqual(bytes.slice(0, reader.position));
      }),
      { numRuns: 1000 },
    );
  });

  it("has the same bytes by the serializer that is made from the schema in a snapshot", () => {
    fc.assert(
      fc.property(typedValues, ({ serializer, value }) => {
        const schema = checkedSchema(decode(encode(serializer.schema)));
        expect(encode(schema)).toEqual(encode(serializer.schema));
        expect(written(serializerOf(schema), value)).toEqual(written(serializer, value));
      }),
      RUNS,
    );
  });
});

it.each<[string, TypeSerializer<any>, unknown, string]>([
  ["structural", structuralSerializer, { a: 1 }, "0e 01 09 01 61 04 01"],
  ["boolean", booleanSerializer, true, "01"],
  ["int32", int32Serializer, -2, "fe ff ff ff"],
  ["int32, the greatest", int32Serializer, 2147483647, "ff ff ff 7f"],
  ["int32 -0", int32Serializer, -0, "00 00 00 00"],
  ["long", longSerializer, 258, "02 01 00 00 00 00 00 00"],
  ["long below 0", longSerializer, -1, "ff ff ff ff ff ff ff ff"],
  ["long, the greatest", longSerializer, Number.MAX_SAFE_INTEGER, "ff ff ff ff ff ff 1f 00"],
  ["long, the least", longSerializer, Number.MIN_SAFE_INTEGER, "01 00 00 00 00 00 e0 ff"],
  ["double", doubleSerializer, 1.5, "00 00 00 00 00 00 f8 3f"],
  ["double -0", doubleSerializer, -0, "00 00 00 00 00 00 00 80"],
  ["double NaN", doubleSerializer, Number.NaN, "00 00 00 00 00 00 f8 7f"],
  ["string", stringSerializer, "aé", "09 03 61 c3 a9"],
  ["string with a lone surrogate", stringSerializer, "a\ud800", "0a 02 61 00 00 d8"],
  ["bigint", bigintSerializer, 258n, "07 02 02 01"],
  ["bigint below 0", bigintSerializer, -1n, "08 01 01"],
  ["bytes", bytesSerializer, Uint8Array.of(9, 0), "02 09 00"],
  ["date", dateSerializer, new Date(1), "00 00 00 00 00 00 f0 3f"],
  ["invalid date", dateSerializer, new Date(Number.NaN), "00 00 00 00 00 00 f8 7f"],
  ["optional, absent", optionalOf(booleanSerializer), null, "00"],
  ["optional, present", optionalOf(booleanSerializer), false, "01 00"],
  ["list", listOf(booleanSerializer), [true, false], "02 01 00"],
  ["map", mapOf(int32Serializer, booleanSerializer), new Map([[256, true], [1, false]]), "02 00 01 00 00 01 01 00 00 00 00"],
  ["struct", user, { age: 3, name: "b" }, "09 01 62 01 03 00 00 00"],
  ["ttl", ttlSerializer(booleanSerializer), { lastUpdateMs: 300, value: true }, "ac 02 01"],
])("the bytes of %s are those of the format", (_what, serializer, value, bytes) => {
  expect(hex(written(serializer, value))).toBe(bytes);
});

describe("what is not of the type is refused", () => {
  class Point {
    readonly x = 1;
  }

  it.each<[TypeSerializer<any>, unknown, string]>([
    [booleanSerializer, 1, "cannot encode 1 as a boolean at $"],
    [int32Serializer, 2 ** 31, "cannot encode 2147483648 as an int32 at $"],
    [int32Serializer, 1.5, "cannot encode 1.5 as an int32 at $"],
    [int32Serializer, 5n, "cannot encode a bigint as an int32 at $"],
    [int32Serializer, "5", "cannot encode a string as an int32 at $"],
    [longSerializer, 2 ** 53, "cannot encode 9007199254740992 as a long (a safe integer) at $"],
    [longSerializer, Number.NaN, "cannot encode NaN as a long (a safe integer) at $"],
    [longSerializer, null, "cannot encode null as a long (a safe integer) at $"],
    [doubleSerializer, "1", "cannot encode a string as a double at $"],
    [stringSerializer, 1, "cannot encode 1 as a string at $"],
    [bigintSerializer, 1, "cannot encode 1 as a bigint at $"],
    [bytesSerializer, Buffer.from("a"), "cannot encode an instance of Buffer as bytes (a Uint8Array) at $"],
    [bytesSerializer, [1], "cannot encode an array as bytes (a Uint8Array) at $"],
    [dateSerializer, 1, "cannot encode 1 as a Date at $"],
    [optionalOf(booleanSerializer), undefined, "cannot encode undefined as a boolean at $"],
    [listOf(booleanSerializer), [true, 2], "cannot encode 2 as a boolean at $[1]"],
    [listOf(structuralSerializer), new Array(1), "cannot encode undefined as an element of a list at $[0]"],
    [listOf(booleanSerializer), { length: 0 }, "cannot encode a plain object as a list (an array) at $"],
    [mapOf(stringSerializer, booleanSerializer), { a: true }, "cannot encode a plain object as a Map at $"],
    [mapOf(stringSerializer, booleanSerializer), new Map<unknown, boolean>([["a", true], [1, true]]), "cannot encode 1 as a string at $[key 1]"],
    [mapOf(stringSerializer, booleanSerializer), new Map([["a", null]]), "cannot encode null as a boolean at $[value 0]"],
    [mapOf(dateSerializer, booleanSerializer), new Map([[new Date(1), true], [new Date(1), false]]), "a Map with two keys of equal content"],
    [user, { name: "a" }, "cannot encode a plain object as a struct, without age at $"],
    [user, { name: "a", age: 1, size: 2 }, "cannot encode a plain object as a struct, with size, which it does not have at $"],
    [user, { name: "a", aeg: 1 }, "without age and with aeg, which it does not have"],
    [user, { name: "a", age: 1.5 }, "cannot encode 1.5 as an int32 at $.age"],
    [struct({ x: field(structuralSerializer) }), new Point(), "cannot encode an instance of Point as a struct (a plain object) at $"],
    [listOf(user), [{ name: "a", age: null }, { name: 1, age: null }], "cannot encode 1 as a string at $[1].name"],
    [ttlSerializer(booleanSerializer), { lastUpdateMs: -1, value: true }, "cannot encode -1 as the time of a last update"],
    [ttlSerializer(booleanSerializer), true, "cannot encode true as a value with the time of its last update"],
    [ttlSerializer(user), { lastUpdateMs: 1, value: null }, "cannot encode null as a struct (a plain object) at $.value"],
  ])("case %#", (serializer, value, message) => {
    expect(() => written(serializer, value)).toThrow(UnencodableValueError);
    expect(() => written(serializer, value)).toThrow(message);
  });

  it("a default that is not of the field's type, and fields that no struct can have", () => {
    expect(() => field(int32Serializer, { default: 0.5 })).toThrow("0.5 as an int32");
    expect(() => struct({})).toThrow("a struct has a field");
    expect(() => struct({ ["__proto__"]: field(int32Serializer) })).toThrow("__proto__");
    const was = field(int32Serializer, { renamedFrom: "c" });
    expect(() => struct({ a: was, b: was })).toThrow("not renamed from one");
  });
});

it.each<[string, TypeSerializer<any>, readonly number[]]>([
  ["a boolean of 2", booleanSerializer, [2]],
  ["a long beyond the safe integers", longSerializer, [0, 0, 0, 0, 0, 0, 0x20, 0]],
  ["a NaN of other bits", doubleSerializer, [1, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
  ["a date of a NaN of other bits", dateSerializer, [1, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
  ["a date between two milliseconds", dateSerializer, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]],
  ["a number for a string", stringSerializer, [4, 0]],
  ["a well-formed string as units", stringSerializer, [0x0a, 1, 0x61, 0]],
  ["a string for a bigint", bigintSerializer, [9, 0]],
  ["an optional that begins with 2", optionalOf(booleanSerializer), [2, 0]],
  ["null as the value of an optional", optionalOf(optionalOf(booleanSerializer)), [1, 0]],
  ["keys of a Map out of order", mapOf(booleanSerializer, booleanSerializer), [2, 1, 0, 0, 0]],
  ["a key of a Map twice", mapOf(booleanSerializer, booleanSerializer), [2, 1, 0, 1, 0]],
  ["-0 as the key of a Map", mapOf(doubleSerializer, booleanSerializer), [1, 0, 0, 0, 0, 0, 0, 0, 0x80, 0]],
  ["more elements than bytes", listOf(booleanSerializer), [0xff, 0xff, 3, 0]],
  ["a count in a longer form", listOf(booleanSerializer), [0x81, 0x00, 0]],
])("%s is corrupt", (_what, serializer, bytes) => {
  expect(() => readAll(serializer, Uint8Array.from(bytes))).toThrow(CorruptBytesError);
});

describe("a schema in a snapshot", () => {
  const name = { name: "a", renamedFrom: null, schema: { type: "int32" }, hasDefault: false, defaultValue: null };

  it.each<[unknown, string]>([
    [null, "that is no object"],
    [{ type: "float" }, "of an unknown type"],
    [{ type: "int32", of: { type: "int32" } }, "with parts that it does not have"],
    [{ type: "list" }, "with parts that it does not have"],
    [{ type: "list", of: "int32" }, "that is no object"],
    [{ type: "map", key: { type: "int32" }, value: { type: "int" } }, "of an unknown type"],
    [{ type: "struct", fields: {} }, "without its list of fields"],
    [{ type: "struct", fields: [] }, "a struct has a field"],
    [{ type: "struct", fields: [name, name] }, "different names"],
    [{ type: "struct", fields: [{ ...name, name: 1 }] }, "without a name"],
    [{ type: "struct", fields: [{ ...name, renamedFrom: 1 }] }, 'wrong former name of "a"'],
    [{ type: "struct", fields: [{ ...name, hasDefault: 1 }] }, "whether"],
    [{ type: "struct", fields: [{ ...name, hasDefault: true }] }, 'wrong default of "a"'],
    [{ type: "struct", fields: [{ ...name, defaultValue: 1 }] }, 'wrong default of "a"'],
  ])("that is none is corrupt: %j", (schema, message) => {
    expect(() => checkedSchema(schema)).toThrow(CorruptBytesError);
    expect(() => checkedSchema(schema)).toThrow(message);
  });

  it("keeps defaults of every type", () => {
    const serializer = struct({
      at: field(dateSerializer, { default: new Date(5) }),
      tags: field(mapOf(stringSerializer, bigintSerializer), { default: new Map([["x", 1n]]) }),
      none: field(optionalOf(bytesSerializer), { default: null, renamedFrom: "nothing" }),
    });
    expect(checkedSchema(decode(encode(serializer.schema)))).toEqual(serializer.schema);
  });
});
