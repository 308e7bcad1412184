import { invariant } from "../../../base/assert.ts";
import type { Disk } from "../../../ports/disk.ts";
import type { RowFilter } from "../../ordered-store.ts";

/** How a store is opened. Sizes in bytes; what is absent has the default that stands with it. */
export interface LsmOptions {
  readonly disk: Disk;
  /** Absolute path of the store's own directory; made if it is missing. */
  readonly directory: string;
  /** Unique among all stores whose snapshots may meet: names of snapshot files begin with it. */
  readonly storeId: string;
  /** The memtable is written out as a table beyond this. 1 MiB. */
  readonly memtableBytes?: number;
  /** Size of a table on level 1 and below, about. 256 KiB. */
  readonly tableBytes?: number;
  /** Size of level 1; each further level is ten times as large. 4 MiB. */
  readonly levelOneBytes?: number;
  /** Bytes of the block cache. 8 MiB. */
  readonly blockCacheBytes?: number;
  /** Size of a data block, about. 2 KiB, at most 16 KiB. */
  readonly blockBytes?: number;
  /** Tables that are open at a time. 512. */
  readonly openTables?: number;
  /** Bytes that one slice of a compaction goes through, about. 16 KiB. */
  readonly sliceBytes?: number;
  /** Tables on level 0 from which on they are compacted. 4. */
  readonly levelZeroTables?: number;
  /**
   * What the numbers of snapshots are: "chk", checkpoints, or "mat", materializations of a changelog. In the names
   * of tables that were written for one. "chk".
   */
  readonly snapshotLabel?: "chk" | "mat";
  /** Asked for rows that a compaction meets. None. */
  readonly filter?: RowFilter | null;
}

export type LsmSettings = Readonly<Required<LsmOptions>>;

const KIB = 1024;
const MIB = 1024 * KIB;

/** All options, with the defaults. */
export function settingsOf(options: LsmOptions): LsmSettings {
  const settings: LsmSettings = {
    disk: options.disk,
    directory: options.directory,
    storeId: options.storeId,
    memtableBytes: options.memtableBytes ?? MIB,
    tableBytes: options.tableBytes ?? 256 * KIB,
    levelOneBytes: options.levelOneBytes ?? 4 * MIB,
    blockCacheBytes: options.blockCacheBytes ?? 8 * MIB,
    blockBytes: options.blockBytes ?? 2 * KIB,
    openTables: options.openTables ?? 512,
    sliceBytes: options.sliceBytes ?? 16 * KIB,
    levelZeroTables: options.levelZeroTables ?? 4,
    snapshotLabel: options.snapshotLabel ?? "chk",
    filter: options.filter ?? null,
  };
  invariant(settings.openTables >= 1 && settings.levelZeroTables >= 1, "a store keeps at least one table");
  return settings;
}
