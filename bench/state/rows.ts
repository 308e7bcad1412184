export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;
/** Values that rows share: nothing that a compression makes smaller. */
const VALUES = 1024;
const FIRST_SEED = 12345;

/** Keys of 16 bytes and values of 100, made once and handed to every contender. */
export class Rows {
  readonly count: number;
  /** Row numbers in the order in which they are written. */
  readonly written: Uint32Array;
  /** Row numbers in the order in which they are read. */
  readonly read: Uint32Array;
  readonly #keys: readonly Uint8Array[];
  readonly #values: readonly Uint8Array[];

  constructor(count: number, reads: number) {
    this.count = count;
    this.written = shuffled(count, count, FIRST_SEED);
    this.read = shuffled(count, reads, FIRST_SEED + 1);
    this.#keys = Array.from({ length: count }, (_, row) => keyOf(row));
    const noise = new Noise(FIRST_SEED + 2);
    this.#values = Array.from({ length: VALUES }, () => Uint8Array.from({ length: VALUE_BYTES }, () => noise.below(256)));
  }

  key(row: number): Uint8Array {
    return this.#keys[row] as Uint8Array;
  }

  value(row: number): Uint8Array {
    return this.#values[row & (VALUES - 1)] as Uint8Array;
  }
}

/** "key-000000001234" in bytes. */
function keyOf(row: number): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  const text = `key-${String(row).padStart(KEY_BYTES - 4, "0")}`;
  for (let i = 0; i < KEY_BYTES; i += 1) key[i] = text.charCodeAt(i);
  return key;
}

/** The first `taken` of 0 … `count` - 1 in an order drawn from `seed`. */
export function shuffled(count: number, taken: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  const noise = new Noise(seed);
  for (let at = 0; at < taken; at += 1) {
    const other = at + noise.below(count - at);
    const row = order[at] as number;
    order[at] = order[other] as number;
    order[other] = row;
  }
  return order.slice(0, taken);
}

/** Numbers without a pattern, the same from the same seed. */
export class Noise {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    let bits = this.#state;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.#state = bits;
    return Math.floor(((bits >>> 0) / 4294967296) * bound);
  }
}
