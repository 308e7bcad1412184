import type { CheckpointId, KeyGroup, TimestampMs } from "../base/units.ts";
import type { QuietFiles, StoreFile } from "./ordered-store.ts";
import type { StateDescriptor } from "./descriptors.ts";
import type { KeyedState, Key, ListState, MapState, Namespace, Timer } from "./state.ts";

/** Inclusive range of key groups; empty where `end < start`. */
export interface KeyGroupRange {
  readonly start: KeyGroup;
  readonly end: KeyGroup;
}

/**
 * The asynchronous part of a snapshot. The caller drives it step by step while processing goes on; what it
 * writes is the state at the moment `snapshot` was called.
 */
export interface SnapshotWriter {
  /**
   * Serializes at most `entryBudget` entries; returns how many are left, where that is known, else 1. 0 only
   * at the end: `bytes` may be called. Throws StateStorageError where the state cannot be read, and
   * UnencodableValueError where a backend in memory keeps what cannot be written; only `cancel` may follow.
   */
  step(entryBudget: number): number;
  /** What was serialized. Call once, after step returned 0. */
  bytes(): Uint8Array;
  /** Gives up; releases what was kept for it. Idempotent, also after `bytes`. */
  cancel(): void;
}

/** A snapshot as files, some of which an earlier one already has. `step` and `cancel` as in SnapshotWriter. */
export interface IncrementalSnapshotWriter {
  step(entryBudget: number): number;
  /** After step returned 0, once: what a restore needs, in order. */
  files(): readonly StoreFile[];
  cancel(): void;
}

/** Snapshots in a backend's own format that write in proportion to what changed. */
export interface IncrementalSnapshots {
  /** Freezes the state; files of the last confirmed snapshot come without bytes. */
  snapshot(checkpointId: CheckpointId): IncrementalSnapshotWriter;
  /**
   * Before the first use, once: the files of one snapshot an old subtask, each with bytes; they may reach beyond
   * the range. `areKept`: they stay in storage at least until a checkpoint of this attempt completes, so snapshots
   * may name them without bytes where the one that was taken over whole has them. Throws CorruptBytesError for
   * other files, StateSchemaError as `KeyedBackend.restore`.
   */
  restore(snapshots: readonly (readonly StoreFile[])[], areKept?: boolean): void;
}

/** One entry of keyed state, for people and oracles. */
export interface KeyedEntry {
  readonly state: string;
  readonly key: Key;
  readonly namespace: Namespace;
  /** Value state: the value. List: the elements. Map: the entries. */
  readonly value: unknown;
}

/**
 * State of one keyed operator subtask for the runtime: one backend object an operator and attempt.
 *
 * Invariants: every key it holds lies in `range`; the synchronous part of a snapshot does not grow with the
 * state (lsm, sqlite: with what was written since the last flush at most); several snapshots may be in flight;
 * after `restore` the contents equal the snapshots' contents cut to `range`, the watermark the minimum of
 * theirs. Disk backends throw StateStorageError from any call when the disk fails them.
 */
export interface KeyedBackend extends KeyedState {
  readonly range: KeyGroupRange;
  /** The operator's watermark, kept per key group in snapshots (a departure from Flink, FLINK-36663). */
  watermarkMs: TimestampMs;
  /** The canonical keyed-state section (see snapshot-format): what any backend can restore. */
  snapshot(): SnapshotWriter;
  /**
   * What a checkpoint keeps: the canonical section, unless the backend has a form of its own that it can
   * restore (changelog: what was materialized and the log since).
   */
  checkpoint(checkpointId: CheckpointId): SnapshotWriter;
  /** Null where the backend has no increments. */
  readonly incremental: IncrementalSnapshots | null;
  /**
   * Loads what `snapshot` or `checkpoint` wrote; called before the first use, with all pieces at once.
   * Throws CorruptBytesError for what is neither, StateSchemaError where a state that is bound already cannot
   * be read with the descriptor's serializer, and changes nothing then that matters: the attempt fails.
   */
  restore(pieces: readonly Uint8Array[]): void;
  /** The checkpoint completed, or was aborted. */
  notifyComplete(checkpointId: CheckpointId): void;
  notifyAborted(checkpointId: CheckpointId): void;
  /** True while there is background work (compaction, materialization). */
  readonly needsMaintenance: boolean;
  /** One bounded slice of it. */
  maintain(): void;
  /** Counters of the local files and of the work on them, for people and for declared paths; empty where there are none. */
  statistics(): Readonly<Record<string, number>>;
  /** For inspection: every entry, in no particular order. Changes nothing, and causes no disk I/O of the process. */
  entries(files: QuietFiles): readonly KeyedEntry[];
  inspectTimers(): { readonly eventTime: readonly Timer[]; readonly processingTime: readonly Timer[] };
  /** The attempt is over: removes local files, as far as the disk lets it. Idempotent; nothing may follow. */
  dispose(): void;
}

/** Split lists of the structural codec, by name: what the engine's own operators need of operator state. */
export interface OperatorListState {
  /** The elements; empty where there is no such list. */
  get(name: string): readonly unknown[];
  /** Replaces the list. */
  update(name: string, values: readonly unknown[]): void;
}

/**
 * Operator state: state of a subtask, whatever the key (Flink's OperatorStateStore). Binding the same name
 * twice gives the same state, as another kind it throws; so it does with a time to live. Throws
 * StateSchemaError where what was restored cannot be read with the descriptor's serializer.
 */
export interface OperatorStateStore extends OperatorListState {
  /** Its elements are dealt out over the subtasks when their number changes. */
  listState<T>(descriptor: StateDescriptor<ListState<T>>): ListState<T>;
  /** After a restore, every subtask has the elements of all subtasks. */
  unionListState<T>(descriptor: StateDescriptor<ListState<T>>): ListState<T>;
  /** The same in every subtask, if the job sees to that; new subtasks get a copy. */
  broadcastState<K, V>(descriptor: StateDescriptor<MapState<K, V>>): MapState<K, V>;
}

/** The same for the runtime. */
export interface OperatorListBackend extends OperatorStateStore {
  /** The operator-state section (see operator-state-section); empty where nothing is kept. */
  bytes(): Uint8Array;
  /** Replaces everything; throws CorruptBytesError, and changes nothing, for other bytes than `bytes` gave. */
  restore(bytes: Uint8Array): void;
  /** For inspection: the section that was restored, whatever became of it since. */
  restoredBytes(): Uint8Array;
}
