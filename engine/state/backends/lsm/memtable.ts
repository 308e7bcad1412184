import { keyHash } from "./bloom-filter.ts";
import { compareKeys, copyBytes, keyHead } from "./key-order.ts";
import { NO_BYTES, TOMBSTONE, type FoundValue, type RowCursor } from "./row-cursor.ts";

const MAX_HEIGHT = 12;
const INITIAL_ARENA_BYTES = 1 << 12;
const INITIAL_INTS = 1 << 10;
/** A row that is taller by one level is rarer by this factor, as bits. */
const BRANCHING_BITS = 2;

/** Fields of a node, in integers from its start. */
const KEY_START = 0;
const KEY_LENGTH = 1;
/** Four bytes of the key behind what all keys begin with, as a signed number of the same order: mostly enough to compare. */
const KEY_HEAD = 2;
const SEQUENCE = 3;
const VALUE_START = 4;
const VALUE_LENGTH = 5;
/** Where in `older` the version before this one is, or 0. */
const OLDER = 6;
const LINKS = 7;

/** Fields of an older version. */
const OLDER_SEQUENCE = 0;
const OLDER_START = 1;
const OLDER_LENGTH = 2;
const OLDER_NEXT = 3;
const OLDER_SIZE = 4;

/** Fields of a slot. */
const SLOT_NODE = 1;
const SLOT = 2;
const INITIAL_SLOTS = 64;

/**
 * What was written last, in order: a skip list whose nodes lie in one array of integers and whose bytes lie
 * in one arena that only grows. Bytes in the arena never change, so that a value handed out stays as it is,
 * and a reader that pinned a moment goes on to see it: each write has a sequence number, and a version that a
 * pin may need is kept behind the newest one.
 */
export class Memtable {
  /** Sequence number of the last write; 0 before any. */
  sequence = 0;
  private arena: Uint8Array = NO_BYTES;
  private arenaEnd = 0;
  private nodes: Int32Array = new Int32Array(INITIAL_INTS);
  private nodesEnd: number = LINKS + MAX_HEIGHT;
  private older: Int32Array = NO_INTEGERS;
  private olderEnd: number = OLDER_SIZE;
  private height = 1;
  private rows = 0;
  /** What all keys begin with: so many bytes of the first one's. */
  private prefixLength = 0;
  private prefixStart = 0;
  /** Finds the node of a key: pairs of its hash and its node, 0 for none, at the first free place from the hash on. */
  private slots: Int32Array = new Int32Array(INITIAL_SLOTS * SLOT);
  /** No pin sees versions above it. */
  private pinnedSequence = 0;
  private randomBits = 0x2545f491;
  /** By level: the last node before the place of the key sought last. */
  private readonly before: Int32Array = new Int32Array(MAX_HEIGHT);

  get isEmpty(): boolean {
    return this.sequence === 0;
  }

  /** Memory in use, in bytes, but for the slots by hash. */
  get sizeBytes(): number {
    return this.arenaEnd + (this.nodesEnd + this.olderEnd) * Int32Array.BYTES_PER_ELEMENT;
  }

  /** From now on what is seen at this moment is kept; returns the sequence number to read it with. */
  pin(): number {
    this.pinnedSequence = this.sequence;
    return this.sequence;
  }

  /** `value` null writes a tombstone. */
  put(key: Uint8Array, value: Uint8Array | null): void {
    const hash = keyHash(key, 0, key.length);
    const found = this.find(key, hash);
    const valueLength = value === null ? TOMBSTONE : value.length;
    const valueStart = value === null ? 0 : this.store(value);
    this.sequence += 1;
    if (found !== 0) this.replace(found, valueStart, valueLength);
    else this.insert(key, hash, valueStart, valueLength);
  }

  /** The value of a key with this hash (`keyHash`) as it was right after the write numbered `sequence`. */
  get(key: Uint8Array, hash: number, sequence: number): FoundValue {
    const node = this.find(key, hash);
    if (node === 0) return undefined;
    const { nodes } = this;
    if (nodes[node + SEQUENCE]! <= sequence) {
      const length = nodes[node + VALUE_LENGTH]!;
      if (length === TOMBSTONE) return null;
      const start = nodes[node + VALUE_START]!;
      return this.arena.subarray(start, start + length);
    }
    const version = this.olderVersion(node, sequence);
    if (version === 0) return undefined;
    const length = this.older[version + OLDER_LENGTH]!;
    if (length === TOMBSTONE) return null;
    const start = this.older[version + OLDER_START]!;
    return this.arena.subarray(start, start + length);
  }

  cursor(sequence: number): MemtableCursor {
    return new MemtableCursor(this, sequence);
  }

  /** The first node whose key is at or behind `from`; 0 for none. For cursors. */
  firstFrom(from: Uint8Array): number {
    const { prefixLength } = this;
    const shared = from.length < prefixLength ? from.length : prefixLength;
    const order = compareKeys(this.arena, this.prefixStart, prefixLength, from, 0, shared);
    if (order < 0) return 0;
    if (order > 0) return this.nodes[LINKS]!;
    this.place(from);
    return this.nodes[this.before[0]! + LINKS]!;
  }

  after(node: number): number {
    return this.nodes[node + LINKS]!;
  }

  /** Sets the cursor's fields to the row of a node as of `sequence`; false if there was none yet. */
  load(node: number, sequence: number, cursor: RowCursor): boolean {
    const { nodes } = this;
    cursor.key = this.arena;
    cursor.keyStart = nodes[node + KEY_START]!;
    cursor.keyLength = nodes[node + KEY_LENGTH]!;
    cursor.valueSource = this.arena;
    if (nodes[node + SEQUENCE]! <= sequence) {
      cursor.valueStart = nodes[node + VALUE_START]!;
      cursor.valueLength = nodes[node + VALUE_LENGTH]!;
      return true;
    }
    const version = this.olderVersion(node, sequence);
    if (version === 0) return false;
    cursor.valueStart = this.older[version + OLDER_START]!;
    cursor.valueLength = this.older[version + OLDER_LENGTH]!;
    return true;
  }

  private olderVersion(node: number, sequence: number): number {
    let version = this.nodes[node + OLDER]!;
    while (version !== 0 && this.older[version + OLDER_SEQUENCE]! > sequence) {
      version = this.older[version + OLDER_NEXT]!;
    }
    return version;
  }

  /** The node of a key, or 0. */
  private find(key: Uint8Array, hash: number): number {
    const { slots, nodes } = this;
    const mask = slots.length - 1;
    for (let at = slotOf(hash, mask); ; at = (at + SLOT) & mask) {
      const node = slots[at + SLOT_NODE]!;
      if (node === 0) return 0;
      if (slots[at] !== hash || nodes[node + KEY_LENGTH] !== key.length) continue;
      const start = nodes[node + KEY_START]!;
      if (compareKeys(this.arena, start, key.length, key, 0, key.length) === 0) return node;
    }
  }

  /** Fills `before` for a key that begins with the prefix; place 0 is the head of the list. */
  private place(key: Uint8Array): void {
    const { nodes, arena, before, prefixLength } = this;
    const length = key.length - prefixLength;
    const head = keyHead(key, prefixLength, length);
    let node = 0;
    let behind = 0;
    for (let level = this.height - 1; level >= 0; level--) {
      for (;;) {
        const next = nodes[node + LINKS + level]!;
        // A node that was too far on the level above is too far here.
        if (next === 0 || next === behind) break;
        const nextHead = nodes[next + KEY_HEAD]!;
        let isBefore = nextHead < head;
        if (nextHead === head) {
          const start = nodes[next + KEY_START]! + prefixLength;
          isBefore = compareKeys(arena, start, nodes[next + KEY_LENGTH]! - prefixLength, key, prefixLength, length) < 0;
        }
        if (!isBefore) {
          behind = next;
          break;
        }
        node = next;
      }
      before[level] = node;
    }
  }

  /** Where a key does not begin with what all others do, the heads begin further in front. */
  private sharePrefix(key: Uint8Array): void {
    const { arena, nodes, prefixStart } = this;
    if (this.rows === 0) {
      this.prefixLength = key.length;
      this.prefixStart = this.arenaEnd;
      return;
    }
    const limit = Math.min(this.prefixLength, key.length);
    let shared = 0;
    while (shared < limit && arena[prefixStart + shared] === key[shared]) shared++;
    if (shared === this.prefixLength) return;
    this.prefixLength = shared;
    for (let node = nodes[LINKS]!; node !== 0; node = nodes[node + LINKS]!) {
      nodes[node + KEY_HEAD] = keyHead(arena, nodes[node + KEY_START]! + shared, nodes[node + KEY_LENGTH]! - shared);
    }
  }

  private addSlot(hash: number, node: number): void {
    if (this.rows * 2 * SLOT > this.slots.length) this.growSlots();
    putSlot(this.slots, hash, node);
  }

  private growSlots(): void {
    const before = this.slots;
    this.slots = new Int32Array(before.length * 2);
    for (let at = 0; at < before.length; at += SLOT) {
      if (before[at + SLOT_NODE] !== 0) putSlot(this.slots, before[at]!, before[at + SLOT_NODE]!);
    }
  }

  private replace(node: number, valueStart: number, valueLength: number): void {
    const { nodes } = this;
    if (nodes[node + SEQUENCE]! <= this.pinnedSequence) {
      const version = this.olderEnd;
      if (version + OLDER_SIZE > this.older.length) this.older = grown(this.older, version + OLDER_SIZE);
      this.older[version + OLDER_SEQUENCE] = nodes[node + SEQUENCE]!;
      this.older[version + OLDER_START] = nodes[node + VALUE_START]!;
      this.older[version + OLDER_LENGTH] = nodes[node + VALUE_LENGTH]!;
      this.older[version + OLDER_NEXT] = nodes[node + OLDER]!;
      this.olderEnd = version + OLDER_SIZE;
      nodes[node + OLDER] = version;
    }
    nodes[node + SEQUENCE] = this.sequence;
    nodes[node + VALUE_START] = valueStart;
    nodes[node + VALUE_LENGTH] = valueLength;
  }

  /** A key that has no node yet. */
  private insert(key: Uint8Array, hash: number, valueStart: number, valueLength: number): void {
    this.sharePrefix(key);
    this.place(key);
    const height = this.drawHeight();
    const { before } = this;
    while (this.height < height) {
      before[this.height] = 0;
      this.height += 1;
    }
    const node = this.nodesEnd;
    this.nodesEnd = node + LINKS + height;
    if (this.nodesEnd > this.nodes.length) this.nodes = grown(this.nodes, this.nodesEnd);
    const { nodes } = this;
    nodes[node + KEY_START] = this.store(key);
    nodes[node + KEY_LENGTH] = key.length;
    nodes[node + KEY_HEAD] = keyHead(key, this.prefixLength, key.length - this.prefixLength);
    nodes[node + SEQUENCE] = this.sequence;
    nodes[node + VALUE_START] = valueStart;
    nodes[node + VALUE_LENGTH] = valueLength;
    nodes[node + OLDER] = 0;
    for (let level = 0; level < height; level++) {
      const link = before[level]! + LINKS + level;
      nodes[node + LINKS + level] = nodes[link]!;
      nodes[link] = node;
    }
    this.rows += 1;
    this.addSlot(hash, node);
  }

  /** Copies bytes into the arena; returns where they begin. */
  private store(bytes: Uint8Array): number {
    const start = this.arenaEnd;
    const end = start + bytes.length;
    if (end > this.arena.length) {
      const arena = new Uint8Array(Math.max(end, this.arena.length * 2, INITIAL_ARENA_BYTES));
      arena.set(this.arena.subarray(0, start));
      this.arena = arena;
    }
    copyBytes(bytes, 0, bytes.length, this.arena, start);
    this.arenaEnd = end;
    return start;
  }

  private drawHeight(): number {
    let bits = this.randomBits;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.randomBits = bits;
    let height = 1;
    for (bits >>>= 4; height < MAX_HEIGHT && (bits & 3) === 0; bits >>>= BRANCHING_BITS) height++;
    return height;
  }
}

/** Rows of a memtable as of one moment, whatever is written meanwhile. */
export class MemtableCursor implements RowCursor {
  key: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyLength = 0;
  valueSource: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueLength: number = TOMBSTONE;
  private readonly memtable: Memtable;
  private readonly sequence: number;
  private node = 0;

  constructor(memtable: Memtable, sequence: number) {
    this.memtable = memtable;
    this.sequence = sequence;
  }

  seek(from: Uint8Array): boolean {
    this.node = this.memtable.firstFrom(from);
    return this.settle();
  }

  next(): boolean {
    this.node = this.memtable.after(this.node);
    return this.settle();
  }

  /** Goes on to the first node with a version that is old enough. */
  private settle(): boolean {
    while (this.node !== 0) {
      if (this.memtable.load(this.node, this.sequence, this)) return true;
      this.node = this.memtable.after(this.node);
    }
    return false;
  }
}

const NO_INTEGERS: Int32Array = new Int32Array(0);

/** Where the search for a hash begins, in integers. */
function slotOf(hash: number, mask: number): number {
  return (hash << 1) & mask;
}

function putSlot(slots: Int32Array, hash: number, node: number): void {
  const mask = slots.length - 1;
  let at = slotOf(hash, mask);
  while (slots[at + SLOT_NODE] !== 0) at = (at + SLOT) & mask;
  slots[at] = hash;
  slots[at + SLOT_NODE] = node;
}

function grown(integers: Int32Array, atLeast: number): Int32Array {
  const larger = new Int32Array(Math.max(atLeast, integers.length * 2, INITIAL_INTS));
  larger.set(integers);
  return larger;
}
