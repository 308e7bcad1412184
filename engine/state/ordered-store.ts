/** Reads files of a paused process for people and oracles: no trace, no fault, no virtual time. */
export interface QuietFiles {
  /** The bytes that processes see, or null where there is no such file. Not to be changed. */
  read(path: string): Uint8Array | null;
}

/**
 * Rows in ascending order of their keys (unsigned bytes, a prefix before what it is a prefix of). It sees the
 * store as it was when it was made, whatever is written afterwards. It must be closed before the store is.
 */
export interface StoreIterator {
  /** Moves to the first row, then to the next; false once there is none. */
  next(): boolean;
  /** The row at hand. Valid until `next` or `close`; not to be changed. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Idempotent. */
  close(): void;
}

export interface StoreReader {
  /** The value, or null. Not to be changed; stays as it is. */
  get(key: Uint8Array): Uint8Array | null;
  /** Rows with from <= key < to; `to` null: to the end. */
  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator;
}

/** The store as it was at one moment. Until `close`, what it needs is kept, on disk too. */
export interface StoreView extends StoreReader {
  close(): void;
}

/** A file of a native snapshot. Its name is never used again for other bytes, by any attempt of any subtask. */
export interface StoreFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** CRC-32 of the bytes. */
  readonly checksum: number;
  /** Null: the file is part of the last confirmed snapshot, where its bytes are. */
  readonly bytes: Uint8Array | null;
}

/** A snapshot in the store's own format, read in steps while the store changes. */
export interface StoreFilesSnapshot {
  /** Reads at most so many bytes (at least one piece); returns how many are left, 0 only at the end. */
  step(byteBudget: number): number;
  /** After step returned 0: everything a restore needs, in the order in which `restoreFiles` wants it. */
  files(): readonly StoreFile[];
  /** Gives up, or releases what was kept after `files`. Idempotent. */
  close(): void;
}

/**
 * Rows of bytes on a host's disk: what the disk backends keep keyed state in. One object a subtask attempt,
 * alone in its directory, without promises beyond the attempt except what `flush` says.
 *
 * Promises: reads see all earlier writes; the bytes of a key or value that is handed in may be changed by the
 * caller afterwards; a damaged file is recognised by its checksum wherever it is read, and throws
 * StateStorageError; so does a disk that refuses. After such an error the store is unusable, except for
 * `close` and `destroy`. ProcessDied goes through. A call may cause disk I/O; the only ones that may take time
 * in proportion to the state are `iterate` (as far as it goes) and `restoreFiles`.
 */
export interface OrderedStore extends StoreReader {
  put(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
  /** Freezes what was written so far. Several may be open. Takes time in proportion to what was written since the last one at most. */
  view(): StoreView;
  /**
   * Everything written so far survives a power loss once this returned: `open` in the same directory then
   * finds this state or a later flushed one, whole.
   */
  flush(): void;
  /** Begins a snapshot in the store's own format; files of the last confirmed one come without bytes. */
  snapshotFiles(checkpointId: number): StoreFilesSnapshot;
  /** The checkpoint completed: its files need not be written again. Other ids are ignored. */
  confirm(checkpointId: number): void;
  /** It was aborted: its files are forgotten (an unconfirmed file is never reused, FLINK-25395). */
  abort(checkpointId: number): void;
  /**
   * Before the first use: takes over all rows of these files (with bytes), which one snapshot gave. `areKept`:
   * they stay where they are at least until a checkpoint of this store completes, as if it had confirmed them.
   */
  restoreFiles(files: readonly StoreFile[], areKept?: boolean): void;
  /** True while there is background work to do (compaction). */
  readonly needsMaintenance: boolean;
  /** One bounded slice of it. */
  maintain(): void;
  /** Counters for people, by name: levels, compactions and the like. */
  statistics(): Readonly<Record<string, number>>;
  /** The present contents, read without the disk port: changes nothing, not even a cache. */
  inspect(files: QuietFiles): StoreReader;
  /** Gives up descriptors and memory; leaves the files. Idempotent. */
  close(): void;
  /** Closes, and removes the files and the directory as far as the disk lets it; throws nothing but ProcessDied. */
  destroy(): void;
}

/** True for a row that may be dropped during compaction (expired state); asked for rows in no particular order. */
export type RowFilter = (key: Uint8Array, value: Uint8Array) => boolean;
