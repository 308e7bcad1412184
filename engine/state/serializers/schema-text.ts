import { unreachable } from "../../base/assert.ts";
import type { SerializerSchema, StructFieldSchema } from "../type-serializer.ts";

/** A schema for people: "struct{name: string, visits: long = default, tags: list<string> (was labels)}". */
export function schemaText(schema: SerializerSchema): string {
  switch (schema.type) {
    case "structural":
    case "boolean":
    case "int32":
    case "long":
    case "double":
    case "string":
    case "bigint":
    case "bytes":
    case "date":
      return schema.type;
    case "optional":
    case "list":
    case "ttl":
      return `${schema.type}<${schemaText(schema.of)}>`;
    case "map":
      return `map<${schemaText(schema.key)}, ${schemaText(schema.value)}>`;
    case "struct":
      return `struct{${schema.fields.map(fieldText).join(", ")}}`;
    default:
      return unreachable(schema, "schema text");
  }
}

function fieldText({ name, schema, hasDefault, renamedFrom }: StructFieldSchema): string {
  return `${name}: ${schemaText(schema)}${hasDefault ? " = default" : ""}${renamedFrom === null ? "" : ` (was ${renamedFrom})`}`;
}
