import { invariant } from "../../../base/assert.ts";
import { MIN_WATERMARK } from "../../../base/units.ts";
import type { CheckpointId, TimestampMs } from "../../../base/units.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import type { StateDescriptor } from "../../descriptors.ts";
import type { ExpiryCleanUps } from "../../expiry-clean-ups.ts";
import { FoldingState } from "../../folding-state.ts";
import type {
  IncrementalSnapshots,
  IncrementalSnapshotWriter,
  KeyedBackend,
  KeyedEntry,
  KeyGroupRange,
  SnapshotWriter,
} from "../../keyed-backend.ts";
import type { OrderedStore, QuietFiles, StoreFile } from "../../ordered-store.ts";
import { StateSchemaError } from "../../state-errors.ts";
import { itemMigration, schemaFault } from "../../state-migration.ts";
import type { Key, NamespacedState, Timer, TimerStore } from "../../state.ts";
import { KeyedRows } from "./keyed-rows.ts";
import { describeRows } from "./row-description.ts";
import type { CompactionFilter } from "./row-expiry.ts";
import { migrateRows } from "./row-migration.ts";
import type { SectionSource } from "./section-progress.ts";
import type { LeftOutRows } from "./section-rows.ts";
import { StoreIncrementalSnapshot } from "./store-incremental-snapshot.ts";
import { StoreListState } from "./store-list-state.ts";
import { StoreMapState } from "./store-map-state.ts";
import { StoreRestore } from "./store-restore.ts";
import type { TemporaryStores } from "./store-restore.ts";
import { StoreSnapshotWriter } from "./store-snapshot-writer.ts";
import { StoreTimers } from "./store-timers.ts";
import { StoreValueState } from "./store-value-state.ts";
import { StoredStates, replaceSerializers } from "./stored-states.ts";
import type { StoredState } from "./stored-states.ts";

export interface StoreKeyedBackendOptions {
  /** As a job names the backend. */
  readonly name: string;
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  /** Draws the order of timers of one timestamp: once a registration, so it is the backend's own stream. */
  readonly tieBreak: RandomStream;
  /** Processing time, for what is expired. */
  readonly nowMs: () => TimestampMs;
  /** Empty, and the backend's own from now on. */
  readonly store: OrderedStore;
  readonly temporaryStore: TemporaryStores;
  /** Begins the names of meta files: unique among all backends of all attempts of the job. */
  readonly storeId: string;
  /** The one that the store's compaction asks; null where it asks none. */
  readonly compactionFilter: CompactionFilter | null;
}

type StorePrimitive = StoreValueState | StoreListState | StoreMapState | FoldingState;

/**
 * Keyed state as rows of an ordered store (see row-format), timers in memory. A snapshot's synchronous part is
 * the store's `view` (or `snapshotFiles`) and a mark on the timers. Restored timers draw their order anew, as in
 * the heap backend.
 *
 * Any call may throw StateStorageError; the store is unusable then, and so is the backend except for `cancel`
 * of its snapshots and `dispose`.
 */
export class StoreKeyedBackend implements KeyedBackend {
  readonly range: KeyGroupRange;
  readonly incremental: IncrementalSnapshots;
  readonly expiryCleanUps: ExpiryCleanUps;
  watermarkMs: TimestampMs = MIN_WATERMARK;
  private readonly options: StoreKeyedBackendOptions;
  private readonly store: OrderedStore;
  private readonly rows: KeyedRows;
  private readonly states: StoredStates = new StoredStates();
  private readonly storeTimers: StoreTimers;
  private readonly restoring: StoreRestore;
  /** By id. */
  private readonly bound: (StorePrimitive | undefined)[] = [];
  private readonly expired: LeftOutRows = { leftOut: 0 };
  private used = false;
  /** Snapshots that may still hold something of the store. */
  private inFlight: (StoreSnapshotWriter | StoreIncrementalSnapshot)[] = [];

  constructor(options: StoreKeyedBackendOptions) {
    this.options = options;
    this.expiryCleanUps = { backend: options.name, incrementally: false, inCompaction: options.compactionFilter !== null };
    this.range = options.range;
    this.store = options.store;
    this.rows = new KeyedRows(options.store, options.range, options.maxParallelism);
    this.storeTimers = new StoreTimers(this.rows, options.tieBreak);
    this.restoring = new StoreRestore(this.rows, this.states, this.storeTimers, options.temporaryStore);
    this.incremental = {
      snapshot: (checkpointId) => this.snapshotFiles(checkpointId),
      restore: (snapshots, areKept = false) => this.restoreFiles(snapshots, areKept),
    };
  }

  setCurrentKey(key: Key): void {
    this.used = true;
    this.rows.setCurrentKey(key);
  }

  currentKey(): Key {
    return this.rows.currentKey();
  }

  bind<S>(descriptor: StateDescriptor<S>): NamespacedState<S> {
    const stored = this.register(descriptor);
    const primitive = this.bound[stored.id] ?? this.createPrimitive(stored, descriptor);
    this.bound[stored.id] = primitive;
    // The descriptor's kind decides which primitive S is.
    return primitive as unknown as NamespacedState<S>;
  }

  timers(): TimerStore {
    return this.storeTimers;
  }

  snapshot(): SnapshotWriter {
    const view = this.store.view();
    return this.begun(new StoreSnapshotWriter(this.freeze(), this.rows, view));
  }

  checkpoint(): SnapshotWriter {
    return this.snapshot();
  }

  restore(sections: readonly Uint8Array[]): void {
    invariant(!this.used, "a backend is restored before its first use");
    this.watermarkMs = this.restoring.sections(sections) ?? this.watermarkMs;
  }

  notifyComplete(checkpointId: CheckpointId): void {
    this.store.confirm(checkpointId);
  }

  notifyAborted(checkpointId: CheckpointId): void {
    this.store.abort(checkpointId);
  }

  get needsMaintenance(): boolean {
    return this.store.needsMaintenance;
  }

  maintain(): void {
    this.store.maintain();
  }

  statistics(): Readonly<Record<string, number>> {
    return { ...this.store.statistics(), expiredLeftOut: this.expired.leftOut };
  }

  entries(files: QuietFiles): readonly KeyedEntry[] {
    return describeRows(this.store.inspect(files), this.rows, this.states.all);
  }

  inspectTimers(): { readonly eventTime: readonly Timer[]; readonly processingTime: readonly Timer[] } {
    return { eventTime: this.storeTimers.all(0), processingTime: this.storeTimers.all(1) };
  }

  dispose(): void {
    // What reads a store is closed before it.
    for (const writer of this.inFlight) writer.cancel();
    this.inFlight = [];
    this.restoring.dispose();
    this.store.destroy();
  }

  private snapshotFiles(checkpointId: CheckpointId): IncrementalSnapshotWriter {
    const files = this.store.snapshotFiles(checkpointId);
    const name = `${this.options.storeId}-meta-${checkpointId}`;
    return this.begun(new StoreIncrementalSnapshot(this.freeze(), this.rows, files, name));
  }

  private begun<W extends StoreSnapshotWriter | StoreIncrementalSnapshot>(writer: W): W {
    this.inFlight = this.inFlight.filter((other) => !other.isReleased);
    this.inFlight.push(writer);
    return writer;
  }

  private restoreFiles(snapshots: readonly (readonly StoreFile[])[], areKept: boolean): void {
    invariant(!this.used, "a backend is restored before its first use");
    this.watermarkMs = this.restoring.native(snapshots, areKept) ?? this.watermarkMs;
  }

  /** Everything of a snapshot that is not in the store. O(1) but for the number of states. */
  private freeze(): SectionSource {
    return {
      states: this.states.frozen(),
      timers: this.storeTimers.freeze(),
      watermarkMs: this.watermarkMs,
      nowMs: this.options.nowMs(),
      expired: this.expired,
    };
  }

  /** The state that a descriptor names, with its rows already made what the job wants. */
  private register(descriptor: StateDescriptor<unknown>): StoredState {
    const stored = this.states.find(descriptor);
    const isSame = stored.serializer === descriptor.serializer && stored.keySerializer === descriptor.keySerializer;
    const migration = isSame ? null : itemMigration(stored, descriptor);
    if (stored.bound) {
      if (migration !== null) throw new StateSchemaError(schemaFault(stored, descriptor, "it is bound already"));
      return stored;
    }
    if (migration !== null) migrateRows(this.rows, stored, descriptor, migration);
    replaceSerializers(stored, descriptor);
    stored.ttl = descriptor.ttl;
    stored.bound = true;
    this.options.compactionFilter?.track(stored);
    return stored;
  }

  private createPrimitive(stored: StoredState, descriptor: StateDescriptor<unknown>): StorePrimitive {
    const { rows } = this;
    if (stored.kind === "list") return new StoreListState(rows, stored);
    if (stored.kind === "map") return new StoreMapState(rows, stored);
    if (stored.kind === "value") return new StoreValueState(rows, stored, descriptor.defaultValue);
    return new FoldingState(new StoreValueState(rows, stored, null), descriptor);
  }
}
