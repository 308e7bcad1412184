import type { Key, Namespace } from "../../engine/state/state.ts";

/**
 * One text for one key: equal for keys that a job cannot tell apart, different for all others. The type is
 * part of it: 1, 1n, "1" and true are four keys.
 */
export function canonicalKey(key: Key): string {
  switch (typeof key) {
    case "string":
      return `"${key}`;
    case "number":
      // String(-0) is "0": they are one key.
      return `#${String(key)}`;
    case "bigint":
      return `L${key}`;
    case "boolean":
      return key ? "T" : "F";
    default: {
      let text = "[";
      for (const part of key) {
        const inner = canonicalKey(part);
        // The length keeps parts apart, whatever characters they hold.
        text += `${inner.length}:${inner}`;
      }
      return `${text}]`;
    }
  }
}

/**
 * What a `Map` may be keyed by in place of the key: a primitive as it is (a Map tells 1, 1n, "1" and true
 * apart, and takes 0 and -0 for one), a tuple as text that no string key gives.
 */
export function keyIdentity(key: Key): string | number | boolean | bigint {
  if (typeof key === "object") return `\u0000${canonicalKey(key)}`;
  return typeof key === "string" && key.charCodeAt(0) === 0 ? `\u0000${canonicalKey(key)}` : key;
}

/** Text for a namespace, whose type matters too. */
export function canonicalNamespace(namespace: Namespace): string {
  return typeof namespace === "string" ? `"${namespace}` : `#${namespace}`;
}
