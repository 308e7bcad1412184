import { bitMix } from "./hash.ts";
import { CODEC_DEPTH_LIMIT } from "./limits.ts";
import { UnencodableValueError } from "./structural-encoder.ts";

/**
 * Equality and hash by content, over the values that the structural codec keeps and in its sense: -0 is not
 * 0, every NaN is one, the order of an object's keys and of a Map or Set does not count. Both also accept
 * what the codec refuses: class instances count by prototype (equality only) and own properties, functions
 * and symbols by identity (equality) or type (hash). What is nested deeper than the codec's limit (a cycle)
 * has no hash (UnencodableValueError) and equals nothing but itself.
 */

const SEED = {
  undefined: 0x2545f491,
  null: 0x6c8e9cf5,
  false: 0x1b56c4e9,
  true: 0x57d0b2a3,
  integer: 0x3f84d5b5,
  double: 0x0a3cf1d7,
  bigint: 0x4e67c6a7,
  text: 0x71374491,
  bytes: 0x29c0fbcf,
  date: 0x69b5dba5,
  array: 0x3956c25b,
  record: 0x59f111f1,
  map: 0x123f82a4,
  set: 0x2b1c5ed5,
  opaque: 0x5807aa98,
} as const;

/** Written before every read, so it carries nothing from one call to the next. */
const doubleBits = new DataView(new ArrayBuffer(8));

/** A 32-bit hash (a signed int) of the content; allocates nothing for numbers, strings, arrays and plain objects. */
export function structuralHash(value: unknown): number {
  return bitMix(hashOf(value, 0));
}

function hashOf(value: unknown, depth: number): number {
  switch (typeof value) {
    case "number":
      return numberHash(value);
    case "string":
      return textHash(value);
    case "boolean":
      return value ? SEED.true : SEED.false;
    case "undefined":
      return SEED.undefined;
    case "bigint":
      return bigintHash(value);
    case "object":
      return value === null ? SEED.null : objectHash(value, depth);
    default:
      return SEED.opaque;
  }
}

/** One round of murmur3. */
function mix(hash: number, code: number): number {
  let k = Math.imul(code, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function numberHash(value: number): number {
  const int = value | 0;
  if (int === value && (int !== 0 || 1 / value > 0)) return mix(SEED.integer, int);
  doubleBits.setFloat64(0, value !== value ? NaN : value);
  const high = value !== value ? 0x7ff80000 : doubleBits.getInt32(0);
  return mix(mix(SEED.double, high), value !== value ? 0 : doubleBits.getInt32(4));
}

function textHash(text: string): number {
  let hash: number = SEED.text;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
  }
  return mix(hash, text.length);
}

function bigintHash(value: bigint): number {
  let hash: number = SEED.bigint;
  let rest = value;
  do {
    hash = mix(hash, Number(BigInt.asIntN(32, rest)));
    rest >>= 32n;
  } while (rest !== 0n && rest !== -1n);
  return mix(hash, rest === 0n ? 0 : -1);
}

function objectHash(value: object, depth: number): number {
  if (depth >= CODEC_DEPTH_LIMIT) throw new UnencodableValueError("$", `nesting beyond ${CODEC_DEPTH_LIMIT} levels, or a cycle`);
  if (Array.isArray(value)) {
    let hash: number = SEED.array;
    for (let i = 0; i < value.length; i++) hash = mix(hash, hashOf(value[i], depth + 1));
    return mix(hash, value.length);
  }
  if (value instanceof Map) return mapHash(value, depth);
  if (value instanceof Set) return setHash(value, depth);
  if (value instanceof Date) return mix(SEED.date, numberHash(value.getTime()));
  if (value instanceof Uint8Array) {
    let hash: number = SEED.bytes;
    for (let i = 0; i < value.length; i++) hash = mix(hash, value[i]!);
    return mix(hash, value.length);
  }
  // Sums do not depend on the order of the terms, and cost no sorting.
  let sum = 0;
  let count = 0;
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    sum = (sum + bitMix(mix(textHash(key), hashOf(member, depth + 1)))) | 0;
    count++;
  }
  return mix(mix(SEED.record, sum), count);
}

function mapHash(map: ReadonlyMap<unknown, unknown>, depth: number): number {
  let sum = 0;
  for (const [key, value] of map) sum = (sum + bitMix(mix(hashOf(key, depth + 1), hashOf(value, depth + 1)))) | 0;
  return mix(mix(SEED.map, sum), map.size);
}

function setHash(set: ReadonlySet<unknown>, depth: number): number {
  let sum = 0;
  for (const value of set) sum = (sum + bitMix(hashOf(value, depth + 1))) | 0;
  return mix(mix(SEED.set, sum), set.size);
}

/** True where the contents are equal. */
export function structuralEquals(left: unknown, right: unknown): boolean {
  return equalAt(left, right, 0);
}

function equalAt(left: unknown, right: unknown, depth: number): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (depth >= CODEC_DEPTH_LIMIT) return false;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let i = 0; i < left.length; i++) if (!equalAt(left[i], right[i], depth + 1)) return false;
    return true;
  }
  if (!sameKind(left, right)) return false;
  if (left instanceof Map) return equalMaps(left, right as Map<unknown, unknown>, depth);
  if (left instanceof Set) return equalSets(left, right as Set<unknown>, depth);
  if (left instanceof Date) return Object.is(left.getTime(), (right as Date).getTime());
  if (left instanceof Uint8Array) return equalBytes(left, right as Uint8Array);
  return equalRecords(left, right, depth);
}

/** Same prototype; an object without one counts as a plain one, as the codec brings it back. */
function sameKind(left: object, right: object): boolean {
  const leftKind: unknown = Object.getPrototypeOf(left) ?? Object.prototype;
  return leftKind === (Object.getPrototypeOf(right) ?? Object.prototype);
}

function equalRecords(left: object, right: object, depth: number): boolean {
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(right, key)) return false;
    const leftValue = (left as Readonly<Record<string, unknown>>)[key];
    if (!equalAt(leftValue, (right as Readonly<Record<string, unknown>>)[key], depth + 1)) return false;
  }
  return true;
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

function equalMaps(left: ReadonlyMap<unknown, unknown>, right: ReadonlyMap<unknown, unknown>, depth: number): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    if (right.has(key)) {
      if (!equalAt(value, right.get(key), depth + 1)) return false;
    } else if (!someEntry(right, key, value, depth)) {
      return false;
    }
  }
  return true;
}

/** Keys that are objects are found by content. */
function someEntry(map: ReadonlyMap<unknown, unknown>, key: unknown, value: unknown, depth: number): boolean {
  if (typeof key !== "object" || key === null) return false;
  for (const [other, otherValue] of map) {
    if (equalAt(key, other, depth + 1)) return equalAt(value, otherValue, depth + 1);
  }
  return false;
}

function equalSets(left: ReadonlySet<unknown>, right: ReadonlySet<unknown>, depth: number): boolean {
  if (left.size !== right.size) return false;
  for (const value of left) {
    if (right.has(value)) continue;
    if (typeof value !== "object" || value === null) return false;
    let found = false;
    for (const other of right) found ||= equalAt(value, other, depth + 1);
    if (!found) return false;
  }
  return true;
}
