import { unreachable } from "../../base/assert.ts";
import { ByteWriter, CorruptBytesError } from "../../base/bytes.ts";
import { UnencodableValueError } from "../../base/codec.ts";
import type { SerializerSchema, StructFieldSchema, TypeSerializer } from "../type-serializer.ts";
import { listOf } from "./list-serializer.ts";
import { mapOf } from "./map-serializer.ts";
import { optionalOf } from "./optional-serializer.ts";
import {
  bigintSerializer,
  booleanSerializer,
  bytesSerializer,
  dateSerializer,
  doubleSerializer,
  int32Serializer,
  longSerializer,
  stringSerializer,
} from "./primitive-serializers.ts";
import { faultOfFields, structOfSchema } from "./struct-serializer.ts";
import { structuralSerializer } from "./structural.ts";
import { ttlSerializer } from "./ttl-serializer.ts";

/** The serializer that a schema, as a snapshot has it, stands for. */
export function serializerOf(schema: SerializerSchema): TypeSerializer<any> {
  switch (schema.type) {
    case "structural":
      return structuralSerializer;
    case "boolean":
      return booleanSerializer;
    case "int32":
      return int32Serializer;
    case "long":
      return longSerializer;
    case "double":
      return doubleSerializer;
    case "string":
      return stringSerializer;
    case "bigint":
      return bigintSerializer;
    case "bytes":
      return bytesSerializer;
    case "date":
      return dateSerializer;
    case "optional":
      return optionalOf(serializerOf(schema.of));
    case "list":
      return listOf(serializerOf(schema.of));
    case "map":
      return mapOf(serializerOf(schema.key), serializerOf(schema.value));
    case "struct":
      return structOfSchema(schema.fields, schema.fields.map((one) => serializerOf(one.schema)));
    case "ttl":
      return ttlSerializer(serializerOf(schema.of));
    default:
      return unreachable(schema, "serializer of a schema");
  }
}

/** `value`, which a snapshot has in the place of a schema, if it is one; else throws CorruptBytesError. */
export function checkedSchema(value: unknown): SerializerSchema {
  const { type } = expectRecord(value);
  switch (type) {
    case "structural":
    case "boolean":
    case "int32":
    case "long":
    case "double":
    case "string":
    case "bigint":
    case "bytes":
    case "date":
      expectKeys(value, 1);
      return { type };
    case "optional":
    case "list":
    case "ttl":
      expectKeys(value, 2);
      return { type, of: checkedSchema(expectRecord(value)["of"]) };
    case "map": {
      expectKeys(value, 3);
      const { key, value: valueSchema } = expectRecord(value);
      return { type, key: checkedSchema(key), value: checkedSchema(valueSchema) };
    }
    case "struct": {
      expectKeys(value, 2);
      const { fields } = expectRecord(value);
      if (!Array.isArray(fields)) return corrupt("without its list of fields");
      const checked = fields.map(checkedField);
      const fault = faultOfFields(checked);
      return fault === null ? { type, fields: checked } : corrupt(`against the rule that ${fault}`);
    }
    default:
      return corrupt("of an unknown type");
  }
}

function checkedField(value: unknown): StructFieldSchema {
  expectKeys(value, 5);
  const { name, renamedFrom, schema, hasDefault, defaultValue } = expectRecord(value);
  if (typeof name !== "string") return corrupt("with a field without a name");
  if (renamedFrom !== null && typeof renamedFrom !== "string") return corrupt(`with a wrong former name of "${name}"`);
  if (typeof hasDefault !== "boolean") return corrupt(`that does not tell whether "${name}" has a default`);
  const checked = checkedSchema(schema);
  if (hasDefault ? !isOf(checked, defaultValue) : defaultValue !== null) corrupt(`with a wrong default of "${name}"`);
  return { name, renamedFrom, schema: checked, hasDefault, defaultValue };
}

function isOf(schema: SerializerSchema, value: unknown): boolean {
  try {
    serializerOf(schema).write(new ByteWriter(), value);
    return true;
  } catch (error) {
    if (error instanceof UnencodableValueError) return false;
    throw error;
  }
}

function expectRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return corrupt("that is no object");
  return value as Readonly<Record<string, unknown>>;
}

/** The parts that a schema has are looked at one by one; this sees to it that it has no others. */
function expectKeys(value: unknown, count: number): void {
  if (Object.keys(expectRecord(value)).length !== count) corrupt("with parts that it does not have");
}

function corrupt(fact: string): never {
  throw new CorruptBytesError(`a serializer's schema ${fact}`);
}
