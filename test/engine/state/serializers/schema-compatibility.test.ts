import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listOf } from "#whitewater/engine/state/serializers/list-serializer.js";
import { mapOf } from "#whitewater/engine/state/serializers/map-serializer.js";
import { optionalOf } from "#whitewater/engine/state/serializers/optional-serializer.js";
import { doubleSerializer, int32Serializer, longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { compatibilityOf } from "#whitewater/engine/state/serializers/schema-compatibility.js";
import { schemaText } from "#whitewater/engine/state/serializers/schema-text.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import { structuralSerializer } from "#whitewater/engine/state/serializers/structural.js";
import { ttlSerializer } from "#whitewater/engine/state/serializers/ttl-serializer.js";
import type { TypeSerializer } from "#whitewater/engine/state/type-serializer.js";
import { readAll, typedValues, written } from "./typed-values.js";

const int = int32Serializer;
const text = stringSerializer;
const nameOnly = struct({ name: field(text) });
const named = struct({ name: field(text), visits: field(longSerializer, { default: 7 }) });

/** The old value as the new job reads it, through the bytes of both. */
function migrated(from: TypeSerializer<any>, to: TypeSerializer<any>, value: unknown): unknown {
  const compatibility = compatibilityOf(from.schema, to.schema);
  if (compatibility.kind !== "migrate") return compatibility;
  return readAll(to, written(to, compatibility.convert(readAll(from, written(from, value)))));
}

describe("values live on", () => {
  it("as they are where the schemas say the same", () => {
    fc.assert(
      fc.property(typedValues, ({ serializer }) => {
        expect(compatibilityOf(structuredClone(serializer.schema), serializer.schema)).toEqual({ kind: "as-is" });
      }),
      { numRuns: 200 },
    );
  });

  it("as they are where only a default or a former name changed", () => {
    const other = struct({ name: field(text, { renamedFrom: "label" }), visits: field(longSerializer, { default: 9 }) });
    expect(compatibilityOf(named.schema, other.schema)).toEqual({ kind: "as-is" });
  });

  it.each<[string, TypeSerializer<any>, TypeSerializer<any>, unknown, unknown]>([
    ["a field was added", nameOnly, named, { name: "a" }, { name: "a", visits: 7 }],
    ["a field was removed", named, nameOnly, { name: "a", visits: 1 }, { name: "a" }],
    ["a field was renamed", nameOnly, struct({ title: field(text, { renamedFrom: "name" }) }), { name: "a" }, { title: "a" }],
    [
      "fields come in another order",
      struct({ a: field(int), b: field(text) }),
      struct({ b: field(text), a: field(int) }),
      { a: 1, b: "x" },
      { b: "x", a: 1 },
    ],
    [
      "a former name was given up long ago",
      struct({ a: field(int), b: field(int) }),
      struct({ b: field(int, { renamedFrom: "a" }) }),
      { a: 1, b: 2 },
      { b: 2 },
    ],
    ["a type became optional", text, optionalOf(text), "a", "a"],
    ["an optional type got another field", optionalOf(nameOnly), optionalOf(named), null, null],
    ["a struct became optional and got another field", nameOnly, optionalOf(named), { name: "a" }, { name: "a", visits: 7 }],
    ["an int32 became a long", int, longSerializer, -5, -5],
    ["in a list", listOf(nameOnly), listOf(named), [{ name: "a" }], [{ name: "a", visits: 7 }]],
    ["in a map", mapOf(text, nameOnly), mapOf(text, named), new Map([["k", { name: "a" }]]), new Map([["k", { name: "a", visits: 7 }]])],
    [
      "under a time to live",
      ttlSerializer(nameOnly),
      ttlSerializer(named),
      { lastUpdateMs: 5, value: { name: "a" } },
      { lastUpdateMs: 5, value: { name: "a", visits: 7 } },
    ],
    [
      "deep inside",
      struct({ all: field(listOf(struct({ of: field(optionalOf(nameOnly)) }))), n: field(int) }),
      struct({ n: field(longSerializer), all: field(listOf(struct({ of: field(optionalOf(named)) }))) }),
      { all: [{ of: null }, { of: { name: "a" } }], n: 1 },
      { n: 1, all: [{ of: null }, { of: { name: "a", visits: 7 } }] },
    ],
  ])("where %s", (_what, from, to, old, expected) => {
    expect(migrated(from, to, old)).toEqual(expected);
  });

  it("in a migration that says whether something is dropped", () => {
    expect(compatibilityOf(nameOnly.schema, named.schema)).toMatchObject({ kind: "migrate", dropsFields: false });
    expect(compatibilityOf(listOf(named).schema, listOf(nameOnly).schema)).toMatchObject({ kind: "migrate", dropsFields: true });
  });
});

it.each<[TypeSerializer<any>, TypeSerializer<any>, string]>([
  [int, text, "int32 cannot become string"],
  [longSerializer, int, "long cannot become int32"],
  [doubleSerializer, longSerializer, "double cannot become long"],
  [structuralSerializer, nameOnly, "structural cannot become struct{name: string}"],
  [optionalOf(text), text, "optional<string> cannot become string"],
  [listOf(int), listOf(text), "int32 cannot become string (at [])"],
  [nameOnly, struct({ name: field(text), size: field(int) }), 'the new field "size" has no default'],
  [struct({ in: field(listOf(nameOnly)) }), struct({ in: field(listOf(struct({ name: field(int) }))) }), "string cannot become int32 (at .in[].name)"],
  [nameOnly, struct({ name: field(text), alias: field(text, { renamedFrom: "name" }) }), 'the new field "alias" has no default'],
  [mapOf(int, text), mapOf(longSerializer, text), "keys of a map are not migrated, but int32 shall become long (at [key])"],
  [mapOf(int, text), mapOf(text, text), "int32 cannot become string (at [key])"],
  [mapOf(text, text), mapOf(text, int), "string cannot become int32 (at [value])"],
  [text, ttlSerializer(text), "what was written has no time to live and shall have one"],
  [ttlSerializer(text), text, "what was written has a time to live and shall have none"],
  [ttlSerializer(text), optionalOf(ttlSerializer(text)), "what was written has a time to live and shall have none"],
  [ttlSerializer(text), ttlSerializer(int), "string cannot become int32"],
])("what cannot live on is told: %#", (from, to, reason) => {
  expect(compatibilityOf(from.schema, to.schema)).toEqual({ kind: "incompatible", reason });
});

it("a schema has a text for people", () => {
  const serializer = struct({
    id: field(mapOf(text, optionalOf(listOf(int)))),
    n: field(longSerializer, { default: 0, renamedFrom: "count" }),
  });
  expect(schemaText(serializer.schema)).toBe("struct{id: map<string, optional<list<int32>>>, n: long = default (was count)}");
});
