/** Plain numbers about a store, for observers. */
export interface LsmStats {
  /** By level. */
  readonly tables: readonly number[];
  readonly levelBytes: readonly number[];
  /** The deepest level with a table; -1 without any. */
  readonly deepestLevel: number;
  /** The deepest level that ever had one. */
  readonly deepestLevelEver: number;
  readonly memtableBytes: number;
  readonly cachedBytes: number;
  readonly openTables: number;
  readonly memtablesWritten: number;
  readonly commits: number;
  /** Finished, moves not counted. */
  readonly compactions: number;
  readonly trivialMoves: number;
  /** Compactions of which a part ran while a view or snapshot was open. */
  readonly compactionsDuringSnapshot: number;
  /** Tombstones that went for good because nothing older can be left of their key. */
  readonly tombstonesDropped: number;
  /** Rows that the filter did not want any more. */
  readonly rowsFiltered: number;
  /** Slices that `put` and `delete` had to do themselves. */
  readonly stallSlices: number;
}
