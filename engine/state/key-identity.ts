import { unreachable } from "../base/assert.ts";
import { ByteWriter } from "../base/bytes.ts";
import type { Key } from "./state.ts";
import type { TypeSerializer } from "./type-serializer.ts";

/**
 * Tuples of equal content are one key, but two objects: this text is equal exactly where the contents are.
 * Elements are told apart by type (1, 1n and "1" are three), -0 is 0, NaN is NaN, and each element ends
 * where its text says, so that no two tuples run together.
 */
export function tupleIdentity(tuple: readonly Key[]): string {
  let text = "(";
  for (const element of tuple) {
    switch (typeof element) {
      case "string":
        text += `s${element.length}:${element}`;
        break;
      case "number":
        text += `n${element};`;
        break;
      case "bigint":
        text += `b${element};`;
        break;
      case "boolean":
        text += element ? "t" : "f";
        break;
      case "object":
        text += tupleIdentity(element);
        break;
      default:
        unreachable(element, "tuple identity");
    }
  }
  return `${text})`;
}

/** The key as it is kept: -0 becomes 0 (Java's Integer has no -0), tuples are copied. */
export function canonicalKey(key: Key): Key {
  if (typeof key === "number") return key + 0;
  return typeof key === "object" ? key.map(canonicalKey) : key;
}

/** True for what may be a key. */
export function isKey(value: unknown): value is Key {
  if (Array.isArray(value)) return value.every(isKey);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
}

/**
 * Two map keys are one where their contents are equal, as far as the serializer of the keys tells them apart.
 * Primitives stand for themselves, except strings that begin with a NUL character: those, and objects (by
 * their bytes), get a text that no other key has.
 */
export function mapKeyIdentity(key: unknown, serializer: TypeSerializer<any>): unknown {
  if (typeof key === "string") return key.charCodeAt(0) === 0 ? `\0s${key}` : key;
  if (typeof key !== "object" || key === null) return key;
  const writer = new ByteWriter();
  serializer.write(writer, key);
  let text = "\0o";
  for (const byte of writer.view()) text += String.fromCharCode(byte);
  return text;
}
