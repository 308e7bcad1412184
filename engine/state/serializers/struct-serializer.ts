import { invariant } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import type { ByteReader } from "../../base/bytes.ts";
import type { SerializerSchema, StructFieldSchema, TypeSerializer } from "../type-serializer.ts";
import { refuse, within } from "./unencodable.ts";

/** A field of a struct that holds a `T`. */
export interface StructField<T> {
  readonly serializer: TypeSerializer<T>;
  readonly renamedFrom: string | null;
  readonly hasDefault: boolean;
  readonly defaultValue: T | null;
}

export interface StructFieldOptions<T> {
  /** What values get that were written before the field was added. Without it, the field cannot be added. */
  readonly default?: NoInfer<T>;
  /** The name that the field had before. */
  readonly renamedFrom?: string;
}

/** The values of a struct with such fields. */
export type StructOf<F> = { readonly [N in keyof F]: F[N] extends StructField<infer T> ? T : never };

export function field<T>(serializer: TypeSerializer<T>, options: StructFieldOptions<T> = {}): StructField<T> {
  const hasDefault = Object.hasOwn(options, "default");
  if (hasDefault) serializer.write(new ByteWriter(), options.default as T);
  return {
    serializer,
    renamedFrom: options.renamedFrom ?? null,
    hasDefault,
    defaultValue: hasDefault ? (options.default as T) : null,
  };
}

/**
 * Plain objects with exactly these properties: the fields in the order given, one after the other, without
 * their names. To add, remove or rename fields later is a migration (see schema-compatibility).
 *
 *     struct({ name: field(stringSerializer), visits: field(longSerializer, { default: 0 }) })
 */
export function struct<F extends Readonly<Record<string, StructField<any>>>>(fields: F): TypeSerializer<StructOf<F>> {
  const names = Object.keys(fields);
  const schemas = names.map((name): StructFieldSchema => {
    const { serializer, renamedFrom, hasDefault, defaultValue } = fields[name]!;
    return { name, renamedFrom, schema: serializer.schema, hasDefault, defaultValue };
  });
  const fault = faultOfFields(schemas);
  if (fault !== null) invariant(false, fault);
  const serializers = names.map((name) => fields[name]!.serializer);
  return new StructSerializer(schemas, serializers) as unknown as TypeSerializer<StructOf<F>>;
}

/** The struct with fields of these schemas and their serializers. */
export function structOfSchema(
  fields: readonly StructFieldSchema[],
  serializers: readonly TypeSerializer<unknown>[],
): TypeSerializer<unknown> {
  return new StructSerializer(fields, serializers);
}

/** What a struct may not be, or null where its fields are in order. */
export function faultOfFields(fields: readonly StructFieldSchema[]): string | null {
  // Every value takes a byte at least: so a count of values is bounded by the bytes that are left.
  if (fields.length === 0) return "a struct has a field";
  const names = fields.map((one) => one.name);
  const oldNames = fields.flatMap((one) => (one.renamedFrom === null ? [] : [one.renamedFrom]));
  if (names.includes("__proto__")) return "no field of a struct is named __proto__";
  if (new Set(names).size < names.length) return "the fields of a struct have different names";
  if (new Set(oldNames).size < oldNames.length) return "two fields of a struct were not renamed from one";
  return null;
}

type Struct = Readonly<Record<string, unknown>>;

class StructSerializer implements TypeSerializer<Struct> {
  readonly schema: SerializerSchema;
  private readonly names: readonly string[];
  private readonly serializers: readonly TypeSerializer<any>[];

  constructor(fields: readonly StructFieldSchema[], serializers: readonly TypeSerializer<any>[]) {
    this.schema = { type: "struct", fields };
    this.names = fields.map((one) => one.name);
    this.serializers = serializers;
  }

  write(writer: ByteWriter, value: Struct): void {
    const { names, serializers } = this;
    if (!isPlain(value)) refuse("a struct (a plain object)", value);
    if (countKeys(value) !== names.length) this.refuseProperties(value);
    let index = 0;
    try {
      for (; index < names.length; index++) {
        const part = value[names[index]!];
        if (part === undefined && !Object.hasOwn(value, names[index]!)) break;
        serializers[index]!.write(writer, part);
      }
    } catch (error) {
      throw within(stepTo(names[index]!), error);
    }
    if (index < names.length) this.refuseProperties(value);
  }

  read(reader: ByteReader): Struct {
    const { names, serializers } = this;
    const value: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) value[names[i]!] = serializers[i]!.read(reader);
    return value;
  }

  private refuseProperties(value: Struct): never {
    const extra = Object.keys(value).filter((name) => !this.names.includes(name));
    const missing = this.names.filter((name) => !Object.hasOwn(value, name));
    const facts: string[] = [];
    if (missing.length > 0) facts.push(`without ${missing.join(", ")}`);
    if (extra.length > 0) facts.push(`with ${extra.join(", ")}, which it does not have`);
    refuse(`a struct, ${facts.join(" and ")}`, value);
  }
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Makes no array of them. */
function countKeys(value: object): number {
  let count = 0;
  for (const _name in value) count++;
  return count;
}

function stepTo(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
