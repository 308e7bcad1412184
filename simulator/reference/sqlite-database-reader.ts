import { ByteReader } from "../../engine/base/bytes.ts";
import { compareKeys } from "./native-rows.ts";
import type { NativeFile, NativeRow } from "./native-rows.ts";
import { readPacks } from "./sqlite-pack-reader.ts";
import type { DatabasePages } from "./sqlite-pack-reader.ts";

/*
 * Reads the table kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID out of the pages of a database, by what sqlite.org
 * documents of its file format: the header of the file, the schema table on page 1 (a table b-tree), and the index
 * b-tree that a table without rowids is, with overflow pages. Free pages are left alone. It shares nothing with the
 * engine but the bytes, least of all SQLite. Throws CorruptBytesError for whatever is not as documented.
 */

const HEADER = "SQLite format 3\u0000";
const HEADER_BYTES = 100;
const INTERIOR_INDEX = 0x02;
const INTERIOR_TABLE = 0x05;
const LEAF_INDEX = 0x0a;
const LEAF_TABLE = 0x0d;
const TABLE_NAME = "kv";
/** Deepest tree that is followed: one of 2^32 pages is less deep. */
const MOST_LEVELS = 40;

/** What a cell holds, its overflow pages included. */
interface Payload {
  readonly bytes: Uint8Array;
  /** All of it lay in the cell's own page. */
  readonly isLocal: boolean;
}

/** Reads the databases of one subtask one after another: pages that stay where they are, once. */
export class SqliteDatabaseReader {
  /** By home of the page: the rows of a leaf, or of an interior page, where none overflows. */
  #known: Map<string, readonly NativeRow[]> = new Map();

  /** All rows, in order. */
  read(packs: readonly NativeFile[]): readonly NativeRow[] {
    const known = this.#known;
    this.#known = new Map();
    const database = readPacks(packs);
    if (database.pages.length === 0) return [];
    return new DatabaseScan(database, known, this.#known).rows();
  }
}

class DatabaseScan {
  readonly #database: DatabasePages;
  readonly #before: ReadonlyMap<string, readonly NativeRow[]>;
  readonly #known: Map<string, readonly NativeRow[]>;
  readonly #rows: NativeRow[] = [];
  #usableBytes = 0;
  readonly #visited: Set<number> = new Set();

  constructor(database: DatabasePages, before: ReadonlyMap<string, readonly NativeRow[]>, known: Map<string, readonly NativeRow[]>) {
    this.#database = database;
    this.#before = before;
    this.#known = known;
  }

  rows(): readonly NativeRow[] {
    this.#readHeader();
    const root = this.#rootOf(TABLE_NAME);
    if (root > 0) this.#visitIndex(root, 0);
    return this.#rows;
  }

  #readHeader(): void {
    const { pageBytes } = this.#database;
    const page = this.#page(1);
    const reader = new ByteReader(page);
    for (const letter of HEADER) if (reader.u8() !== letter.charCodeAt(0)) reader.corrupt("no database of SQLite");
    const size = u16(page, 16);
    if ((size === 1 ? 65_536 : size) !== pageBytes) reader.corrupt(`a database of pages of ${size} bytes`);
    this.#usableBytes = pageBytes - (page[20] as number);
  }

  /** The first page of a table; 0 where there is no such table. */
  #rootOf(table: string): number {
    let root = 0;
    this.#visitTable(1, 0, (record) => {
      const [type, name, , rootPage] = record;
      if (type === "table" && name === table && typeof rootPage === "number") root = rootPage;
    });
    return root;
  }

  #visitTable(number: number, level: number, visit: (record: readonly unknown[]) => void): void {
    const page = this.#enter(number, level);
    const { kind, cells, rightmost } = this.#head(number, page);
    if (kind !== LEAF_TABLE && kind !== INTERIOR_TABLE) this.#corrupt(number, `kind ${kind} in a tree of a table`);
    for (const at of cells) {
      if (kind === INTERIOR_TABLE) {
        this.#visitTable(u32(page, at), level + 1, visit);
        continue;
      }
      const [size, sizeEnd] = varint(page, at);
      const [, start] = varint(page, sizeEnd);
      const largest = this.#usableBytes - 35;
      visit(recordIn(this.#payload(number, page, start, size, largest).bytes));
    }
    if (kind === INTERIOR_TABLE) this.#visitTable(rightmost, level + 1, visit);
  }

  /** In order: the child left of a cell, the cell, …, the rightmost child. */
  #visitIndex(number: number, level: number): void {
    const page = this.#enter(number, level);
    const { kind, cells, rightmost } = this.#head(number, page);
    if (kind !== LEAF_INDEX && kind !== INTERIOR_INDEX) this.#corrupt(number, `kind ${kind} in a tree of an index`);
    const isInterior = kind === INTERIOR_INDEX;
    const rows = this.#rowsOf(number, page, cells, isInterior);
    cells.forEach((at, i) => {
      if (isInterior) this.#visitIndex(u32(page, at), level + 1);
      this.#add(number, rows[i] as NativeRow);
    });
    if (isInterior) this.#visitIndex(rightmost, level + 1);
  }

  #add(number: number, row: NativeRow): void {
    const before = this.#rows.at(-1);
    if (before !== undefined && compareKeys(before.key, row.key) >= 0) this.#corrupt(number, "a key is out of order or there twice");
    this.#rows.push(row);
  }

  #rowsOf(number: number, page: Uint8Array, cells: readonly number[], isInterior: boolean): readonly NativeRow[] {
    const home = this.#database.homes[number - 1] as string;
    const known = this.#before.get(home) ?? null;
    if (known !== null) {
      this.#known.set(home, known);
      return known;
    }
    let areLocal = true;
    const largest = Math.floor(((this.#usableBytes - 12) * 64) / 255) - 23;
    const rows = cells.map((at) => {
      const [size, start] = varint(page, isInterior ? at + 4 : at);
      const { bytes, isLocal } = this.#payload(number, page, start, size, largest);
      areLocal &&= isLocal;
      const [key, value, ...more] = recordIn(bytes);
      const isRow = key instanceof Uint8Array && value instanceof Uint8Array && more.length === 0;
      return isRow ? { key, value } : this.#corrupt(number, "a row that is not two blobs");
    });
    // What overflows may change while its page does not.
    if (areLocal) this.#known.set(home, rows);
    return rows;
  }

  /** A payload of more than `largest` bytes keeps its beginning in the page, and the rest in a chain of others. */
  #payload(number: number, page: Uint8Array, start: number, size: number, largest: number): Payload {
    if (size <= largest) return { bytes: this.#within(number, page, start, size), isLocal: true };
    const usable = this.#usableBytes;
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fitting = least + ((size - least) % (usable - 4));
    const local = fitting <= largest ? fitting : least;
    const bytes = new Uint8Array(size);
    bytes.set(this.#within(number, page, start, local));
    let filled = local;
    let next = u32(page, start + local);
    while (filled < size) {
      const overflow = this.#enter(next, 0);
      const part = Math.min(size - filled, usable - 4);
      bytes.set(overflow.subarray(4, 4 + part), filled);
      filled += part;
      next = u32(overflow, 0);
    }
    if (next !== 0) this.#corrupt(number, "a chain of overflow pages is longer than its payload");
    return { bytes, isLocal: false };
  }

  #within(number: number, page: Uint8Array, start: number, size: number): Uint8Array {
    if (start + size > this.#usableBytes) this.#corrupt(number, "a cell reaches beyond its page");
    return page.subarray(start, start + size);
  }

  /** Kind of a page of a tree, where its cells begin, and the last child of an interior page. */
  #head(number: number, page: Uint8Array): { readonly kind: number; readonly cells: readonly number[]; readonly rightmost: number } {
    const at = number === 1 ? HEADER_BYTES : 0;
    const kind = page[at] as number;
    const isInterior = kind === INTERIOR_INDEX || kind === INTERIOR_TABLE;
    const count = u16(page, at + 3);
    const first = at + (isInterior ? 12 : 8);
    const cells: number[] = [];
    for (let i = 0; i < count; i++) cells.push(u16(page, first + 2 * i));
    if (cells.some((cell) => cell < first + 2 * count || cell >= this.#usableBytes)) this.#corrupt(number, "a cell outside of its page");
    return { kind, cells, rightmost: isInterior ? u32(page, at + 8) : 0 };
  }

  /** A page that is reached now, for the first time: in a sound file there is one way to each. Page 1 aside. */
  #enter(number: number, level: number): Uint8Array {
    if (level > MOST_LEVELS || this.#visited.has(number)) this.#corrupt(number, "is reached twice");
    this.#visited.add(number);
    return this.#page(number);
  }

  #page(number: number): Uint8Array {
    const page = this.#database.pages[number - 1];
    return page ?? this.#corrupt(number, `is not one of the ${this.#database.pages.length} pages`);
  }

  #corrupt(number: number, fact: string): never {
    return new ByteReader(new Uint8Array(0)).corrupt(`page ${number} ${fact}`);
  }
}

/** The values of a record: numbers, blobs, strings and null. */
function recordIn(bytes: Uint8Array): readonly unknown[] {
  const values: unknown[] = [];
  const [headerBytes, first] = varint(bytes, 0);
  let at = headerBytes;
  for (let of = first; of < headerBytes; ) {
    const [type, next] = varint(bytes, of);
    of = next;
    const size = sizeOfType(type);
    const content = bytes.subarray(at, at + size);
    if (content.length < size) return new ByteReader(bytes).corrupt("a record is shorter than it says");
    values.push(valueOf(type, content));
    at += size;
  }
  return at === bytes.length ? values : new ByteReader(bytes).corrupt("a record is longer than its values");
}

function sizeOfType(type: number): number {
  if (type >= 12) return (type - (type % 2) - 12) / 2;
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type] as number;
}

function valueOf(type: number, content: Uint8Array): unknown {
  if (type >= 12) return type % 2 === 0 ? content : new ByteReader(content).utf8(content.length);
  if (type === 8 || type === 9) return type - 8;
  // Numbers of more bytes, and negative ones, do not occur in what is looked for here.
  return type >= 1 && type <= 4 ? bigEndian(content, 0, content.length) : null;
}

/** Of one to nine bytes, the most significant first: seven bits each, eight of the ninth. Where it ends, too. */
function varint(bytes: Uint8Array, start: number): readonly [value: number, end: number] {
  let value = 0;
  for (let at = start; at < start + 8; at++) {
    const byte = bytes[at];
    if (byte === undefined || value > 0xff_ff_ff_ff) break;
    value = value * 128 + (byte & 127);
    if (byte < 128) return [value, at + 1];
  }
  return new ByteReader(bytes).corrupt("a number that is cut off, or too large");
}

function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] as number);
  return value;
}

function u16(bytes: Uint8Array, at: number): number {
  return bigEndian(bytes, at, 2);
}

function u32(bytes: Uint8Array, at: number): number {
  return bigEndian(bytes, at, 4);
}
