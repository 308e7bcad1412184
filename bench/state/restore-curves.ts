import { rmSync } from "node:fs";
import { LocalCopies } from "#whitewater/engine/checkpoint/local-copies.js";
import { handleOf } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import { RESTORE_STRATEGIES, invalidCombination } from "#whitewater/engine/graph/job-modes.js";
import type { RestoreStrategyName } from "#whitewater/engine/graph/job-modes.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { STATE_BACKENDS } from "#whitewater/engine/state/state-backend.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { NodeDisk } from "../node-disk.ts";
import { median } from "../rounds.ts";
import { checkpointed, requireRows, timePuts, VALUE } from "./backend-rounds.ts";
import { BackendHost } from "./bench-backend.ts";
import { benchDirectory } from "./row-stores.ts";
import { Rows, shuffled } from "./rows.ts";

const ENTRIES_A_STEP = 1000;
/** Of the keys, so many change between two checkpoints. */
const CHANGED_ONE_IN = 100;
const OWNER = { allocation: 0, vertex: 0, subtask: 0 } as const;
const COPIED_CHECKPOINT = 2;

/** One point of a curve: a backend, a strategy and a number of keys. Medians over the rounds. */
export interface RestorePoint {
  readonly backend: StateBackendName;
  readonly strategy: RestoreStrategyName;
  readonly keys: number;
  /** Of a checkpoint after one key in a hundred changed: until everything that it needs is written. */
  readonly checkpointMs: number;
  /** Written for it: to remote storage, with "local" to the host's disk as well. */
  readonly checkpointBytes: number;
  readonly restoreMs: number;
  /** Read back; with "local" from the host's disk. */
  readonly restoreBytes: number;
}

type Figures = Pick<RestorePoint, "checkpointMs" | "checkpointBytes" | "restoreMs" | "restoreBytes">;

/** Every valid pair of backend and strategy, for each number of keys, in turn. Remote storage is this process's memory. */
export function measureRestores(sizes: readonly number[], libraries: StateLibraries, rounds: number): readonly RestorePoint[] {
  const points: RestorePoint[] = [];
  for (const keys of sizes) {
    const rows = new Rows(keys, Math.min(keys, 100));
    const pairs = STATE_BACKENDS.flatMap((backend) => RESTORE_STRATEGIES.map((strategy) => ({ backend, strategy })));
    const valid = pairs.filter(({ backend, strategy }) => {
      return invalidCombination({ backend, restore: strategy, failover: "job", rescales: false }) === null;
    });
    const measured = valid.map((): Figures[] => []);
    for (let round = 0; round < rounds; round += 1) {
      valid.forEach(({ backend, strategy }, index) => measured[index]?.push(measureOne(backend, strategy, rows, libraries)));
    }
    valid.forEach((pair, index) => points.push({ ...pair, keys, ...medians(measured[index] ?? []) }));
  }
  return points;
}

function medians(rounds: readonly Figures[]): Figures {
  const of = (figure: keyof Figures): number => median(rounds.map((one) => one[figure]));
  return {
    checkpointMs: of("checkpointMs"),
    checkpointBytes: of("checkpointBytes"),
    restoreMs: of("restoreMs"),
    restoreBytes: of("restoreBytes"),
  };
}

function measureOne(name: StateBackendName, strategy: RestoreStrategyName, rows: Rows, libraries: StateLibraries): Figures {
  const host = new BackendHost(libraries);
  const written = host.open(name);
  const restored = host.open(name);
  timePuts(written, rows);
  while (written.needsMaintenance) written.maintain();
  const figures = strategy === "incremental" ? byIncrements(written, restored, rows) : byFiles(written, restored, rows, strategy === "local");
  requireRows(restored, rows);
  written.dispose();
  restored.dispose();
  host.remove();
  return figures;
}

function change(backend: KeyedBackend, rows: Rows): void {
  const { state } = backend.bind(VALUE);
  for (const row of shuffled(rows.count, Math.ceil(rows.count / CHANGED_ONE_IN), 1)) {
    backend.setCurrentKey(row);
    state.update(rows.value(row));
  }
  while (backend.needsMaintenance) backend.maintain();
}

function byFiles(written: KeyedBackend, restored: KeyedBackend, rows: Rows, copies: boolean): Figures {
  checkpointed(written, 1);
  written.notifyComplete(1);
  change(written, rows);
  globalThis.gc?.();
  const directory = benchDirectory();
  const local = copies ? new LocalCopies(new NodeDisk(directory), "/copies") : null;
  const startedMs = performance.now();
  const { section } = checkpointed(written, COPIED_CHECKPOINT);
  const copy = local?.write(OWNER, COPIED_CHECKPOINT, section) ?? null;
  while (copy?.step() === true);
  const checkpointMs = performance.now() - startedMs;
  globalThis.gc?.();
  const restoringMs = performance.now();
  const read = local?.read(0, OWNER, COPIED_CHECKPOINT, { ...handleOf("copy", section), checksum: crc32(section) }) ?? { ok: true, bytes: section };
  if (!read.ok) throw new Error(`the local copy is ${read.fault}`);
  restored.restore([read.bytes]);
  const restoreMs = performance.now() - restoringMs;
  rmSync(directory, { recursive: true });
  return { checkpointMs, checkpointBytes: section.length * (copies ? 2 : 1), restoreMs, restoreBytes: section.length };
}

function byIncrements(written: KeyedBackend, restored: KeyedBackend, rows: Rows): Figures {
  const shelf = new Map<string, Uint8Array>();
  // A second one, because what the first one began (a materialization, compaction) is written once, too.
  for (const checkpointId of [1, 2]) {
    increment(written, checkpointId, shelf);
    while (written.needsMaintenance) written.maintain();
  }
  change(written, rows);
  globalThis.gc?.();
  const startedMs = performance.now();
  const files = increment(written, 3, shelf);
  const checkpointMs = performance.now() - startedMs;
  const whole = files.map((file) => ({ ...file, bytes: file.bytes ?? (shelf.get(file.name) as Uint8Array) }));
  globalThis.gc?.();
  const restoringMs = performance.now();
  restored.incremental?.restore([whole]);
  const restoreMs = performance.now() - restoringMs;
  return { checkpointMs, checkpointBytes: sizeOf(files.filter(({ bytes }) => bytes !== null)), restoreMs, restoreBytes: sizeOf(files) };
}

function increment(backend: KeyedBackend, checkpointId: number, shelf: Map<string, Uint8Array>): readonly StoreFile[] {
  const writer = backend.incremental?.snapshot(checkpointId);
  if (writer === undefined) throw new Error("the backend has no incremental snapshots");
  while (writer.step(ENTRIES_A_STEP) > 0);
  const files = writer.files();
  for (const { name, bytes } of files) if (bytes !== null) shelf.set(name, bytes);
  writer.cancel();
  backend.notifyComplete(checkpointId);
  return files;
}

function sizeOf(files: readonly StoreFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}
