/** The length of a value that is none: the row says that its key was deleted. */
export const TOMBSTONE = -1;

/**
 * Walks rows in ascending order of keys, tombstones among them. The fields describe the row at hand, and are
 * valid until the next call. They are fields, not methods, because a merge looks at them all the time.
 */
export interface RowCursor {
  key: Uint8Array;
  keyStart: number;
  keyLength: number;
  valueSource: Uint8Array;
  valueStart: number;
  /** TOMBSTONE for a deleted key. */
  valueLength: number;
  /** Moves to the first row at or behind `from`; false if there is none. */
  seek(from: Uint8Array): boolean;
  /** Moves to the next row; false once there is none. */
  next(): boolean;
}

/** What a place where rows lie says of a key: its value, null for a tombstone, undefined for nothing at all. */
export type FoundValue = Uint8Array | null | undefined;

/** Bytes of nothing: what fields hold before there is a row. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);
