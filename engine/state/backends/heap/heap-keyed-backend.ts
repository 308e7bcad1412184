import { invariant } from "../../../base/assert.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../../base/units.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import type { StateDescriptor, StateKind } from "../../descriptors.ts";
import type { KeyedBackend, KeyedEntry, KeyGroupRange, SnapshotWriter } from "../../keyed-backend.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { Key, NamespacedState, Timer, TimerStore } from "../../state.ts";
import type { MapContent } from "./heap-map-state.ts";
import { HeapSnapshotWriter } from "./heap-snapshot-writer.ts";
import { HeapTable } from "./heap-table.ts";
import { HeapTimers } from "./heap-timers.ts";
import type { StateCell } from "./key-entry.ts";
import { SectionLoader, createPrimitive } from "./section-loader.ts";
import type { HeapPrimitive } from "./section-loader.ts";

export interface HeapKeyedBackendOptions {
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  /** Draws the order of timers of one timestamp: once a registration, so it is the backend's own stream. */
  readonly tieBreak: RandomStream;
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
  watermarkMs: TimestampMs = MIN_WATERMARK;
  private readonly table: HeapTable;
  private readonly heapTimers: HeapTimers;
  /** In the order of registration, only ever appended to: snapshots in flight hold it. */
  private readonly states: SectionState[] = [];
  private readonly indexes: Map<string, number> = new Map();
  private readonly bound: (HeapPrimitive | undefined)[] = [];

  constructor(options: HeapKeyedBackendOptions) {
    this.range = options.range;
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
    const index = this.register(descriptor.name, descriptor.kind);
    const primitive = this.bound[index] ?? createPrimitive(this.table, index, descriptor.kind, descriptor.defaultValue);
    this.bound[index] = primitive;
    // The descriptor's kind decides which primitive S is.
    return primitive as unknown as NamespacedState<S>;
  }

  timers(): TimerStore {
    return this.heapTimers;
  }

  snapshot(): SnapshotWriter {
    return new HeapSnapshotWriter(this.table, this.states, this.watermarkMs);
  }

  checkpoint(): SnapshotWriter {
    return this.snapshot();
  }

  notifyComplete(): void {}

  notifyAborted(): void {}

  maintain(): void {}

  dispose(): void {}

  restore(sections: readonly Uint8Array[]): void {
    invariant(this.table.live === 0, "a backend is restored before its first use");
    const readers = sections.map((section) => new KeyedSectionReader(section));
    for (const reader of readers) {
      invariant(reader.maxParallelism === this.table.maxParallelism, "state is restored with its max parallelism");
      for (const state of reader.states) this.register(state.name, state.kind);
    }
    const loader = new SectionLoader(this.table, this.heapTimers, this.states);
    let watermarkMs: TimestampMs = MAX_WATERMARK;
    let found = false;
    for (let keyGroup = this.range.start; keyGroup <= this.range.end; keyGroup++) {
      let owners = 0;
      for (const reader of readers) {
        if (keyGroup < reader.range.start || keyGroup > reader.range.end) continue;
        watermarkMs = Math.min(watermarkMs, reader.readGroup(keyGroup, loader));
        owners++;
      }
      invariant(owners <= 1, "a key group belongs to one of the sections");
      found ||= owners > 0;
    }
    this.table.forgetCurrentKey();
    if (found) this.watermarkMs = watermarkMs;
  }

  entries(): readonly KeyedEntry[] {
    const entries: KeyedEntry[] = [];
    for (const group of this.table.groups) {
      for (const entry of group) {
        for (let state = 0; state < this.states.length; state++) {
          const cell = entry.cellAt(state);
          if (cell !== null) this.describe(cell, entries);
          const others = entry.namespacedAt(state);
          if (others instanceof Map) for (const other of others.values()) this.describe(other, entries);
          else if (others !== null) this.describe(others, entries);
        }
      }
    }
    return entries;
  }

  inspectTimers(): { readonly eventTime: readonly Timer[]; readonly processingTime: readonly Timer[] } {
    return { eventTime: this.heapTimers.all(0), processingTime: this.heapTimers.all(1) };
  }

  private register(name: string, kind: StateKind): number {
    const known = this.indexes.get(name);
    if (known === undefined) {
      this.indexes.set(name, this.states.length);
      this.states.push({ name, kind });
      this.bound.push(undefined);
      return this.table.states++;
    }
    const kept = this.states[known]!.kind;
    if (kept !== kind) invariant(false, `state "${name}" is bound as the ${kept} state it is, not as ${kind} state`);
    return known;
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
