/**
 * True if two values are the same as data: numbers to the bit (0 is not -0, NaN is NaN), objects by their
 * properties in any order, arrays, maps and sets by their members (maps and sets in insertion order).
 */
export function sameValue(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left)) return Array.isArray(right) && sameItems(left, right);
  if (Array.isArray(right)) return false;
  if (left instanceof Map) return right instanceof Map && sameItems([...left], [...right]);
  if (left instanceof Set) return right instanceof Set && sameItems([...left], [...right]);
  if (left instanceof Uint8Array) return right instanceof Uint8Array && sameItems([...left], [...right]);
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime();
  return sameProperties(left as Readonly<Record<string, unknown>>, right as Readonly<Record<string, unknown>>);
}

function sameItems(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (!sameValue(left[i], right[i])) return false;
  return true;
}

function sameProperties(left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(left);
  if (Object.keys(right).length !== names.length) return false;
  for (const name of names) {
    if (!Object.hasOwn(right, name) || !sameValue(left[name], right[name])) return false;
  }
  return true;
}
