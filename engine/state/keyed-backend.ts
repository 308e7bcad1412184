import type { KeyGroup, TimestampMs } from "../base/units.ts";
import type { KeyedState, Key, Namespace, Timer } from "./state.ts";

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
  /** Serializes at most `entryBudget` entries; returns how many are left (0: `bytes` may be called). */
  step(entryBudget: number): number;
  /** The canonical keyed-state section (see snapshot-format). Call once, after step returned 0. */
  bytes(): Uint8Array;
  /** Gives up; releases what was kept for it. Idempotent, also after `bytes`. */
  cancel(): void;
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
 * State of one keyed operator subtask for the runtime: one backend object an operator.
 *
 * Invariants: every key it holds lies in `range`; `snapshot` takes time that does not grow with the state;
 * several snapshots may be in flight; after `restore` the contents equal the snapshots' contents cut to
 * `range`, the watermark the minimum of theirs.
 */
export interface KeyedBackend extends KeyedState {
  readonly range: KeyGroupRange;
  /** The operator's watermark, kept per key group in snapshots (a departure from Flink, FLINK-36663). */
  watermarkMs: TimestampMs;
  snapshot(): SnapshotWriter;
  /** Loads sections written by `bytes`; called before the first use, with all sections at once. */
  restore(sections: readonly Uint8Array[]): void;
  /** For inspection: every entry, in no particular order. Changes nothing. */
  entries(): readonly KeyedEntry[];
  inspectTimers(): { readonly eventTime: readonly Timer[]; readonly processingTime: readonly Timer[] };
}

/** Operator (non-keyed) list state: split on rescaling. */
export interface OperatorListState {
  get(name: string): readonly unknown[];
  update(name: string, values: readonly unknown[]): void;
}

/** The same for the runtime. */
export interface OperatorListBackend extends OperatorListState {
  /** What `restore` reads; empty where nothing was ever written. */
  bytes(): Uint8Array;
  restore(bytes: Uint8Array): void;
}
