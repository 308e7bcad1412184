import { UnencodableValueError } from "../../base/codec.ts";

/** Fails the writing of a value that is not of the type: `type` with its article ("a long"). */
export function refuse(type: string, value: unknown): never {
  throw new UnencodableValueError("$", `${nameOf(value)} as ${type}`);
}

/** What was thrown while a part of a value was written, with the way to that part (".name", "[3]") in front. */
export function within(step: string, thrown: unknown): unknown {
  if (!(thrown instanceof UnencodableValueError)) return thrown;
  return new UnencodableValueError(`$${step}${thrown.path.slice(1)}`, thrown.what);
}

function nameOf(value: unknown): string {
  switch (typeof value) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return "a bigint";
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : objectName(value);
    default:
      return `a ${typeof value}`;
  }
}

function objectName(value: object): string {
  if (Array.isArray(value)) return "an array";
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return "a plain object";
  const made: unknown = (prototype as { readonly constructor?: unknown }).constructor;
  return typeof made === "function" && made.name !== "" ? `an instance of ${made.name}` : "an instance of an unnamed class";
}
