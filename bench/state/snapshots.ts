import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { median } from "../rounds.ts";
import { checkpointed, timePuts, VALUE } from "./backend-rounds.ts";
import { BackendHost } from "./bench-backend.ts";
import { Rows, shuffled } from "./rows.ts";

const SNAPSHOTS = 21;
const ENTRIES_A_STEP = 1000;

/** The synchronous part of the heap's snapshot, by the size of the state. */
export interface HeapSnapshot {
  readonly keys: number;
  /** Median and greatest of several. */
  readonly syncUs: number;
  readonly worstUs: number;
}

export function measureHeapSnapshots(sizes: readonly number[], libraries: StateLibraries): readonly HeapSnapshot[] {
  return sizes.map((keys): HeapSnapshot => {
    const host = new BackendHost(libraries);
    const backend = host.open("heap");
    const rows = new Rows(keys, 1);
    timePuts(backend, rows);
    // Once to the end, which compiles what the counted ones run.
    checkpointed(backend, 1);
    const times: number[] = [];
    for (let turn = 0; turn < SNAPSHOTS; turn += 1) {
      globalThis.gc?.();
      const startedMs = performance.now();
      const writer = backend.snapshot();
      times.push((performance.now() - startedMs) * 1000);
      writer.cancel();
    }
    backend.dispose();
    host.remove();
    return { keys, syncUs: median(times), worstUs: Math.max(...times) };
  });
}

/** What an incremental snapshot wrote after so many keys had changed. */
export interface Increment {
  readonly name: "lsm" | "sqlite";
  readonly keys: number;
  readonly changed: number;
  /** Bytes of the files that came with bytes. */
  readonly writtenBytes: number;
  /** Bytes of all files that a restore needs. */
  readonly stateBytes: number;
  readonly syncUs: number;
  readonly snapshotMs: number;
  /** Restore from the files; of the last increment only, else null. */
  readonly restoreMs: number | null;
}

/** Changes so many keys, anywhere in the state, before each snapshot; every snapshot is confirmed. */
export function measureIncrements(
  name: "lsm" | "sqlite",
  keys: number,
  changes: readonly number[],
  libraries: StateLibraries,
): readonly Increment[] {
  const host = new BackendHost(libraries);
  const backend = host.open(name);
  const rows = new Rows(keys, 1);
  timePuts(backend, rows);
  while (backend.needsMaintenance) backend.maintain();
  const shelf = new Map<string, Uint8Array>();
  const measured: Increment[] = [];
  const all = [keys, ...changes];
  let files: readonly StoreFile[] = [];
  all.forEach((changed, index) => {
    if (index > 0) change(backend, rows, changed, index);
    const taken = incremental(backend, index + 1);
    files = taken.files;
    const written = files.filter((file) => file.bytes !== null);
    for (const file of written) shelf.set(file.name, file.bytes as Uint8Array);
    const sizes = { writtenBytes: sumOf(written), stateBytes: sumOf(files) };
    measured.push({ name, keys, changed, ...sizes, syncUs: taken.syncUs, snapshotMs: taken.snapshotMs, restoreMs: null });
  });
  backend.dispose();
  globalThis.gc?.();
  const restored = host.open(name);
  const whole = files.map((file) => ({ ...file, bytes: file.bytes ?? (shelf.get(file.name) as Uint8Array) }));
  const startedMs = performance.now();
  restored.incremental?.restore([whole]);
  const restoreMs = performance.now() - startedMs;
  restored.dispose();
  host.remove();
  return measured.map((one, index) => (index + 1 === measured.length ? { ...one, restoreMs } : one));
}

function sumOf(files: readonly StoreFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

function change(backend: KeyedBackend, rows: Rows, changed: number, turn: number): void {
  const { state } = backend.bind(VALUE);
  for (const row of shuffled(rows.count, changed, 100 + turn)) {
    backend.setCurrentKey(row);
    state.update(rows.value(row + turn));
  }
  while (backend.needsMaintenance) backend.maintain();
}

function incremental(
  backend: KeyedBackend,
  checkpointId: number,
): { readonly files: readonly StoreFile[]; readonly syncUs: number; readonly snapshotMs: number } {
  const startedMs = performance.now();
  const writer = backend.incremental?.snapshot(checkpointId);
  if (writer === undefined) throw new Error("the backend has no incremental snapshots");
  const syncUs = (performance.now() - startedMs) * 1000;
  while (writer.step(ENTRIES_A_STEP) > 0);
  const files = writer.files();
  const snapshotMs = performance.now() - startedMs;
  writer.cancel();
  backend.notifyComplete(checkpointId);
  return { files, syncUs, snapshotMs };
}
