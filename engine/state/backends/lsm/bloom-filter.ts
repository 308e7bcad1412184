import { readU32, writeU32 } from "./block-checksum.ts";

/** Bits for each key: about one wrong "maybe" in a hundred. */
const BITS_PER_KEY = 10;
const PROBES = 6;
const HEADER_BYTES = 5;

/** 32-bit hash of a key for the filter. Part of the table format. */
export function keyHash(key: Uint8Array, start: number, length: number): number {
  let hash = 0x9747b28c ^ length;
  let at = start;
  for (const end = start + length - 3; at < end; at += 4) {
    hash ^= key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
    hash = Math.imul(hash, 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  for (const end = start + length; at < end; at++) {
    hash = Math.imul(hash ^ key[at]!, 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b);
  return hash ^ (hash >>> 16);
}

/** The filter of so many keys, from their hashes. */
export function buildFilter(hashes: Int32Array, count: number): Uint8Array {
  const bitBytes = Math.max(8, Math.ceil((count * BITS_PER_KEY) / 8));
  const filter = new Uint8Array(HEADER_BYTES + bitBytes);
  const bits = bitBytes * 8;
  writeU32(filter, 0, bits);
  filter[4] = PROBES;
  for (let i = 0; i < count; i++) {
    let hash = hashes[i]!;
    const step = probeStep(hash);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (hash >>> 0) % bits;
      filter[HEADER_BYTES + (bit >>> 3)]! |= 1 << (bit & 7);
      hash = (hash + step) | 0;
    }
  }
  return filter;
}

/** A filter as it lies in memory: which keys are surely not in the table. */
export class BloomFilter {
  private readonly bytes: Uint8Array;
  private readonly first: number;
  private readonly bits: number;
  private readonly probes: number;

  /** It begins at `start` of `bytes`. */
  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.first = start + HEADER_BYTES;
    this.bits = readU32(bytes, start);
    this.probes = bytes[start + 4]!;
  }

  /** False only if no key with this hash is in the table. For lookups of one key; a range proves nothing. */
  mayContain(hash: number): boolean {
    const { bytes, first, bits, probes } = this;
    const step = probeStep(hash);
    let at = hash;
    for (let probe = 0; probe < probes; probe++) {
      const bit = (at >>> 0) % bits;
      if ((bytes[first + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      at = (at + step) | 0;
    }
    return true;
  }
}

/** True if this can be a filter at all. */
export function isFilter(filter: Uint8Array): boolean {
  if (filter.length <= HEADER_BYTES) return false;
  return readU32(filter, 0) === (filter.length - HEADER_BYTES) * 8;
}

function probeStep(hash: number): number {
  return ((hash >>> 17) | (hash << 15)) | 1;
}
