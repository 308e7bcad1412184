import { compareBytes } from "../../../base/byte-order.ts";
import { compareKeys, keyHead, sharedLength } from "./key-order.ts";
import { NO_BYTES } from "./row-cursor.ts";
import type { Table } from "./table.ts";

/**
 * Where the tables of a level begin and end, as numbers close together: for lookups of single keys, which
 * mostly need to compare no more. What all keys of the level begin with is compared once.
 */
export class LevelIndex {
  private readonly tables: readonly Table[];
  private readonly prefix: Uint8Array;
  private readonly prefixLength: number;
  /** By table: the heads of its first and last key, behind the prefix. */
  private readonly smallest: Int32Array;
  private readonly largest: Int32Array;

  constructor(tables: readonly Table[]) {
    this.tables = tables;
    this.prefix = tables.length === 0 ? NO_BYTES : tables[0]!.smallest;
    let length = this.prefix.length;
    for (const table of tables) {
      length = Math.min(length, sharedLength(this.prefix, table.smallest), sharedLength(this.prefix, table.largest));
    }
    this.prefixLength = length;
    this.smallest = new Int32Array(tables.length);
    this.largest = new Int32Array(tables.length);
    for (const [at, { smallest, largest }] of tables.entries()) {
      this.smallest[at] = keyHead(smallest, length, smallest.length - length);
      this.largest[at] = keyHead(largest, length, largest.length - length);
    }
  }

  /** The head of a key for the calls below; null if the key cannot be in the level. */
  headOf(key: Uint8Array): number | null {
    const { prefix, prefixLength } = this;
    const { length } = key;
    if (length < prefixLength) return null;
    for (let i = 0; i < prefixLength; i++) if (key[i] !== prefix[i]) return null;
    return keyHead(key, prefixLength, length - prefixLength);
  }

  /** False only if the key with this head lies outside a table. */
  mayCover(at: number, head: number): boolean {
    return head >= this.smallest[at]! && head <= this.largest[at]!;
  }

  /** Of a level without overlap: the first table that ends at or behind a key with this head; their number if there is none. */
  tableFrom(key: Uint8Array, head: number): number {
    const { tables, largest, prefixLength } = this;
    let low = 0;
    let high = tables.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const middleHead = largest[middle]!;
      let isBefore = head < middleHead;
      if (head === middleHead) {
        const last = tables[middle]!.largest;
        isBefore = compareKeys(key, prefixLength, key.length - prefixLength, last, prefixLength, last.length - prefixLength) <= 0;
      }
      if (isBefore) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The place of the first table that ends at or behind a key. */
export function tableFrom(tables: readonly Table[], key: Uint8Array): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(tables[middle]!.largest, key) >= 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
