import { invariant } from "../../../base/assert.ts";

const FIRST_ARENA_BYTES = 1 << 12;
const FIRST_SLOTS = 64;
/** The length of the value of a deleted key. */
const DELETED = -1;

/** A row of the buffer as it was when a range of it was taken. */
export interface BufferedRow {
  readonly key: Uint8Array;
  /** Null: the key was deleted. */
  readonly value: Uint8Array | null;
}

/**
 * Rows that were written but are not in the database yet, found by key and in the order of keys. Keys and
 * values lie in one arena, which only grows until `clear`, so what was handed out stays as it is.
 */
export class WriteBuffer {
  private arena: Uint8Array = new Uint8Array(0);
  private used = 0;
  /** Entry i: its hash, where its key and its value lie in the arena. */
  private hashes: Int32Array = new Int32Array(FIRST_SLOTS);
  private keyStarts: Int32Array = new Int32Array(FIRST_SLOTS);
  private keyLengths: Int32Array = new Int32Array(FIRST_SLOTS);
  private valueStarts: Int32Array = new Int32Array(FIRST_SLOTS);
  private valueLengths: Int32Array = new Int32Array(FIRST_SLOTS);
  private entries = 0;
  /** Open addressing: the entry's number + 1, 0 where nothing is. Twice as many as there is room for entries. */
  private slots: Int32Array = new Int32Array(FIRST_SLOTS * 2);
  /** The first `ordered` entries in the order of their keys. */
  private order: Int32Array = new Int32Array(FIRST_SLOTS);
  private ordered = 0;

  get count(): number {
    return this.entries;
  }

  /** Bytes of keys and values, overwritten ones too. */
  get sizeBytes(): number {
    return this.used;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const entry = this.entryFor(key);
    const start = this.append(value);
    this.valueStarts[entry] = start;
    this.valueLengths[entry] = value.length;
  }

  delete(key: Uint8Array): void {
    const entry = this.entryFor(key);
    this.valueLengths[entry] = DELETED;
  }

  /** A copy of the value; null: the key is deleted; undefined: the buffer says nothing about it. */
  get(key: Uint8Array): Uint8Array | null | undefined {
    if (this.entries === 0) return undefined;
    const slot = this.slotOf(key, hashOf(key));
    const entry = this.slots[slot]! - 1;
    if (entry < 0) return undefined;
    const length = this.valueLengths[entry]!;
    const start = this.valueStarts[entry]!;
    return length === DELETED ? null : this.arena.slice(start, start + length);
  }

  /** Rows with from <= key < to in ascending order, as they are now. */
  range(from: Uint8Array, to: Uint8Array | null): BufferedRow[] {
    this.sort();
    const rows: BufferedRow[] = [];
    for (let i = this.firstNotBelow(from); i < this.entries; i++) {
      const entry = this.order[i]!;
      if (to !== null && this.compareKey(entry, to) >= 0) break;
      const keyStart = this.keyStarts[entry]!;
      const valueStart = this.valueStarts[entry]!;
      const valueLength = this.valueLengths[entry]!;
      rows.push({
        key: this.arena.subarray(keyStart, keyStart + this.keyLengths[entry]!),
        value: valueLength === DELETED ? null : this.arena.subarray(valueStart, valueStart + valueLength),
      });
    }
    return rows;
  }

  /** Everything, for a transaction: `bytes` holds what the rows point into. */
  bytes(): Uint8Array {
    return this.arena.subarray(0, this.used);
  }

  /** Calls for each row in ascending order of keys; `valueLength` is -1 for a deleted key. */
  forEachRow(row: (keyStart: number, keyLength: number, valueStart: number, valueLength: number) => void): void {
    this.sort();
    for (let i = 0; i < this.entries; i++) {
      const entry = this.order[i]!;
      row(this.keyStarts[entry]!, this.keyLengths[entry]!, this.valueStarts[entry]!, this.valueLengths[entry]!);
    }
  }

  /** Forgets all rows. `keepArena`: nobody holds rows of it, its memory may be written over. */
  clear(keepArena: boolean): void {
    if (!keepArena) this.arena = new Uint8Array(0);
    this.used = 0;
    this.entries = 0;
    this.ordered = 0;
    this.slots.fill(0);
  }

  private entryFor(key: Uint8Array): number {
    const hash = hashOf(key);
    const slot = this.slotOf(key, hash);
    const known = this.slots[slot]! - 1;
    if (known >= 0) return known;
    const entry = this.entries;
    this.hashes[entry] = hash;
    this.keyStarts[entry] = this.append(key);
    this.keyLengths[entry] = key.length;
    this.entries += 1;
    this.slots[slot] = this.entries;
    if (this.entries === this.hashes.length) this.growEntries();
    return entry;
  }

  private slotOf(key: Uint8Array, hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot]! - 1;
      if (entry < 0 || (this.hashes[entry] === hash && this.isKey(entry, key))) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private isKey(entry: number, key: Uint8Array): boolean {
    const { length } = key;
    if (this.keyLengths[entry] !== length) return false;
    const start = this.keyStarts[entry]!;
    const { arena } = this;
    for (let i = 0; i < length; i++) if (arena[start + i] !== key[i]) return false;
    return true;
  }

  private append(source: Uint8Array): number {
    const start = this.used;
    const end = start + source.length;
    if (end > this.arena.length) {
      const grown = new Uint8Array(Math.max(end, this.arena.length * 2, FIRST_ARENA_BYTES));
      grown.set(this.arena.subarray(0, start));
      this.arena = grown;
    }
    this.arena.set(source, start);
    this.used = end;
    return start;
  }

  private growEntries(): void {
    this.hashes = doubled(this.hashes);
    this.keyStarts = doubled(this.keyStarts);
    this.keyLengths = doubled(this.keyLengths);
    this.valueStarts = doubled(this.valueStarts);
    this.valueLengths = doubled(this.valueLengths);
    this.order = doubled(this.order);
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.entries; entry++) {
      let slot = this.hashes[entry]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.slots = slots;
  }

  /** Few new entries are put in their places one by one; many are sorted with all the others. */
  private sort(): void {
    const { entries, order } = this;
    const added = entries - this.ordered;
    if (added === 0) return;
    if (added * 8 < entries) {
      for (let entry = this.ordered; entry < entries; entry++) {
        const at = this.placeOf(entry, entry);
        order.copyWithin(at + 1, at, entry);
        order[at] = entry;
      }
    } else {
      for (let entry = this.ordered; entry < entries; entry++) order[entry] = entry;
      order.subarray(0, entries).sort((left, right) => this.compareEntries(left, right));
    }
    this.ordered = entries;
  }

  /** Where an entry belongs among the first `count` of the order. */
  private placeOf(entry: number, count: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareEntries(this.order[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private firstNotBelow(key: Uint8Array): number {
    let low = 0;
    let high = this.entries;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(this.order[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compareEntries(left: number, right: number): number {
    const { arena } = this;
    const leftStart = this.keyStarts[left]!;
    const rightStart = this.keyStarts[right]!;
    const leftLength = this.keyLengths[left]!;
    const rightLength = this.keyLengths[right]!;
    const common = leftLength < rightLength ? leftLength : rightLength;
    for (let i = 0; i < common; i++) {
      const difference = arena[leftStart + i]! - arena[rightStart + i]!;
      if (difference !== 0) return difference;
    }
    return leftLength - rightLength;
  }

  private compareKey(entry: number, key: Uint8Array): number {
    const { arena } = this;
    const start = this.keyStarts[entry]!;
    const length = this.keyLengths[entry]!;
    const common = length < key.length ? length : key.length;
    for (let i = 0; i < common; i++) {
      const difference = arena[start + i]! - key[i]!;
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }
}

function hashOf(key: Uint8Array): number {
  let hash = key.length;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function doubled(numbers: Int32Array): Int32Array {
  const grown = new Int32Array(numbers.length * 2);
  grown.set(numbers);
  invariant(grown.length < 0x40000000, "a write buffer holds fewer rows than an array");
  return grown;
}
