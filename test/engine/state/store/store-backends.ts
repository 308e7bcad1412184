import { StoreKeyedBackend } from "#whitewater/engine/state/backends/store/store-keyed-backend.js";
import type { StoreKeyedBackendOptions } from "#whitewater/engine/state/backends/store/store-keyed-backend.js";
import type { KeyedBackend, KeyGroupRange } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import type { Timer } from "#whitewater/engine/state/state.js";
import { randomStream } from "../random-stream.js";
import { MemoryStore } from "./memory-store.js";

export const MAX_PARALLELISM = 16;
export const WHOLE_RANGE: KeyGroupRange = { start: 0, end: MAX_PARALLELISM - 1 };
export const NO_FILES = { read: (): null => null };

/** A backend over a store in memory. */
export function backend(
  range: KeyGroupRange = WHOLE_RANGE,
  seed: number = 1,
  options: Partial<StoreKeyedBackendOptions> = {},
): StoreKeyedBackend {
  return new StoreKeyedBackend({
    name: "memory",
    range,
    maxParallelism: MAX_PARALLELISM,
    tieBreak: randomStream(seed),
    nowMs: () => 0,
    store: new MemoryStore(),
    temporaryStore: () => new MemoryStore(),
    storeId: "a1",
    compactionFilter: null,
    ...options,
  });
}

export function snapshotOf(state: KeyedBackend, budget: number = 3): Uint8Array {
  const writer = state.snapshot();
  while (writer.step(budget) > 0);
  return writer.bytes();
}

/** Files of an incremental snapshot, those of earlier ones filled in from `stored`, where all end up. */
export function filesOf(state: KeyedBackend, checkpointId: number, stored: Map<string, Uint8Array>): readonly StoreFile[] {
  const writer = state.incremental!.snapshot(checkpointId);
  while (writer.step(3) > 0);
  return writer.files().map((file) => {
    if (file.bytes !== null) stored.set(file.name, file.bytes);
    return { ...file, bytes: stored.get(file.name)! };
  });
}

/** Entries without their order. */
export function contents(state: KeyedBackend): readonly string[] {
  const text = (value: unknown): string => JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
  return state.entries(NO_FILES).map(text).sort();
}

export function pollAll(state: KeyedBackend): Timer[] {
  const timers: Timer[] = [];
  for (;;) {
    const timer = state.timers().poll(0, Number.MAX_SAFE_INTEGER);
    if (timer === null) return timers;
    timers.push(timer);
  }
}
