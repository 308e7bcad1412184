import { deepEqual } from "node:assert/strict";
import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import type { IncrementalSnapshotWriter, KeyedBackend, SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import type { AggregatingState, Key, ListState, MapState, Namespace, NamespacedState, ReducingState, ValueState } from "#whitewater/engine/state/state.js";
import type { TtlConfig } from "#whitewater/engine/state/ttl-config.js";
import { keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { Host, owns } from "./backend-under-test.ts";
import type { BackendUnderTest, Contents } from "./backend-under-test.ts";
import { KeptFiles } from "./kept-files.ts";

export const FLEET_MAX_PARALLELISM = 8;
export const FLEET_TTL_MS = 10;

const ttl: TtlConfig = {
  ttlMs: FLEET_TTL_MS,
  update: "on-create-and-write",
  visibility: "never-return-expired",
  cleanupInFullSnapshot: true,
  // In the background each backend cleans up when it likes: then bytes differ while every read is equal.
  cleanupIncrementally: 0,
  cleanupInCompaction: false,
};

/** What all the backends of a fleet can do. */
export interface Abilities {
  readonly folds: boolean;
  readonly ttl: boolean;
}

/** One state of each kind. */
export interface BoundStates {
  readonly value: NamespacedState<ValueState<number>>;
  readonly list: NamespacedState<ListState<number>>;
  readonly map: NamespacedState<MapState<number, number>>;
  readonly reducing: NamespacedState<ReducingState<string>> | null;
  readonly aggregating: NamespacedState<AggregatingState<number, string>> | null;
  readonly ttlValue: NamespacedState<ValueState<number>> | null;
  readonly ttlList: NamespacedState<ListState<number>> | null;
  readonly ttlMap: NamespacedState<MapState<number, number>> | null;
}

const joined: StateDescriptor<AggregatingState<number, string>> = aggregatingState("aggregating", {
  createAccumulator: (): readonly number[] => [],
  add: (value: number, all: readonly number[]): readonly number[] => [...all, value],
  getResult: (all: readonly number[]): string => all.join("+"),
  merge: (left: readonly number[], right: readonly number[]): readonly number[] => [...left, ...right],
});

/** What one fleet wrote for one snapshot, a piece a subtask. */
export type SavedPieces = { readonly sections: readonly Uint8Array[] } | { readonly files: readonly (readonly StoreFile[])[] };

interface FlyingPart {
  readonly writer: SnapshotWriter | IncrementalSnapshotWriter;
}

/** The subtasks of one operator on one kind of backend. */
export class Fleet {
  readonly subject: BackendUnderTest;
  readonly host: Host;
  private readonly abilities: Abilities;
  private readonly store: KeptFiles = new KeptFiles();
  private backends: KeyedBackend[] = [];
  private states: BoundStates[] = [];

  constructor(subject: BackendUnderTest, abilities: Abilities) {
    this.subject = subject;
    this.abilities = abilities;
    this.host = new Host(subject);
    this.start(1, null);
  }

  /** Begins an attempt with what was saved. What ran before is over. */
  start(parallelism: number, saved: SavedPieces | null): void {
    for (const backend of this.backends) backend.dispose();
    this.backends = Array.from({ length: parallelism }, (_, index) => {
      const range = keyGroupRange(FLEET_MAX_PARALLELISM, parallelism, index);
      const backend = this.host.open({ range, maxParallelism: FLEET_MAX_PARALLELISM });
      if (saved === null) return backend;
      if ("sections" in saved) backend.restore(saved.sections);
      else backend.incremental!.restore(saved.files.map((files) => this.store.resolved(files)));
      return backend;
    });
    this.states = this.backends.map((backend) => this.bind(backend));
  }

  /** The states of the subtask that owns the key, moved to key and namespace. */
  at(key: Key, namespace: Namespace): BoundStates {
    const index = this.indexOf(key);
    this.backends[index]!.setCurrentKey(key);
    const states = this.states[index]!;
    for (const bound of Object.values(states)) (bound as NamespacedState<unknown> | null)?.setNamespace(namespace);
    return states;
  }

  /** The backend that owns the key, which is its current one now. */
  ownerOf(key: Key): KeyedBackend {
    const backend = this.backends[this.indexOf(key)]!;
    backend.setCurrentKey(key);
    return backend;
  }

  all(): readonly KeyedBackend[] {
    return this.backends;
  }

  /** What the subtasks hold together; without state that has a time to live. */
  contents(): Contents {
    const parts = this.backends.map((backend) => this.host.contents(backend));
    const together = (of: (part: Contents) => readonly string[]): string[] => parts.flatMap(of).sort();
    const watermarks = new Set(parts.map((part) => part.watermarkMs));
    deepEqual([this.subject.name, watermarks.size], [this.subject.name, 1]);
    return {
      watermarkMs: parts[0]?.watermarkMs ?? MIN_WATERMARK,
      entries: together((part) => part.entries).filter((line) => !line.startsWith("[ 'ttl")),
      eventTime: together((part) => part.eventTime),
      processingTime: together((part) => part.processingTime),
    };
  }

  /** A canonical snapshot, or, for a checkpoint, whatever the backend keeps. */
  begin(checkpointId: number, canonical: boolean): FleetSnapshot {
    const parts = this.backends.map((backend): FlyingPart => {
      if (canonical) return { writer: backend.snapshot() };
      return { writer: backend.incremental?.snapshot(checkpointId) ?? backend.checkpoint(checkpointId) };
    });
    return new FleetSnapshot(parts, this.store);
  }

  /** The checkpoint that wrote this completed. */
  complete(checkpointId: number, saved: SavedPieces): void {
    if ("files" in saved) for (const files of saved.files) this.store.confirm(files);
    for (const backend of this.backends) backend.notifyComplete(checkpointId);
  }

  abort(checkpointId: number): void {
    for (const backend of this.backends) backend.notifyAborted(checkpointId);
  }

  private indexOf(key: Key): number {
    return this.backends.findIndex((backend) => owns(backend.range, key, FLEET_MAX_PARALLELISM));
  }

  private bind(backend: KeyedBackend): BoundStates {
    const { folds } = this.abilities;
    const withTtl = this.abilities.ttl;
    return {
      value: this.host.bind(backend, valueState<number>("value")),
      list: this.host.bind(backend, listState<number>("list")),
      map: this.host.bind(backend, mapState<number, number>("map")),
      reducing: folds ? this.host.bind(backend, reducingState<string>("reducing", (left, right) => left + right)) : null,
      aggregating: folds ? this.host.bind(backend, joined) : null,
      ttlValue: withTtl ? this.host.bind(backend, valueState<number>("ttl value", null, { ttl })) : null,
      ttlList: withTtl ? this.host.bind(backend, listState<number>("ttl list", { ttl })) : null,
      ttlMap: withTtl ? this.host.bind(backend, mapState<number, number>("ttl map", { ttl })) : null,
    };
  }
}

/** The snapshot that a fleet's subtasks take together. */
export class FleetSnapshot {
  private readonly parts: readonly FlyingPart[];
  private readonly store: KeptFiles;

  constructor(parts: readonly FlyingPart[], store: KeptFiles) {
    this.parts = parts;
    this.store = store;
  }

  step(entryBudget: number): void {
    for (const { writer } of this.parts) writer.step(entryBudget);
  }

  finish(): SavedPieces {
    const sections: Uint8Array[] = [];
    const files: (readonly StoreFile[])[] = [];
    for (const { writer } of this.parts) {
      while (writer.step(3) > 0);
      if ("bytes" in writer) sections.push(writer.bytes());
      else files.push(writer.files());
      writer.cancel();
    }
    for (const one of files) this.store.add(one);
    return files.length > 0 ? { files } : { sections };
  }

  cancel(): void {
    for (const { writer } of this.parts) writer.cancel();
  }
}
