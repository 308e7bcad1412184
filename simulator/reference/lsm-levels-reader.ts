import { ByteReader } from "../../engine/base/bytes.ts";
import { crc32 } from "../../engine/base/crc32.ts";
import { readLsmTable, readMagic } from "./lsm-table-reader.ts";
import type { LsmTable } from "./lsm-table-reader.ts";
import { compareKeys } from "./native-rows.ts";
import type { NativeFile, NativeRow } from "./native-rows.ts";

/*
 * A second reader of the native snapshots of the LSM store, made from the description of the format
 * (engine/state/backends/lsm/FORMAT.md) and not from the engine's code. Throws CorruptBytesError for whatever is
 * not as described.
 */

/** A table as a description names it. */
interface NamedTable {
  readonly number: number;
  readonly storeHash: number;
  readonly originNumber: number;
  readonly sizeBytes: number;
  readonly rows: number;
  readonly tombstones: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly fileName: string;
  readonly checksum: number;
}

const MAGIC = "WWLSML02";
const LEVELS = 7;
const CHECKSUM_BYTES = 4;

export function isLsmDescription(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && readMagic(new ByteReader(bytes)) === MAGIC;
}

/** Reads native snapshots of the store of one subtask one after another: each table once, however many name it. */
export class LsmSnapshotReader {
  #tables: Map<string, LsmTable> = new Map();

  /** `files`: the description, then the tables, in any order. The rows that are there, in order; no tombstones. */
  read(files: readonly NativeFile[]): readonly NativeRow[] {
    const [description, ...tables] = files;
    const reader = new ByteReader(description?.bytes ?? new Uint8Array(0));
    if (description === undefined) return reader.corrupt("a snapshot without a description");
    const levels = readLevels(description.bytes);
    const named = levels.flat();
    if (named.length !== tables.length) reader.corrupt(`${tables.length} tables come with a description of ${named.length}`);
    const before = this.#tables;
    this.#tables = new Map();
    for (const table of named) {
      const file = tables.find(({ name }) => name === table.fileName);
      if (file === undefined) return reader.corrupt(`${table.fileName} is not among the files`);
      this.#tables.set(table.fileName, before.get(table.fileName) ?? checkedTable(file, table, reader));
    }
    return this.#merged(levels);
  }

  #merged(levels: readonly (readonly NamedTable[])[]): readonly NativeRow[] {
    let rows: readonly NativeRow[] = [];
    levels.toReversed().forEach((tables, at) => {
      const isTop = at === levels.length - 1;
      const ofTables = tables.map(({ fileName }) => this.#tables.get(fileName)?.rows ?? []);
      if (!isTop) rows = overlaid(rows, ofTables.flat());
      else for (const newer of ofTables.toReversed()) rows = overlaid(rows, newer);
    });
    return rows.filter(({ value }) => value !== null);
  }
}

function readLevels(bytes: Uint8Array): readonly (readonly NamedTable[])[] {
  const end = bytes.length - CHECKSUM_BYTES;
  if (!isLsmDescription(bytes)) new ByteReader(bytes).corrupt("no description of a snapshot");
  const reader = new ByteReader(bytes, MAGIC.length, end);
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, CHECKSUM_BYTES);
  if (trailer.getUint32(0, false) !== crc32(bytes, 0, end)) reader.corrupt("a description has another checksum");
  const nextNumber = reader.varuint();
  const count = reader.u8();
  if (count !== LEVELS) reader.corrupt(`${count} levels`);
  const levels: NamedTable[][] = [];
  for (let level = 0; level < count; level++) {
    // What was compacted last matters to nobody but the store.
    reader.bytes(reader.varuint());
    const tables: NamedTable[] = [];
    const ofLevel = reader.varuint();
    for (let i = 0; i < ofLevel; i++) tables.push(readTable(reader, nextNumber));
    checkOrder(reader, level, tables);
    levels.push(tables);
  }
  if (reader.remaining > 0) reader.corrupt("something follows the last level");
  return levels;
}

function readTable(reader: ByteReader, nextNumber: number): NamedTable {
  const number = reader.varuint();
  if (number >= nextNumber) reader.corrupt(`table ${number} is not below the next number, ${nextNumber}`);
  const storeHash = reader.u32();
  const [originNumber, sizeBytes, rows, tombstones] = [reader.varuint(), reader.varuint(), reader.varuint(), reader.varuint()];
  const smallest = reader.bytes(reader.varuint());
  const largest = reader.bytes(reader.varuint());
  const fileName = reader.utf8(reader.varuint());
  return { number, storeHash, originNumber, sizeBytes, rows, tombstones, smallest, largest, fileName, checksum: reader.u32() };
}

function checkOrder(reader: ByteReader, level: number, tables: readonly NamedTable[]): void {
  for (let i = 1; i < tables.length; i++) {
    const [before, table] = [tables[i - 1] as NamedTable, tables[i] as NamedTable];
    const isInOrder = level === 0 ? table.number < before.number : compareKeys(before.largest, table.smallest) < 0;
    if (!isInOrder) reader.corrupt(`table ${table.number} of level ${level} is out of order`);
  }
}

function checkedTable({ name, bytes }: NativeFile, named: NamedTable, reader: ByteReader): LsmTable {
  if (bytes.length !== named.sizeBytes || crc32(bytes) !== named.checksum) reader.corrupt(`${name} is not the file that is described`);
  const table = readLsmTable(bytes);
  const { identity, rows, tombstones } = table;
  const [first, last] = [rows[0], rows.at(-1)];
  const isIt =
    identity.storeHash === named.storeHash &&
    identity.originNumber === named.originNumber &&
    rows.length === named.rows &&
    tombstones === named.tombstones &&
    first !== undefined &&
    last !== undefined &&
    compareKeys(first.key, named.smallest) === 0 &&
    compareKeys(last.key, named.largest) === 0;
  return isIt ? table : reader.corrupt(`${name} is not the table that is described`);
}

/** Two lists in order as one; of a key that both have, the newer row. */
function overlaid(older: readonly NativeRow[], newer: readonly NativeRow[]): readonly NativeRow[] {
  if (older.length === 0) return newer;
  const rows: NativeRow[] = [];
  let at = 0;
  for (const row of newer) {
    let order = -1;
    while (at < older.length && (order = compareKeys((older[at] as NativeRow).key, row.key)) < 0) rows.push(older[at++] as NativeRow);
    if (at < older.length && order === 0) at += 1;
    rows.push(row);
  }
  for (; at < older.length; at++) rows.push(older[at] as NativeRow);
  return rows;
}
