/**
 * Java's hash codes and Flink's murmur hash, to the bit: they decide which key group a key falls into.
 */

/** A key: what Flink users key by. Tuples are readonly arrays of keys. */
export type Key = string | boolean | bigint | number | readonly Key[];

const TWO_32 = 4294967296;
const LONG_MIN = -(1n << 63n);
const LONG_MAX = (1n << 63n) - 1n;
const WORD_MASK = 0xffffffffn;
/** `Double.hashCode` of NaN: Java collapses every NaN into one. */
const NAN_HASH = 0x7ff80000;

/** Written before every read, so it carries nothing from one call to the next. */
const doubleBits = new DataView(new ArrayBuffer(8));

/**
 * The `hashCode` that Java gives the corresponding object: String, Boolean, Integer for int32 numbers (so -0
 * is 0), Long for other safe integers and for bigints (BigInteger beyond Long's range), Double for all other
 * numbers, List for tuples.
 */
export function javaHash(key: Key): number {
  switch (typeof key) {
    case "string":
      return stringHash(key);
    case "number":
      return numberHash(key);
    case "boolean":
      return key ? 1231 : 1237;
    case "bigint":
      return bigintHash(key);
    default: {
      let hash = 1;
      for (let i = 0; i < key.length; i++) hash = (Math.imul(31, hash) + javaHash(key[i] as Key)) | 0;
      return hash;
    }
  }
}

function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

function numberHash(value: number): number {
  const int = value | 0;
  if (int === value) return int;
  if (Number.isSafeInteger(value)) {
    const high = Math.floor(value / TWO_32);
    return (value - high * TWO_32) ^ high;
  }
  if (value !== value) return NAN_HASH;
  doubleBits.setFloat64(0, value);
  return doubleBits.getInt32(0) ^ doubleBits.getInt32(4);
}

function bigintHash(value: bigint): number {
  if (value >= LONG_MIN && value <= LONG_MAX) return Number(BigInt.asIntN(32, value ^ (value >> 32n)));
  const magnitude = value < 0n ? -value : value;
  let words = 0n;
  while (magnitude >> (words * 32n) !== 0n) words++;
  let hash = 0;
  for (let word = words - 1n; word >= 0n; word--) {
    hash = (Math.imul(31, hash) + Number((magnitude >> (word * 32n)) & WORD_MASK)) | 0;
  }
  return value < 0n ? -hash | 0 : hash;
}

/** Flink's `MathUtils.murmurHash` of one int: 0 or greater. */
export function murmurHash(code: number): number {
  let hash = Math.imul(code, 0xcc9e2d51);
  hash = (hash << 15) | (hash >>> 17);
  hash = Math.imul(hash, 0x1b873593);
  hash = (hash << 13) | (hash >>> 19);
  hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  hash = bitMix(hash ^ 4);
  if (hash >= 0) return hash;
  // The negation of the least int is no int; Flink gives 0 for it.
  return hash === -2147483648 ? 0 : -hash;
}

/** Spreads every input bit over all 32 (the finalizer of murmur3). */
export function bitMix(code: number): number {
  let hash = code ^ (code >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
