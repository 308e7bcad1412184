import { mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { bytesSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import type { ValueState } from "#whitewater/engine/state/state.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { median } from "../rounds.ts";
import { BackendHost } from "./bench-backend.ts";
import type { Rows } from "./rows.ts";

const ENTRIES_A_STEP = 1000;
const MAINTAIN_EVERY = 256;
/** One map of so many entries is scanned. */
const MAP_ENTRIES = 10_000;
const MAP_KEY = -1;

/** One backend with one number of keys: medians over the rounds. */
export interface BackendTimes {
  readonly name: StateBackendName;
  readonly keys: number;
  readonly putUs: number;
  readonly getUs: number;
  /** An entry of a map of 10,000. */
  readonly scanUs: number;
  /** The part of a checkpoint that holds up processing, in whole. */
  readonly syncUs: number;
  /** From the start of a checkpoint to its bytes. */
  readonly snapshotMs: number;
  readonly restoreMs: number;
}

type Figure = Exclude<keyof BackendTimes, "name" | "keys">;
type Round = Readonly<Record<Figure, number>>;

const FIGURES: readonly Figure[] = ["putUs", "getUs", "scanUs", "syncUs", "snapshotMs", "restoreMs"];

export const VALUE: StateDescriptor<ValueState<Uint8Array>> = valueState<Uint8Array>("value", null, { serializer: bytesSerializer });
const MAP = mapState<number, Uint8Array>("map", { serializer: bytesSerializer });

/** Lets the backends take turns. */
export function measureBackends(
  names: readonly StateBackendName[],
  rows: Rows,
  libraries: StateLibraries,
  rounds: number,
): readonly BackendTimes[] {
  const all = names.map((): Round[] => []);
  for (let round = 0; round < rounds; round += 1) {
    names.forEach((name, index) => all[index]?.push(measureBackend(name, rows, libraries)));
  }
  return names.map((name, index): BackendTimes => {
    const middle = (figure: Figure): number => median((all[index] ?? []).map((one) => one[figure]));
    const medians = Object.fromEntries(FIGURES.map((figure) => [figure, middle(figure)])) as Round;
    return { name, keys: rows.count, ...medians };
  });
}

function measureBackend(name: StateBackendName, rows: Rows, libraries: StateLibraries): Round {
  const host = new BackendHost(libraries);
  const backend = host.open(name);
  globalThis.gc?.();
  const putUs = timePuts(backend, rows);
  while (backend.needsMaintenance) backend.maintain();
  timeGets(backend, rows);
  const getUs = timeGets(backend, rows);
  const scanUs = timeScan(backend, rows);
  globalThis.gc?.();
  const { syncUs, snapshotMs, section } = checkpointed(backend, 1);
  backend.notifyComplete(1);
  backend.dispose();
  globalThis.gc?.();
  const restored = host.open(name);
  const restoreMs = millisecondsOf(() => restored.restore([section]));
  requireRows(restored, rows);
  restored.dispose();
  host.remove();
  return { putUs, getUs, scanUs, syncUs, snapshotMs, restoreMs };
}

function millisecondsOf(work: () => void): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

export function timePuts(backend: KeyedBackend, rows: Rows): number {
  const { state } = backend.bind(VALUE);
  const tookMs = millisecondsOf(() => {
    for (let i = 0; i < rows.count; i += 1) {
      const row = rows.written[i] as number;
      backend.setCurrentKey(row);
      state.update(rows.value(row));
      if (i % MAINTAIN_EVERY === 0 && backend.needsMaintenance) backend.maintain();
    }
    // Rows that a write buffer holds back are written too.
    backend.snapshot().cancel();
  });
  return (tookMs * 1000) / rows.count;
}

function timeGets(backend: KeyedBackend, rows: Rows): number {
  const { state } = backend.bind(VALUE);
  let found = 0;
  const tookMs = millisecondsOf(() => {
    for (const row of rows.read) {
      backend.setCurrentKey(row);
      if (state.value() !== null) found += 1;
    }
  });
  if (found !== rows.read.length) throw new Error("a backend does not find every key");
  return (tookMs * 1000) / rows.read.length;
}

function timeScan(backend: KeyedBackend, rows: Rows): number {
  const { state } = backend.bind(MAP);
  backend.setCurrentKey(MAP_KEY);
  for (let entry = 0; entry < MAP_ENTRIES; entry += 1) state.put((entry * 7919) % MAP_ENTRIES, rows.value(entry));
  // What lies in a write buffer alone would be no scan of the store.
  checkpointed(backend, 0);
  let seen = 0;
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) times.push(millisecondsOf(() => (seen += state.entries().length)));
  if (seen !== MAP_ENTRIES * times.length) throw new Error("a map has not all entries");
  return (median(times) * 1000) / MAP_ENTRIES;
}

/** The canonical section, or whatever else the backend keeps of a checkpoint. */
export function checkpointed(
  backend: KeyedBackend,
  checkpointId: number,
): { readonly syncUs: number; readonly snapshotMs: number; readonly section: Uint8Array } {
  const startedMs = performance.now();
  const writer = backend.checkpoint(checkpointId);
  const syncMs = performance.now() - startedMs;
  while (writer.step(ENTRIES_A_STEP) > 0);
  const section = writer.bytes();
  return { syncUs: syncMs * 1000, snapshotMs: performance.now() - startedMs, section };
}

export function requireRows(backend: KeyedBackend, rows: Rows): void {
  const { state } = backend.bind(VALUE);
  for (let i = 0; i < 100; i += 1) {
    const row = rows.read[i] as number;
    backend.setCurrentKey(row);
    if (state.value()?.[0] !== rows.value(row)[0]) throw new Error("a restored backend has another value");
  }
}
