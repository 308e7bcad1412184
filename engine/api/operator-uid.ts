import { bitMix, javaHash } from "../base/hash.ts";

/** What a generated uid is made from: nothing that an unrelated change of the job would touch. */
export interface UidIngredients {
  readonly kind: string;
  readonly name: string;
  /** Uids of the operators that feed this one, with the side output where it takes one. */
  readonly upstream: readonly string[];
}

/**
 * The uid of an operator whose author gave none: "<name>-<hash>". Two operators made of the same
 * ingredients are told apart by their order among each other.
 */
export function derivedUid(ingredients: UidIngredients, taken: ReadonlySet<string>): string {
  const { kind, name, upstream } = ingredients;
  const hash = bitMix(javaHash([kind, name, ...upstream])) >>> 0;
  const base = `${name}-${hash.toString(16).padStart(8, "0")}`;
  return firstFree(base, taken);
}

/** `base`, or `base-2`, `base-3` … if that is taken. */
export function firstFree(base: string, taken: ReadonlySet<string>): string {
  if (!taken.has(base)) return base;
  for (let ordinal = 2; ; ordinal++) {
    const candidate = `${base}-${ordinal}`;
    if (!taken.has(candidate)) return candidate;
  }
}
