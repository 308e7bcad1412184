import type { TableIdentity } from "./block-checksum.ts";
import type { TableReader } from "./table-reader.ts";

/** What a manifest says of a table. */
export interface TableDescription extends TableIdentity {
  /** Of its file in this store's directory. Greater numbers are newer. */
  readonly number: number;
  /** Of its file in this store's directory. */
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly rows: number;
  readonly tombstones: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** A table on disk: it never changes, and its file goes when no version names it any more. */
export class Table implements TableDescription {
  readonly storeHash: number;
  readonly originNumber: number;
  readonly number: number;
  readonly fileName: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly rows: number;
  readonly tombstones: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  /** Versions that name it. */
  references = 0;
  /** An fsync covered its bytes. */
  isSynced: boolean;
  /** While it is open. */
  reader: TableReader | null = null;
  /** Neighbours in the table cache. */
  newer: Table | null = null;
  older: Table | null = null;

  constructor(directory: string, description: TableDescription, isSynced: boolean) {
    this.storeHash = description.storeHash;
    this.originNumber = description.originNumber;
    this.number = description.number;
    this.fileName = description.fileName;
    this.path = `${directory}/${description.fileName}`;
    this.sizeBytes = description.sizeBytes;
    this.rows = description.rows;
    this.tombstones = description.tombstones;
    this.smallest = description.smallest;
    this.largest = description.largest;
    this.isSynced = isSynced;
  }
}

/** `occasion`: what it was written for, where that is more than a full memtable or a compaction ("chk-4"). */
export function tableFileName(number: number, occasion: string | null = null): string {
  return occasion === null ? `${number}.table` : `${number}-${occasion}.table`;
}

/** Where readers of tables come from: a cache over the disk, or quiet files. */
export interface TableSource {
  reader(table: Table): TableReader;
}
