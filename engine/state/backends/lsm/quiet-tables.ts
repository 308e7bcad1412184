import { viewOf } from "../../../base/xxh32.ts";
import type { QuietFiles } from "../../ordered-store.ts";
import { StateStorageError } from "../../state-errors.ts";
import type { Table, TableSource } from "./table.ts";
import { TableReader, type TableFile } from "./table-reader.ts";

/** A table's bytes, all in memory already. */
class TableBytes implements TableFile {
  private readonly path: string;
  private readonly bytes: Uint8Array;

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.bytes = bytes;
  }

  read(position: number, length: number): Uint8Array {
    if (position < 0 || position + length > this.bytes.length) this.corrupt(`ends at byte ${this.bytes.length}`);
    return this.bytes.subarray(position, position + length);
  }

  readInto(position: number, length: number, target: Uint8Array, at: number): void {
    target.set(this.read(position, length), at);
  }

  corrupt(fact: string): never {
    throw new StateStorageError("corrupt", this.path, fact);
  }

  sizeBytes(): number {
    return this.bytes.length;
  }

  close(): void {}
}

/** Tables read without the disk port, by readers of their own: the store does not notice. */
export class QuietTables implements TableSource {
  private readonly files: QuietFiles;
  private readonly readers: Map<Table, TableReader> = new Map();

  constructor(files: QuietFiles) {
    this.files = files;
  }

  reader(table: Table): TableReader {
    const known = this.readers.get(table);
    if (known !== undefined) return known;
    const bytes = this.files.read(table.path);
    if (bytes === null) throw new StateStorageError("io", table.path, "is not there");
    const reader = new TableReader(table, new TableBytes(table.path, bytes), null);
    this.readers.set(table, reader);
    return reader;
  }
}

/** Checks every block of a table whose bytes are all at hand; throws StateStorageError for the first bad one. */
export function verifyTable(table: Table, path: string, bytes: Uint8Array): void {
  const reader = new TableReader(table, new TableBytes(path, bytes), null);
  const view = viewOf(bytes);
  for (let i = 0; i < reader.blockCount; i++) reader.verified(bytes, view, reader.offsetOf(i), i);
}
