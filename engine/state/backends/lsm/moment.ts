import { keyHash } from "./bloom-filter.ts";
import type { Memtable } from "./memtable.ts";
import type { TableSource } from "./table.ts";
import type { Version } from "./version.ts";

/** Keeps what readers of an old moment need. */
export interface MomentKeeper {
  /** Throws what made the store unusable. */
  requireIntact(): void;
  /** A view or iterator is done with this version. */
  release(version: Version): void;
}

/** Where the rows of one moment are: the memtable up to a write, and a version of the tables. */
export interface Moment {
  readonly memtable: Memtable;
  readonly sequence: number;
  readonly version: Version;
  readonly source: TableSource;
}

export function getAt(moment: Moment, key: Uint8Array): Uint8Array | null {
  const hash = keyHash(key, 0, key.length);
  const written = moment.memtable.get(key, hash, moment.sequence);
  if (written !== undefined) return written;
  return moment.version.get(key, hash, moment.source) ?? null;
}
