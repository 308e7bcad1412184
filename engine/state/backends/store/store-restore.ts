import { invariant } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import { MAX_WATERMARK } from "../../../base/units.ts";
import type { TimestampMs } from "../../../base/units.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { KeyGroupVisitor } from "../../keyed-section-reader.ts";
import type { OrderedStore, StoreFile } from "../../ordered-store.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { iterateKeyGroups, readStateId, stateIdEnd, writeStateId } from "./row-format.ts";
import { RowLoader } from "./row-loader.ts";
import { writeMigrated } from "./row-migration.ts";
import { readSnapshotMeta } from "./snapshot-meta.ts";
import type { SnapshotMeta } from "./snapshot-meta.ts";
import type { StoreTimers } from "./store-timers.ts";
import type { AdoptedState, StoredStates } from "./stored-states.ts";

/** An empty store of the same kind, for a while, in a directory of its own with this name. */
export type TemporaryStores = (name: string) => OrderedStore;

/** Fills the rows, states and timers of a backend from snapshots; each method once, before the first use. */
export class StoreRestore {
  private readonly rows: KeyedRows;
  private readonly states: StoredStates;
  private readonly timers: StoreTimers;
  private readonly temporaryStore: TemporaryStores;
  /** Left where a restore failed. */
  private temporary: OrderedStore | null = null;

  constructor(rows: KeyedRows, states: StoredStates, timers: StoreTimers, temporaryStore: TemporaryStores) {
    this.rows = rows;
    this.states = states;
    this.timers = timers;
    this.temporaryStore = temporaryStore;
  }

  /** From canonical sections, cut to the range. Returns the watermark, or null where no section has any of it. */
  sections(sections: readonly Uint8Array[]): TimestampMs | null {
    const readers = sections.map((section) => new KeyedSectionReader(section));
    this.requireMaxParallelism(readers);
    for (const reader of readers) this.states.adopt(reader.states);
    const loaders = readers.map(({ states }) => new RowLoader(this.rows, this.timers, this.states.adopted(states)));
    const watermarkMs = this.readGroups(readers, loaders);
    this.rows.forgetCurrentKey();
    return watermarkMs;
  }

  /**
   * From native snapshots, each its meta file and the store's files: one of the same range is taken over as
   * it is, others are opened one by one in a temporary store, and their rows in the range are copied.
   */
  native(snapshots: readonly (readonly StoreFile[])[], areKept: boolean): TimestampMs | null {
    const metas = snapshots.map((files) => {
      invariant(files.length > 0, "a native snapshot begins with its meta file");
      return readSnapshotMeta(files[0]!);
    });
    const readers = metas.map((meta) => meta.section);
    this.requireMaxParallelism(readers);
    for (const meta of metas) {
      this.states.adopt(meta.states);
      this.rows.nextSequence = Math.max(this.rows.nextSequence, meta.nextSequence);
    }
    const loader = new RowLoader(this.rows, this.timers, []);
    const watermarkMs = this.readGroups(readers, readers.map(() => loader));
    if (this.isWhole(metas)) this.rows.store.restoreFiles(snapshots[0]!.slice(1), areKept);
    else metas.forEach((meta, index) => this.copyRows(meta, snapshots[index]!.slice(1), index));
    this.rows.forgetCurrentKey();
    return watermarkMs;
  }

  /** Removes what a failed restore left. */
  dispose(): void {
    this.temporary?.destroy();
    this.temporary = null;
  }

  private requireMaxParallelism(readers: readonly KeyedSectionReader[]): void {
    for (const reader of readers) {
      invariant(reader.maxParallelism === this.rows.maxParallelism, "state is restored with its max parallelism");
    }
  }

  /** Gives each key group of the range to the visitor of the one section that has it. */
  private readGroups(
    readers: readonly KeyedSectionReader[],
    visitors: readonly KeyGroupVisitor[],
  ): TimestampMs | null {
    const { start, end } = this.rows.range;
    let watermarkMs: TimestampMs | null = null;
    for (let keyGroup = start; keyGroup <= end; keyGroup++) {
      let owners = 0;
      for (let i = 0; i < readers.length; i++) {
        const reader = readers[i]!;
        if (keyGroup < reader.range.start || keyGroup > reader.range.end) continue;
        watermarkMs = Math.min(watermarkMs ?? MAX_WATERMARK, reader.readGroup(keyGroup, visitors[i]!));
        owners++;
      }
      invariant(owners <= 1, "a key group belongs to one of the sections");
    }
    return watermarkMs;
  }

  /** True where there is one snapshot, of the same range, and its rows need no change. */
  private isWhole(metas: readonly SnapshotMeta[]): boolean {
    if (metas.length !== 1) return false;
    const { section, states } = metas[0]!;
    const { start, end } = this.rows.range;
    if (section.range.start !== start || section.range.end !== end) return false;
    return this.states.adopted(states).every(({ stored, migration }, id) => stored.id === id && migration === null);
  }

  private copyRows({ section, states }: SnapshotMeta, files: readonly StoreFile[], index: number): void {
    const first = Math.max(section.range.start, this.rows.range.start);
    const last = Math.min(section.range.end, this.rows.range.end);
    if (first > last) return;
    const source = this.temporaryStore(`restore-${index}`);
    this.temporary = source;
    source.restoreFiles(files, false);
    const adopted = this.states.adopted(states);
    const { keyGroupBytes, store } = this.rows;
    const iterator = iterateKeyGroups(source, first, last, keyGroupBytes);
    const rowKey = new ByteWriter(128);
    while (iterator.next()) {
      const { key, value } = iterator;
      const id = readStateId(key, keyGroupBytes);
      const state = adopted[id];
      invariant(state !== undefined, "every row is one of a state");
      rowKey.truncate(0);
      rowKey.bytes(key.subarray(0, keyGroupBytes));
      writeStateId(rowKey, state.stored.id);
      rowKey.bytes(key.subarray(stateIdEnd(key, keyGroupBytes)));
      store.put(rowKey.view(), state.migration === null ? value : this.migrated(value, states[id]!, state));
    }
    iterator.close();
    this.dispose();
  }

  private migrated(value: Uint8Array, written: SnapshotMeta["states"][number], adopted: AdoptedState): Uint8Array {
    const { value: target, reader } = this.rows;
    target.truncate(0);
    writeMigrated(target, reader, value, written, adopted.stored, adopted.migration!);
    return target.view();
  }
}
