import { invariant } from "../../../base/assert.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../../base/units.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import type { StateDescriptor } from "../../descriptors.ts";
import type { ExpiryCleanUps } from "../../expiry-clean-ups.ts";
import { FoldingState } from "../../folding-state.ts";
import type { KeyedBackend, KeyedEntry, KeyGroupRange, SnapshotWriter } from "../../keyed-backend.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { SectionState } from "../../snapshot-format.ts";
import { StateSchemaError } from "../../state-errors.ts";
import { itemMigration, mergedState, schemaFault } from "../../state-migration.ts";
import type { Key, NamespacedState, Timer, TimerStore } from "../../state.ts";
import type { TtlConfig } from "../../ttl-config.ts";
import type { MapContent } from "./heap-map-state.ts";
import { migrateState } from "./heap-migration.ts";
import { HeapSnapshotWriter } from "./heap-snapshot-writer.ts";
import { HeapTable } from "./heap-table.ts";
import { HeapTimers } from "./heap-timers.ts";
import { HeapSnapshotFilter, HeapTtlCleaner } from "./heap-ttl.ts";
import type { ExpiredCells } from "./heap-ttl.ts";
import { HeapValueState } from "./heap-value-state.ts";
import type { StateCell } from "./key-entry.ts";
import { SectionLoader, createPrimitive } from "./section-loader.ts";
import type { HeapPrimitive, LoadedState } from "./section-loader.ts";

export interface HeapKeyedBackendOptions {
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  /** Draws the order of timers of one timestamp: once a registration, so it is the backend's own stream. */
  readonly tieBreak: RandomStream;
  /** Processing time, for cleaning up state with a time to live; without it nothing is ever cleaned up. */
  readonly nowMs?: () => TimestampMs;
}

/**
 * Keyed state in memory, with copy-on-write snapshots (see HeapTable). `snapshot` is O(1), timers included.
 * Restored timers draw their order anew, one after the other by key group and then as the section lists
 * them: how many sections they came in makes no difference.
 */
export class HeapKeyedBackend implements KeyedBackend {
  readonly range: KeyGroupRange;
  readonly incremental = null;
  readonly needsMaintenance = false;
  readonly expiryCleanUps: ExpiryCleanUps = { backend: "heap", incrementally: true, inCompaction: false };
  watermarkMs: TimestampMs = MIN_WATERMARK;
  private readonly table: HeapTable;
  private readonly heapTimers: HeapTimers;
  /** In the order of registration. Snapshots in flight hold it: it is appended to or replaced, never changed. */
  private states: SectionState[] = [];
  private readonly indexes: Map<string, number> = new Map();
  private readonly bound: (HeapPrimitive | FoldingState | undefined)[] = [];
  /** Of each state as far as it was bound; null: it has no time to live. */
  private readonly ttls: (TtlConfig | null)[] = [];
  private readonly expired: ExpiredCells = { cleanedUp: 0, leftOut: 0 };
  private readonly nowMs: () => TimestampMs;

  constructor(options: HeapKeyedBackendOptions) {
    this.range = options.range;
    this.nowMs = options.nowMs ?? ((): TimestampMs => MIN_WATERMARK);
    this.table = new HeapTable(options.range, options.maxParallelism);
    this.heapTimers = new HeapTimers(this.table, options.tieBreak);
  }

  setCurrentKey(key: Key): void {
    this.table.setCurrentKey(key);
  }

  currentKey(): Key {
    return this.table.currentKey();
  }

  bind<S>(descriptor: StateDescriptor<S>): NamespacedState<S> {
    const index = this.register(descriptor);
    const primitive = this.bound[index] ?? this.create(index, descriptor);
    // The descriptor's kind decides which primitive S is.
    return primitive as unknown as NamespacedState<S>;
  }

  timers(): TimerStore {
    return this.heapTimers;
  }

  snapshot(): SnapshotWriter {
    const isFiltered = this.ttls.some((ttl) => ttl?.cleanupInFullSnapshot === true);
    const filter = isFiltered ? new HeapSnapshotFilter(this.ttls, this.nowMs(), this.expired) : null;
    return new HeapSnapshotWriter(this.table, this.states, this.watermarkMs, filter);
  }

  checkpoint(): SnapshotWriter {
    return this.snapshot();
  }

  notifyComplete(): void {}

  notifyAborted(): void {}

  maintain(): void {}

  statistics(): Readonly<Record<string, number>> {
    return { expiredCleanedUp: this.expired.cleanedUp, expiredLeftOut: this.expired.leftOut };
  }

  dispose(): void {}

  restore(sections: readonly Uint8Array[]): void {
    invariant(this.table.live === 0, "a backend is restored before its first use");
    const readers = sections.map((section) => new KeyedSectionReader(section));
    for (const reader of readers) {
      invariant(reader.maxParallelism === this.table.maxParallelism, "state is restored with its max parallelism");
      for (const state of reader.states) this.adopt(state);
    }
    const loaders = readers.map((reader) => this.loaderOf(reader.states));
    let watermarkMs: TimestampMs = MAX_WATERMARK;
    let found = false;
    for (let keyGroup = this.range.start; keyGroup <= this.range.end; keyGroup++) {
      let owners = 0;
      for (let i = 0; i < readers.length; i++) {
        const reader = readers[i]!;
        if (keyGroup < reader.range.start || keyGroup > reader.range.end) continue;
        watermarkMs = Math.min(watermarkMs, reader.readGroup(keyGroup, loaders[i]!));
        owners++;
      }
      invariant(owners <= 1, "a key group belongs to one of the sections");
      found ||= owners > 0;
    }
    this.table.forgetCurrentKey();
    if (found) this.watermarkMs = watermarkMs;
  }

  entries(): readonly KeyedEntry[] {
    const cells: StateCell[] = [];
    for (const group of this.table.groups) {
      for (const entry of group) for (let state = 0; state < this.states.length; state++) entry.collectCells(state, cells);
    }
    const entries: KeyedEntry[] = [];
    for (const cell of cells) this.describe(cell, entries);
    return entries;
  }

  inspectTimers(): { readonly eventTime: readonly Timer[]; readonly processingTime: readonly Timer[] } {
    return { eventTime: this.heapTimers.all(0), processingTime: this.heapTimers.all(1) };
  }

  private create(index: number, descriptor: StateDescriptor<unknown>): HeapPrimitive | FoldingState {
    const { kind, defaultValue, ttl } = descriptor;
    const cell = createPrimitive(this.table, index, descriptor, defaultValue);
    if (ttl !== null && ttl.cleanupIncrementally !== null && ttl.cleanupIncrementally > 0) {
      cell.cleaner = new HeapTtlCleaner(this.table, index, kind, ttl, ttl.cleanupIncrementally, this.nowMs, this.expired);
    }
    const isFolded = kind === "reducing" || kind === "aggregating";
    const primitive = isFolded && cell instanceof HeapValueState ? new FoldingState(cell, descriptor) : cell;
    this.ttls[index] = ttl;
    this.bound[index] = primitive;
    return primitive;
  }

  /** The number of a state that is bound, with what it holds already made what the job wants. */
  private register(wanted: SectionState): number {
    const index = this.indexes.get(wanted.name);
    if (index === undefined) return this.add(wanted);
    const kept = this.states[index]!;
    requireKind(kept, wanted);
    if (kept.serializer === wanted.serializer && kept.keySerializer === wanted.keySerializer) return index;
    const migration = itemMigration(kept, wanted);
    if (this.bound[index] === undefined) {
      if (migration !== null) migrateState(this.table, index, kept.kind, migration);
      this.replace(index, wanted);
    } else if (migration !== null) {
      throw new StateSchemaError(schemaFault(kept, wanted, "it is bound already"));
    }
    return index;
  }

  /** Takes over a state of a section, as it was written unless it is bound or another section has it too. */
  private adopt(written: SectionState): void {
    const index = this.indexes.get(written.name);
    if (index === undefined) {
      this.add(written);
      return;
    }
    const kept = this.states[index]!;
    requireKind(kept, written);
    if (this.bound[index] !== undefined) return;
    const merged = mergedState(kept, written);
    if (merged !== kept) this.replace(index, merged);
  }

  private add({ name, kind, serializer, keySerializer }: SectionState): number {
    this.indexes.set(name, this.states.length);
    this.states.push({ name, kind, serializer, keySerializer });
    this.bound.push(undefined);
    this.ttls.push(null);
    return this.table.states++;
  }

  private replace(index: number, { name, kind, serializer, keySerializer }: SectionState): void {
    this.states = this.states.slice();
    this.states[index] = { name, kind, serializer, keySerializer };
  }

  private loaderOf(states: readonly SectionState[]): SectionLoader {
    const loaded = new Map<string, LoadedState>();
    for (const written of states) {
      const index = this.indexes.get(written.name)!;
      const primitive = createPrimitive(this.table, index, written, null);
      loaded.set(written.name, { primitive, migration: itemMigration(written, this.states[index]!) });
    }
    return new SectionLoader(this.table, this.heapTimers, loaded);
  }

  private describe(cell: StateCell, entries: KeyedEntry[]): void {
    if (cell.value === null) return;
    const { name, kind } = this.states[cell.state]!;
    let value: unknown = cell.value;
    if (kind === "list") value = (cell.value as readonly unknown[]).slice();
    if (kind === "map") value = [...(cell.value as MapContent).values()];
    entries.push({ state: name, key: cell.entry.key, namespace: cell.namespace, value });
  }
}

function requireKind(kept: SectionState, { name, kind }: SectionState): void {
  if (kept.kind !== kind) invariant(false, `state "${name}" is bound as the ${kept.kind} state it is, not as ${kind} state`);
}
