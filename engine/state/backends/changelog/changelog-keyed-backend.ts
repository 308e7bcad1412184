import { invariant, unreachable } from "../../../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../../../base/units.ts";
import type { StateDescriptor, StateFold } from "../../descriptors.ts";
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
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { QuietFiles, StoreFile } from "../../ordered-store.ts";
import type { SectionState } from "../../snapshot-format.ts";
import { UploadedFiles } from "../../uploaded-files.ts";
import type { Key, NamespacedState, Timer, TimerStore } from "../../state.ts";
import { ChangeLog } from "./change-log.ts";
import { ChangelogCheckpointWriter } from "./checkpoint-writer.ts";
import { LoggedListState } from "./logged-list-state.ts";
import { LoggedMapState } from "./logged-map-state.ts";
import { LoggedTimers } from "./logged-timers.ts";
import { AccumulatorState, LoggedValueState } from "./logged-value-state.ts";
import { Materialization } from "./materialization.ts";
import { IncrementWriter } from "./increment-writer.ts";
import type { LogPart } from "./increment-format.ts";
import { ChangelogIncrement } from "./increment-reader.ts";
import { incrementSections } from "./increment-restore.ts";
import type { TemporaryBackend } from "./increment-restore.ts";
import { namedSerializer } from "./named-serializer.ts";
import { isReadableAs, restoredSections } from "./restored-sections.ts";

/** Logged bytes after which a materialization begins, where nothing else is said. */
const MATERIALIZE_AFTER_BYTES = 1 << 18;

export interface ChangelogKeyedBackendOptions {
  readonly maxParallelism: number;
  readonly materializeAfterBytes?: number;
  /** Absent: checkpoints share no files. */
  readonly sharing?: ChangelogSharing;
}

/** What increments need. */
export interface ChangelogSharing {
  /** Begins the names of their files: unique among all backends of all attempts of the job. */
  readonly storeId: string;
  readonly openTemporary: TemporaryBackend;
}

/** What a nested folding state is bound with: see AccumulatorState. */
const REPLACING_FOLD: StateFold = {
  add: (accumulator: unknown) => accumulator,
  createAccumulator: () => null,
  getResult: (accumulator: unknown) => accumulator,
  merge: null,
};

/**
 * Keyed state in another backend, with a log of its changes: a checkpoint is a base, materialized now and then,
 * and the log since (semantics: Flink's ChangelogKeyedStateBackend). Every mutation is applied and logged; reads
 * cost nothing. A checkpoint holds both in one piece (changelog-format), or as files that it shares with others
 * (increment-format): each is uploaded for one checkpoint, and named by later ones once that has completed, so no
 * failed upload has to be passed on to other checkpoints.
 *
 * A restore applies the logs before the nested backend sees anything: it gets canonical sections, as if a
 * savepoint had been taken, and these are the base of the checkpoints to come.
 */
export class ChangelogKeyedBackend implements KeyedBackend {
  readonly range: KeyGroupRange;
  readonly expiryCleanUps: ExpiryCleanUps;
  /** Not the nested backend's, which would leave out the log. */
  readonly incremental: IncrementalSnapshots | null;
  readonly log: ChangeLog;
  private readonly nested: KeyedBackend;
  private readonly maxParallelism: number;
  private readonly materialization: Materialization;
  private readonly loggedTimers: LoggedTimers;
  /** By their number in the log. */
  private readonly states: SectionState[] = [];
  private readonly bound: Map<string, NamespacedState<unknown>> = new Map();
  /** What the restored sections say of states. */
  private readonly restoredStates: SectionState[] = [];
  private readonly uploads: UploadedFiles<string> = new UploadedFiles();

  constructor(nested: KeyedBackend, options: ChangelogKeyedBackendOptions) {
    this.range = nested.range;
    this.nested = nested;
    const { expiryCleanUps } = nested;
    this.expiryCleanUps = { ...expiryCleanUps, backend: `changelog:${expiryCleanUps.backend}` };
    this.maxParallelism = options.maxParallelism;
    this.log = new ChangeLog(options.maxParallelism);
    const afterBytes = options.materializeAfterBytes ?? MATERIALIZE_AFTER_BYTES;
    this.materialization = new Materialization(nested, this.log, afterBytes, options.sharing !== undefined);
    this.loggedTimers = new LoggedTimers(nested.timers(), this.log);
    const sharing = options.sharing ?? null;
    this.incremental = sharing === null ? null : {
      snapshot: (checkpointId) => this.increment(checkpointId, sharing),
      restore: (snapshots, areKept = false) => this.restoreIncrements(snapshots, sharing, areKept),
    };
  }

  get watermarkMs(): TimestampMs {
    return this.nested.watermarkMs;
  }

  set watermarkMs(watermarkMs: TimestampMs) {
    this.nested.watermarkMs = watermarkMs;
  }

  setCurrentKey(key: Key): void {
    this.log.currentKey = key;
    this.nested.setCurrentKey(key);
  }

  currentKey(): Key {
    return this.nested.currentKey();
  }

  bind<S>(descriptor: StateDescriptor<S>): NamespacedState<S> {
    const isFolding = descriptor.kind === "reducing" || descriptor.kind === "aggregating";
    const nested = this.nested.bind(isFolding ? { ...descriptor, fold: REPLACING_FOLD } : descriptor);
    let state = this.bound.get(descriptor.name);
    if (state === undefined) {
      state = this.logged(nested, descriptor, this.register(descriptor));
      this.bound.set(descriptor.name, state);
    }
    // The descriptor's kind decides which primitive S is.
    return state as NamespacedState<S>;
  }

  timers(): TimerStore {
    return this.loggedTimers;
  }

  snapshot(): SnapshotWriter {
    return this.nested.snapshot();
  }

  checkpoint(checkpointId: CheckpointId): SnapshotWriter {
    const { materialization, log, nested, states, range, maxParallelism } = this;
    const now = log.seal();
    materialization.prefersNative = false;
    const { usableBase } = materialization;
    const sections = usableBase?.sections ?? null;
    const position = usableBase === null || sections === null ? now : usableBase.position;
    // A base that this checkpoint cannot stand on is of no use to those after it either.
    if (usableBase !== null && sections === null) materialization.invalidate();
    const materializationId = materialization.base.id;
    materialization.captureFor(checkpointId, sections === null ? 0 : materializationId, position);
    return new ChangelogCheckpointWriter({
      maxParallelism,
      range,
      watermarkMs: nested.watermarkMs,
      materializationId,
      baseSqn: position.sqn,
      states,
      stateCount: states.length,
      base: sections ?? nested.snapshot(),
      log: log.sealedFrom(position),
    });
  }

  restore(pieces: readonly Uint8Array[]): void {
    const sections = restoredSections(pieces, this.range, this.maxParallelism);
    this.nested.restore(sections);
    this.materialization.restored(sections, null);
    for (const section of sections) this.restoredStates.push(...new KeyedSectionReader(section).states);
  }

  notifyComplete(checkpointId: CheckpointId): void {
    this.materialization.complete(checkpointId);
    this.uploads.confirm(checkpointId);
  }

  notifyAborted(checkpointId: CheckpointId): void {
    this.materialization.abort(checkpointId);
    this.uploads.forget(checkpointId);
  }

  get needsMaintenance(): boolean {
    return this.materialization.isDue || this.nested.needsMaintenance;
  }

  maintain(): void {
    if (this.nested.needsMaintenance) this.nested.maintain();
    if (this.materialization.isDue) this.materialization.advance();
  }

  statistics(): Readonly<Record<string, number>> {
    return { ...this.nested.statistics(), materializations: this.materialization.base.id };
  }

  entries(files: QuietFiles): readonly KeyedEntry[] {
    return this.nested.entries(files);
  }

  inspectTimers(): { readonly eventTime: readonly Timer[]; readonly processingTime: readonly Timer[] } {
    return this.nested.inspectTimers();
  }

  dispose(): void {
    this.materialization.cancel();
    this.nested.dispose();
  }

  private increment(checkpointId: CheckpointId, { storeId }: ChangelogSharing): IncrementalSnapshotWriter {
    const { materialization, log, nested, range, maxParallelism } = this;
    const now = log.seal();
    materialization.prefersNative = true;
    const { usableBase } = materialization;
    const position = usableBase === null ? now : usableBase.position;
    materialization.captureFor(checkpointId, usableBase === null ? 0 : usableBase.id, position);
    const { all, first, end } = log.sealedFrom(position);
    const parts: LogPart[] = [];
    for (let i = first; i < end; i++) {
      const segment = all[i]!;
      parts.push({ content: `log:${segment.fromSqn}`, segment });
    }
    const captured = {
      checkpointId,
      namePrefix: `${storeId}-log-${checkpointId}`,
      maxParallelism,
      range,
      watermarkMs: nested.watermarkMs,
      base: usableBase === null ? nested.snapshot() : usableBase.increment,
      log: { states: this.states.slice(), baseSqn: position.sqn, parts },
    };
    return new IncrementWriter(captured, this.uploads);
  }

  private restoreIncrements(snapshots: readonly (readonly StoreFile[])[], sharing: ChangelogSharing, areKept: boolean): void {
    const { range, maxParallelism } = this;
    const increments = snapshots.map((files) => new ChangelogIncrement(files));
    const sections: Uint8Array[] = [];
    for (const one of increments) {
      invariant(one.maxParallelism === maxParallelism, "state is restored with its max parallelism");
      sections.push(...incrementSections(one, range, sharing.openTemporary));
    }
    const merged = restoredSections(sections, range, maxParallelism);
    this.nested.restore(merged);
    const whole = increments.length === 1 ? increments[0]! : null;
    const isWhole = whole !== null && whole.range.start === range.start && whole.range.end === range.end;
    this.materialization.restored(merged, isWhole ? { isNative: whole.isNative, parts: whole.base, logs: whole.logs } : null);
    if (isWhole && areKept) this.uploads.restored(withoutBytes(whole.files));
    for (const section of merged) this.restoredStates.push(...new KeyedSectionReader(section).states);
  }

  /** Gives a state its number in the log. */
  private register({ kind, name, serializer, keySerializer }: StateDescriptor<unknown>): number {
    const state: SectionState = { kind, name, serializer, keySerializer };
    const isOther = (before: SectionState): boolean => before.name === name && !isReadableAs(before, state);
    if (this.restoredStates.some(isOther)) this.materialization.invalidate();
    this.states.push(state);
    return this.states.length - 1;
  }

  private logged(nested: NamespacedState<any>, descriptor: StateDescriptor<any>, index: number): NamespacedState<any> {
    const { kind, name, keySerializer } = descriptor;
    const serializer = namedSerializer(descriptor.serializer, name);
    switch (kind) {
      case "value":
        return new LoggedValueState(nested, this.log, index, serializer);
      case "list":
        return new LoggedListState(nested, this.log, index, serializer);
      case "map":
        invariant(keySerializer !== null, "a map state has a serializer of its keys");
        return new LoggedMapState(nested, this.log, index, serializer, namedSerializer(keySerializer, name));
      case "reducing":
      case "aggregating":
        return new FoldingState(new LoggedValueState(new AccumulatorState(nested), this.log, index, serializer), descriptor);
      default:
        return unreachable(kind, "logged state");
    }
  }
}

function withoutBytes(files: ReadonlyMap<string, StoreFile>): ReadonlyMap<string, StoreFile> {
  return new Map([...files].map(([content, file]) => [content, { ...file, bytes: null }]));
}
