import { equal } from "node:assert/strict";
import { inspect } from "node:util";
import type { TimestampMs } from "#whitewater/engine/base/units.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend, KeyGroupRange, SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import type { Key, NamespacedState, Timer, TimerDomain } from "#whitewater/engine/state/state.js";
import { keyGroupOf } from "#whitewater/engine/stream/key-groups.js";
import { MemoryDisk } from "./memory-disk.ts";

/** What a backend can do. A test of what it cannot do is not registered; nothing else is ever left out. */
export interface Capabilities {
  /** Reducing and aggregating state. */
  readonly folds: boolean;
  /** mergeNamespaces of list, reducing and aggregating state. */
  readonly merging: boolean;
  /** Uses the descriptors' serializers, keeps their schemas in snapshots, compares and migrates. */
  readonly schemas: boolean;
  readonly ttl: boolean;
  /** Snapshots of its own that write in proportion to the change. */
  readonly incremental: boolean;
  /** Now and then an increment has all of the state in it. */
  readonly wholeBases: boolean;
  /** Keeps its state in files of the disk that it is given. */
  readonly disk: boolean;
  /** Recognises any damaged byte of its files by a checksum. Without effect where `disk` is false. */
  readonly checksums: boolean;
}

export const EVERYTHING: Capabilities = {
  folds: true,
  merging: true,
  schemas: true,
  ttl: true,
  incremental: true,
  wholeBases: false,
  disk: true,
  checksums: true,
};

/** How much of the expensive tests a backend gets, so that its file stays within its time. */
export interface Budgets {
  readonly manyKeys: number;
  readonly largeValueBytes: number;
  /** Of the bytes of a section or file, one in so many is damaged. */
  readonly damageStride: number;
}

export const DEFAULT_BUDGETS: Budgets = { manyKeys: 20_000, largeValueBytes: 1 << 24, damageStride: 3 };

export interface OpenOptions {
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  /** Of the order of timers of one timestamp. */
  readonly seed: number;
  /** Processing time, for times to live. */
  readonly nowMs: () => TimestampMs;
  /** Fresh for every test; a backend in memory leaves it alone. */
  readonly disk: MemoryDisk;
  /** Not there yet; its parent is. No other backend on the disk has it. */
  readonly directory: string;
  /** Sizes as in earnest; else so small that little state spills, compacts and materializes. */
  readonly roomy: boolean;
}

export interface BackendUnderTest {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly budgets: Budgets;
  open(options: OpenOptions): KeyedBackend;
  /** Binds a state as user code gets it: with its time to live in front. */
  bind<S>(backend: KeyedBackend, descriptor: StateDescriptor<S>, nowMs: () => TimestampMs): NamespacedState<S>;
}

export const MAX_PARALLELISM = 16;
export const WHOLE_RANGE: KeyGroupRange = { start: 0, end: MAX_PARALLELISM - 1 };

/** One host: its disk, its clock, and a directory for each backend that is opened on it. */
export class Host {
  readonly disk: MemoryDisk = new MemoryDisk();
  nowMs: TimestampMs = 0;
  private readonly subject: BackendUnderTest;
  /** Backends that were to be opened so far. */
  opened = 0;

  constructor(subject: BackendUnderTest) {
    this.subject = subject;
    this.disk.makeDirectory("/state");
  }

  open(options: Partial<OpenOptions> = {}): KeyedBackend {
    return this.subject.open({
      range: WHOLE_RANGE,
      maxParallelism: MAX_PARALLELISM,
      seed: 1,
      nowMs: () => this.nowMs,
      disk: this.disk,
      directory: `/state/${++this.opened}`,
      roomy: false,
      ...options,
    });
  }

  bind<S>(backend: KeyedBackend, descriptor: StateDescriptor<S>): NamespacedState<S> {
    return this.subject.bind(backend, descriptor, () => this.nowMs);
  }

  /** A backend that holds what the sections hold. */
  restored(sections: readonly Uint8Array[], options: Partial<OpenOptions> = {}): KeyedBackend {
    const backend = this.open(options);
    backend.restore(sections);
    return backend;
  }

  /** What a backend holds, in a form that is compared and read easily. */
  contents(backend: KeyedBackend): Contents {
    const lines = (values: readonly unknown[]): string[] => values.map(text).sort();
    const { eventTime, processingTime } = backend.inspectTimers();
    return {
      watermarkMs: backend.watermarkMs,
      entries: lines(backend.entries(this.disk.quiet).map(({ state, key, namespace, value }) => [state, key, namespace, value])),
      eventTime: lines(eventTime.map(({ key, namespace, timestampMs }) => [key, namespace, timestampMs])),
      processingTime: lines(processingTime.map(({ key, namespace, timestampMs }) => [key, namespace, timestampMs])),
    };
  }
}

export interface Contents {
  readonly watermarkMs: TimestampMs;
  readonly entries: readonly string[];
  readonly eventTime: readonly string[];
  readonly processingTime: readonly string[];
}

/** Tells apart what differs: -0 and 0, 1 and 1n, lone surrogates. */
export function text(value: unknown): string {
  return inspect(value, { depth: null, breakLength: Infinity, compact: true, maxArrayLength: null, maxStringLength: null, sorted: true });
}

/** Takes a writer to its end; an endless one fails. */
export function finish(writer: SnapshotWriter, entryBudget = 100): Uint8Array {
  let steps = 0;
  while (writer.step(entryBudget) > 0) {
    if (++steps > 10_000_000) throw new Error("the snapshot does not come to its end");
  }
  return writer.bytes();
}

export function snapshotOf(backend: KeyedBackend): Uint8Array {
  const writer = backend.snapshot();
  const bytes = finish(writer);
  writer.cancel();
  return bytes;
}

/** Everything due, in the order in which it comes. */
export function pollAll(backend: KeyedBackend, domain: TimerDomain, upToMs: TimestampMs = Number.MAX_SAFE_INTEGER): Timer[] {
  const timers: Timer[] = [];
  for (;;) {
    const timer = backend.timers().poll(domain, upToMs);
    if (timer === null) return timers;
    timers.push({ key: timer.key, namespace: timer.namespace, timestampMs: timer.timestampMs });
  }
}

/** Does all background work that there is; work without end fails. */
export function maintainFully(backend: KeyedBackend): void {
  for (let slices = 0; backend.needsMaintenance; slices++) {
    if (slices > 100_000) throw new Error("maintenance does not come to its end");
    backend.maintain();
  }
}

export function owns(range: KeyGroupRange, key: Key, maxParallelism: number = MAX_PARALLELISM): boolean {
  const keyGroup = keyGroupOf(key, maxParallelism);
  return keyGroup >= range.start && keyGroup <= range.end;
}

/** The error that `action` throws; fails where it throws none. */
export function errorOf(action: () => void): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** As toEqual, which takes long for long bytes. */
export function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  if (actual !== undefined && expected !== undefined && Buffer.compare(actual, expected) === 0) return;
  equal(actual === undefined ? null : latin1(actual), expected === undefined ? "bytes" : latin1(expected));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
