import { invariant, unreachable } from "../../../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../../../base/units.ts";
import type { StateDescriptor, StateFold } from "../../descriptors.ts";
import type { ExpiryCleanUps } from "../../expiry-clean-ups.ts";
import { FoldingState } from "../../folding-state.ts";
import type { KeyedBackend, KeyedEntry, KeyGroupRange, SnapshotWriter } from "../../keyed-backend.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { QuietFiles } from "../../ordered-store.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { Key, NamespacedState, Timer, TimerStore } from "../../state.ts";
import { ChangeLog } from "./change-log.ts";
import { ChangelogCheckpointWriter } from "./checkpoint-writer.ts";
import { LoggedListState } from "./logged-list-state.ts";
import { LoggedMapState } from "./logged-map-state.ts";
import { LoggedTimers } from "./logged-timers.ts";
import { AccumulatorState, LoggedValueState } from "./logged-value-state.ts";
import { Materialization } from "./materialization.ts";
import { namedSerializer } from "./named-serializer.ts";
import { isReadableAs, restoredSections } from "./restored-sections.ts";

/** Logged bytes after which a materialization begins, where nothing else is said. */
const MATERIALIZE_AFTER_BYTES = 1 << 18;

export interface ChangelogKeyedBackendOptions {
  readonly maxParallelism: number;
  readonly materializeAfterBytes?: number;
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
 * and the log since (format: changelog-format; semantics: Flink's ChangelogKeyedStateBackend). Every mutation is
 * applied and logged; reads cost nothing. Nothing is uploaded apart from the checkpoint's own file, so there is
 * no upload whose failure would have to be passed on to the checkpoints that share it.
 *
 * A restore applies the logs before the nested backend sees anything: it gets canonical sections, as if a
 * savepoint had been taken, and these are the base of the checkpoints to come.
 */
export class ChangelogKeyedBackend implements KeyedBackend {
  readonly range: KeyGroupRange;
  /** The nested backend's would leave out the log. */
  readonly incremental = null;
  readonly expiryCleanUps: ExpiryCleanUps;
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

  constructor(nested: KeyedBackend, options: ChangelogKeyedBackendOptions) {
    this.range = nested.range;
    this.nested = nested;
    const { expiryCleanUps } = nested;
    this.expiryCleanUps = { ...expiryCleanUps, backend: `changelog:${expiryCleanUps.backend}` };
    this.maxParallelism = options.maxParallelism;
    this.log = new ChangeLog(options.maxParallelism);
    const afterBytes = options.materializeAfterBytes ?? MATERIALIZE_AFTER_BYTES;
    this.materialization = new Materialization(nested, this.log, afterBytes);
    this.loggedTimers = new LoggedTimers(nested.timers(), this.log);
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
    const { usableBase } = materialization;
    const position = usableBase === null ? now : usableBase.position;
    const materializationId = materialization.base.id;
    materialization.captureFor(checkpointId, usableBase === null ? 0 : materializationId, position);
    return new ChangelogCheckpointWriter({
      maxParallelism,
      range,
      watermarkMs: nested.watermarkMs,
      materializationId,
      baseSqn: position.sqn,
      states,
      stateCount: states.length,
      base: usableBase === null ? nested.snapshot() : usableBase.sections,
      log: log.sealedFrom(position),
    });
  }

  restore(pieces: readonly Uint8Array[]): void {
    const sections = restoredSections(pieces, this.range, this.maxParallelism);
    this.nested.restore(sections);
    this.materialization.restored(sections);
    for (const section of sections) this.restoredStates.push(...new KeyedSectionReader(section).states);
  }

  notifyComplete(checkpointId: CheckpointId): void {
    this.materialization.complete(checkpointId);
  }

  notifyAborted(checkpointId: CheckpointId): void {
    this.materialization.abort(checkpointId);
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
