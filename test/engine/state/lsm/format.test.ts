import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import { xxh32 } from "#whitewater/engine/base/xxh32.js";
import { MemoryDisk } from "../memory-disk.ts";
import { bytes, DIRECTORY, text, tiny } from "./store-fixture.ts";

/** A reader by the rules of FORMAT.md, which shares nothing with the store but the CRC-32. Its XXH32 is its own. */
class Plain {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(content: Uint8Array, at = 0) {
    this.bytes = content;
    this.at = at;
  }

  number(size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[this.at + i]!;
    this.at += size;
    return value;
  }

  varuint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  string(): string {
    return text(this.take(this.varuint()))!;
  }
}

function hex(content: Uint8Array): string {
  return Array.from(content, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface PlainTable {
  readonly identity: readonly [number, number];
  /** "key=value", "key!" for a tombstone. */
  readonly rows: string[];
  readonly counts: readonly number[];
}

function plainTable(file: Uint8Array): PlainTable {
  const footer = new Plain(file, file.length - 56);
  expect(hex(footer.take(8))).toBe("57574c534d543032");
  const identity = [footer.number(4), footer.number(8)] as const;
  const [filterOffset, filterSize, indexOffset, indexSize] = [1, 2, 3, 4].map(() => footer.number(4)) as [number, number, number, number];
  const counts = [footer.number(4), footer.number(4), footer.number(4), footer.number(4)];
  expect(footer.number(4)).toBe(crc32(file, file.length - 56, file.length - 4));
  const part = (offset: number, size: number): Uint8Array => {
    const place = new Uint8Array(16);
    const view = new DataView(place.buffer);
    view.setUint32(0, identity[0], true);
    view.setUint32(4, identity[1], true);
    view.setUint32(12, offset, true);
    const content = file.slice(offset, offset + size);
    expect(new Plain(file, offset + size).number(4)).toBe(plainXxh32(content, crc32(place)));
    return content;
  };
  const filter = part(filterOffset, filterSize);
  const index = new Plain(part(indexOffset, indexSize));
  const found: string[] = [];
  let offset = 0;
  while (index.at < indexSize) {
    const lastKey = index.string();
    const size = index.varuint();
    const block = plainBlock(part(offset, size));
    expect(block.at(-1)![0]).toBe(lastKey);
    for (const [key, value] of block) {
      expect(isInFilter(filter, bytes(key))).toBe(true);
      found.push(value === null ? `${key}!` : `${key}=${value}`);
    }
    offset += size + 4;
  }
  expect([offset, filterOffset + filterSize + 4, indexOffset + indexSize + 60]).toEqual([filterOffset, indexOffset, file.length]);
  return { identity, rows: found, counts };
}

function plainXxh32(content: Uint8Array, seed: number): number {
  const modulus = 0x100000000n;
  const primes = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n] as const;
  const [p1, p2, p3, p4, p5] = primes;
  const word = (at: number): bigint => BigInt(new Plain(content, at).number(4));
  const rotl = (value: bigint, by: bigint): bigint => ((value << by) | ((value % modulus) >> (32n - by))) % modulus;
  const start = BigInt(seed);
  const { length } = content;
  let at = 0;
  let hash = start + p5;
  if (length >= 16) {
    const sums = [start + p1 + p2, start + p2, start, start - p1 + modulus].map((sum) => sum % modulus);
    for (; at + 16 <= length; at += 16) {
      for (let i = 0; i < 4; i++) sums[i] = (rotl((sums[i]! + word(at + i * 4) * p2) % modulus, 13n) * p1) % modulus;
    }
    hash = [1n, 7n, 12n, 18n].reduce((sum, by, i) => sum + rotl(sums[i]!, by), 0n);
  }
  hash = (hash + BigInt(length)) % modulus;
  for (; at + 4 <= length; at += 4) hash = (rotl((hash + word(at) * p3) % modulus, 17n) * p4) % modulus;
  for (; at < length; at++) hash = (rotl((hash + BigInt(content[at]!) * p5) % modulus, 11n) * p1) % modulus;
  hash = ((hash ^ (hash >> 15n)) * p2) % modulus;
  hash = ((hash ^ (hash >> 13n)) * p3) % modulus;
  return Number(hash ^ (hash >> 16n));
}

function plainBlock(block: Uint8Array): [string, string | null][] {
  const tail = new Plain(block, block.length - 6);
  const prefixLength = tail.number(4);
  const count = tail.number(2);
  const prefixAt = block.length - 6 - prefixLength;
  const prefix = text(block.slice(prefixAt, prefixAt + prefixLength))!;
  const offsets = new Plain(block, prefixAt - 2 * count);
  return Array.from({ length: count }, () => {
    const row = new Plain(block, offsets.number(2));
    const [suffixLength, size] = [row.varuint(), row.varuint()];
    const key = prefix + text(row.take(suffixLength))!;
    return [key, size === 0 ? null : text(row.take(size - 1))];
  });
}

function isInFilter(filter: Uint8Array, key: Uint8Array): boolean {
  const modulus = 0x100000000n;
  const reader = new Plain(filter);
  const [bits, probes] = [BigInt(reader.number(4)), reader.number(1)];
  let hash = BigInt(0x9747b28c ^ key.length) & 0xffffffffn;
  const words = Math.floor(key.length / 4);
  const mix = (word: bigint): void => {
    hash = ((hash ^ word) * 0x5bd1e995n) % modulus;
    hash ^= hash >> 15n;
  };
  for (let i = 0; i < words; i++) mix(BigInt(new Plain(key, i * 4).number(4)));
  for (let i = words * 4; i < key.length; i++) mix(BigInt(key[i]!));
  hash = ((hash ^ (hash >> 13n)) * 0x85ebca6bn) % modulus;
  hash ^= hash >> 16n;
  const step = ((hash << 15n) % modulus) | (hash >> 17n) | 1n;
  for (let i = 0n; i < BigInt(probes); i++) {
    const bit = Number(((hash + i * step) % modulus) % bits);
    if ((filter[5 + (bit >> 3)]! & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

interface PlainLevels {
  readonly nextNumber: number;
  /** By level: number, size, rows, tombstones, smallest, largest, file name and its CRC-32. */
  readonly levels: (string | number)[][][];
}

function plainLevels(file: Uint8Array): PlainLevels {
  expect(hex(file.slice(0, 8))).toBe("57574c534d4c3032");
  expect(hex(file.slice(-4))).toBe(crc32(file, 0, file.length - 4).toString(16).padStart(8, "0"));
  const reader = new Plain(file, 8);
  const nextNumber = reader.varuint();
  const levels = Array.from({ length: reader.number(1) }, () => {
    reader.string();
    return Array.from({ length: reader.varuint() }, () => {
      const number = reader.varuint();
      expect([reader.number(4), reader.varuint()]).toEqual([crc32(bytes("s1")), number]);
      const numbers = [number, reader.varuint(), reader.varuint(), reader.varuint()];
      return [...numbers, reader.string(), reader.string(), reader.string(), reader.number(4)];
    });
  });
  expect(reader.at).toBe(file.length - 4);
  return { nextNumber, levels };
}

/** The store whose files the golden ones are: they must never change but with the format's version. */
function goldenFiles(): Record<string, Uint8Array> {
  const disk = new MemoryDisk();
  const store = tiny(disk);
  for (let i = 0; i < 12; i++) store.put(bytes(`flight/${String.fromCharCode(97 + i)}`), bytes(`${i * 1000}`));
  store.delete(bytes("flight/c"));
  store.put(bytes("flight/long"), bytes("x".repeat(150)));
  store.flush();
  store.delete(bytes("flight/a"));
  const snapshot = store.snapshotFiles(1);
  snapshot.step(1e6);
  const [description] = snapshot.files();
  const files = {
    "1.table": disk.file(`${DIRECTORY}/1.table`).content(),
    MANIFEST: disk.file(`${DIRECTORY}/MANIFEST`).content(),
    levels: description!.bytes!,
  };
  store.close();
  return files;
}

const golden = JSON.parse(readFileSync(new URL("golden-files.json", import.meta.url), "utf8")) as Record<string, string>;
const goldenBytes = (name: string): Uint8Array => Uint8Array.from(golden[name]!.match(/../g)!, (pair) => Number.parseInt(pair, 16));

describe("the format", () => {
  it("of the files that a store writes has not changed", () => {
    const written = Object.fromEntries(Object.entries(goldenFiles()).map(([name, content]) => [name, hex(content)]));
    expect(written).toEqual(golden);
  });

  it("has the checksum of long parts too that the description says", () => {
    for (const length of [0, 1, 3, 4, 15, 16, 17, 31, 32, 2099]) {
      const content = Uint8Array.from({ length }, (_, i) => Math.imul(i + length, 2654435761) >>> 24);
      const view = new DataView(content.buffer);
      for (const seed of [0, 1, 0x9e3779b1, 0xffffffff]) expect(xxh32(view, 0, length, seed)).toBe(plainXxh32(content, seed));
    }
  });

  it("of a table is what the description says", () => {
    const table = plainTable(goldenBytes("1.table"));
    expect(table.identity).toEqual([crc32(bytes("s1")), 1]);
    const letters = "abdefghijkl";
    const expected = Array.from(letters, (letter) => `flight/${letter}=${(letter.charCodeAt(0) - 97) * 1000}`);
    expected.splice(2, 0, "flight/c!");
    expect(table.rows).toEqual([...expected, `flight/long=${"x".repeat(150)}`]);
    expect(table.counts).toEqual([13, 1, 3, goldenBytes("1.table").length]);
  });

  it("of a manifest and of a snapshot's description is what the description says", () => {
    const size = goldenBytes("1.table").length;
    const manifest = plainLevels(goldenBytes("MANIFEST"));
    expect(manifest.nextNumber).toBe(4);
    const second = manifest.levels[0]![0]!;
    expect(second.toSpliced(1, 1)).toEqual([3, 1, 1, "flight/a", "flight/a", "3-chk-1.table", 0]);
    expect(manifest.levels[0]![1]).toEqual([1, size, 13, 1, "flight/a", "flight/long", "", 0]);
    expect(manifest.levels.slice(1)).toEqual([[], [], [], [], [], []]);
    const description = plainLevels(goldenBytes("levels"));
    const checksum = crc32(goldenBytes("1.table"));
    expect(description.levels[0]![1]).toEqual([1, size, 13, 1, "flight/a", "flight/long", "s1-2-1.table", checksum]);
    // A handle tells two intact files apart: their CRC-32 is not the one of everything that ends with its own.
    expect(crc32(goldenBytes("levels"))).not.toBe(crc32(goldenBytes("MANIFEST")));
  });
});
