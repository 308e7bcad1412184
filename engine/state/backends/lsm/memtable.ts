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
/** The first four bytes of the key, as a signed number of the same order: mostly enough to compare. */
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
  /** No pin sees versions above it. */
  private pinnedSequence = 0;
  private randomBits = 0x2545f491;
  /** By level: the last node before the place of the key sought last. */
  private readonly before: Int32Array = new Int32Array(MAX_HEIGHT);

  get isEmpty(): boolean {
    return this.sequence === 0;
  }

  /** Memory in use, in bytes. */
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
    const found = this.place(key, true);
    const valueLength = value === null ? TOMBSTONE : value.length;
    const valueStart = value === null ? 0 : this.store(value);
    this.sequence += 1;
    if (found !== 0) this.replace(found, valueStart, valueLength);
    else this.insert(key, valueStart, valueLength);
  }

  /** The value as it was right after the write numbered `sequence`. */
  get(key: Uint8Array, sequence: number): FoundValue {
    const node = this.place(key, false);
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
    this.place(from, true);
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

  /** The node of a key, or 0. With `all`, `before` is filled on every level; place 0 is the head of the list. */
  private place(key: Uint8Array, all: boolean): number {
    const { nodes, arena, before } = this;
    const head = keyHead(key, 0, key.length);
    let node = 0;
    let behind = 0;
    let equal = 0;
    for (let level = this.height - 1; level >= 0; level--) {
      for (;;) {
        const next = nodes[node + LINKS + level]!;
        // A node that was too far on the level above is too far here.
        if (next === 0 || next === behind) break;
        const nextHead = nodes[next + KEY_HEAD]!;
        let order = nextHead < head ? -1 : nextHead > head ? 1 : 0;
        if (order === 0) {
          order = compareKeys(arena, nodes[next + KEY_START]!, nodes[next + KEY_LENGTH]!, key, 0, key.length);
        }
        if (order >= 0) {
          behind = next;
          if (order === 0) equal = next;
          break;
        }
        node = next;
      }
      if (equal !== 0 && !all) return equal;
      before[level] = node;
    }
    return equal;
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

  /** Behind the nodes that `place` left in `before`. */
  private insert(key: Uint8Array, valueStart: number, valueLength: number): void {
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
    nodes[node + KEY_HEAD] = keyHead(key, 0, key.length);
    nodes[node + SEQUENCE] = this.sequence;
    nodes[node + VALUE_START] = valueStart;
    nodes[node + VALUE_LENGTH] = valueLength;
    nodes[node + OLDER] = 0;
    for (let level = 0; level < height; level++) {
      const link = before[level]! + LINKS + level;
      nodes[node + LINKS + level] = nodes[link]!;
      nodes[link] = node;
    }
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

function grown(integers: Int32Array, atLeast: number): Int32Array {
  const larger = new Int32Array(Math.max(atLeast, integers.length * 2, INITIAL_INTS));
  larger.set(integers);
  return larger;
}
