import { unreachable } from "../../base/assert.ts";
import type { SerializerSchema, StructFieldSchema } from "../type-serializer.ts";
import { schemaText } from "./schema-text.ts";

/**
 * Whether values written with one schema can become those of another.
 *
 * "as-is": the bytes mean the same. "migrate": `convert` makes a value of the wanted type out of each one that
 * was read with the old serializer; it is pure and never fails for such a value. `dropsFields`: not everything
 * that was written lives on. "incompatible": `reason` says what stands against it and where.
 */
export type SchemaCompatibility =
  | { readonly kind: "as-is" }
  | { readonly kind: "migrate"; readonly dropsFields: boolean; convert(old: any): any }
  | { readonly kind: "incompatible"; readonly reason: string };

const AS_IS: SchemaCompatibility = { kind: "as-is" };

/**
 * What can be migrated, at any depth except inside the keys of a map: fields of a struct may be added (if they
 * have a default), removed, renamed (`renamedFrom`, where the written struct has no field of the new name and
 * the wanted one none of the old name) and come in another order; a type may become optional; an int32 may
 * become a long. Everything else is another type; a time to live can neither be added nor taken away. Defaults
 * and former names do not make a difference between schemas that are equal otherwise.
 */
export function compatibilityOf(written: SerializerSchema, wanted: SerializerSchema): SchemaCompatibility {
  return compare(written, wanted, "");
}

function compare(written: SerializerSchema, wanted: SerializerSchema, path: string): SchemaCompatibility {
  if (wanted.type === "optional" && written.type !== "optional" && written.type !== "ttl") {
    return withInner(compare(written, wanted.of, path), (convert) => (old) => (old === null ? null : convert(old)), true);
  }
  if (written.type === "int32" && wanted.type === "long") return migration((old: unknown) => old, false);
  if ((written.type === "ttl") !== (wanted.type === "ttl")) {
    const fact = written.type === "ttl" ? "has a time to live and shall have none" : "has no time to live and shall have one";
    return { kind: "incompatible", reason: `what was written ${fact}${at(path)}` };
  }
  if (written.type !== wanted.type) {
    return { kind: "incompatible", reason: `${schemaText(written)} cannot become ${schemaText(wanted)}${at(path)}` };
  }
  switch (written.type) {
    case "optional":
      return withInner(compare(written.of, (wanted as typeof written).of, path), (convert) => (old) =>
        old === null ? null : convert(old),
      );
    case "list":
      return withInner(compare(written.of, (wanted as typeof written).of, `${path}[]`), (convert) => (old) =>
        (old as readonly unknown[]).map((element) => convert(element)),
      );
    case "ttl":
      return withInner(compare(written.of, (wanted as typeof written).of, path), (convert) => (old) => ({
        lastUpdateMs: (old as { readonly lastUpdateMs: number }).lastUpdateMs,
        value: convert((old as { readonly value: unknown }).value),
      }));
    case "map":
      return compareMaps(written, wanted as typeof written, path);
    case "struct":
      return compareStructs(written.fields, (wanted as typeof written).fields, path);
    case "structural":
    case "boolean":
    case "int32":
    case "long":
    case "double":
    case "string":
    case "bigint":
    case "bytes":
    case "date":
      return AS_IS;
    default:
      return unreachable(written, "schema compatibility");
  }
}

type Convert = (old: unknown) => unknown;

function migration(convert: Convert, dropsFields: boolean): SchemaCompatibility {
  return { kind: "migrate", convert, dropsFields };
}

/** The compatibility of what contains values of another one; `differs`: also where those stay as they are. */
function withInner(inner: SchemaCompatibility, around: (convert: Convert) => Convert, differs = false): SchemaCompatibility {
  if (inner.kind === "migrate") return migration(around(inner.convert), inner.dropsFields);
  return inner.kind === "as-is" && differs ? migration((old) => old, false) : inner;
}

type MapSchema = Extract<SerializerSchema, { readonly type: "map" }>;

function compareMaps(written: MapSchema, wanted: MapSchema, path: string): SchemaCompatibility {
  const key = keyCompatibilityOf(written.key, wanted.key, `${path}[key]`);
  if (key !== null) return { kind: "incompatible", reason: key };
  return withInner(compare(written.value, wanted.value, `${path}[value]`), (convert) => (old) => {
    const map = new Map<unknown, unknown>();
    for (const [mapKey, value] of old as ReadonlyMap<unknown, unknown>) map.set(mapKey, convert(value));
    return map;
  });
}

/** Why keys of a map that were written with one schema are not kept with another; null: they are, as they stand. */
export function keyCompatibilityOf(written: SerializerSchema, wanted: SerializerSchema, path = ""): string | null {
  const compatibility = compare(written, wanted, path);
  if (compatibility.kind === "as-is") return null;
  if (compatibility.kind === "incompatible") return compatibility.reason;
  return `keys of a map are not migrated, but ${schemaText(written)} shall become ${schemaText(wanted)}${at(path)}`;
}

/** How a field of the wanted struct comes about: from the property `from` of the old value, or from the default. */
interface FieldSource {
  readonly name: string;
  readonly from: string | null;
  /** Null: as it is. */
  readonly convert: Convert | null;
  readonly defaultValue: unknown;
}

function compareStructs(written: Fields, wanted: Fields, path: string): SchemaCompatibility {
  const sources: FieldSource[] = [];
  const taken = new Set<string>();
  let asIs = written.length === wanted.length;
  let dropsFields = false;
  for (const [index, one] of wanted.entries()) {
    const old = writtenField(one, written, wanted);
    const { name, defaultValue } = one;
    asIs &&= old !== null && written[index]!.name === name;
    if (old === null) {
      if (!one.hasDefault) return { kind: "incompatible", reason: `the new field "${name}" has no default${at(path)}` };
      sources.push({ name, from: null, convert: null, defaultValue });
      continue;
    }
    const inner = compare(old.schema, one.schema, `${path}.${name}`);
    if (inner.kind === "incompatible") return inner;
    asIs &&= inner.kind === "as-is";
    dropsFields ||= inner.kind === "migrate" && inner.dropsFields;
    taken.add(old.name);
    sources.push({ name, from: old.name, convert: inner.kind === "migrate" ? inner.convert : null, defaultValue });
  }
  if (asIs) return AS_IS;
  return migration((old) => convertStruct(old as Struct, sources), dropsFields || taken.size < written.length);
}

type Fields = readonly StructFieldSchema[];
type Struct = Readonly<Record<string, unknown>>;

function writtenField(one: StructFieldSchema, written: Fields, wanted: Fields): StructFieldSchema | null {
  const { name, renamedFrom } = one;
  const same = written.find((other) => other.name === name);
  if (same !== undefined) return same;
  if (renamedFrom === null || wanted.some((other) => other.name === renamedFrom)) return null;
  return written.find((other) => other.name === renamedFrom) ?? null;
}

function convertStruct(old: Struct, sources: readonly FieldSource[]): Struct {
  const value: Record<string, unknown> = {};
  for (const { name, from, convert, defaultValue } of sources) {
    if (from === null) value[name] = defaultValue;
    else value[name] = convert === null ? old[from] : convert(old[from]);
  }
  return value;
}

function at(path: string): string {
  return path === "" ? "" : ` (at ${path})`;
}
