import type { Disk } from "#whitewater/engine/ports/disk.js";
import { isProcessDied } from "#whitewater/engine/ports/process-ports.js";
import { createKeyedBackend } from "#whitewater/engine/state/backends/create-keyed-backend.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { listState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { checkpointed, VALUE } from "./backend-rounds.ts";
import { DyingKernel, DyingProcess } from "./dying-process.ts";
import { Noise, Rows } from "./rows.ts";

const MAX_PARALLELISM = 8;
const KEYS = 100;
const MOST_CALLS = 400;
const OPERATIONS_A_CHECKPOINT = 30;
const CRASHES_A_POWER_LOSS = 5;
const WRITE_BUFFER_BYTES = 4096;
const TABLE_BYTES = 2048;
const LEVEL_ONE_BYTES = 8192;
const CACHE_BYTES = 4096;
const LOG_BYTES = 4096;
const MIB = 1 << 20;

/** Memory of this process after so many crashes of simulated ones, all garbage collected. In MiB. */
export interface MemoryAfter {
  readonly crashes: number;
  readonly residentMib: number;
  readonly heapMib: number;
  /** Array buffers. */
  readonly buffersMib: number;
  /** What SQLite's module took; it never shrinks. Null where it is not loaded. */
  readonly sqliteMib: number | null;
}

export interface CrashMemory {
  readonly name: StateBackendName;
  readonly milliseconds: number;
  readonly checkpoints: number;
  readonly early: MemoryAfter;
  readonly late: MemoryAfter;
}

/**
 * A process that uses a backend on the simulated disk dies at a port call, each time another one; what held it
 * is let go, as the World does; the next one removes what it left, restores the last checkpoint and goes on.
 * Every fifth time the power fails too. Memory at a tenth of the crashes and at the end.
 */
export function measureCrashes(name: StateBackendName, crashes: number, libraries: StateLibraries): CrashMemory {
  const host = new CrashingHost(name, libraries);
  const startedMs = performance.now();
  const tenth = Math.ceil(crashes / 10);
  for (let crash = 1; crash <= tenth; crash += 1) host.crashOnce(crash);
  const early = memoryAfter(tenth, libraries);
  for (let crash = tenth + 1; crash <= crashes; crash += 1) host.crashOnce(crash);
  const late = memoryAfter(crashes, libraries);
  return { name, milliseconds: performance.now() - startedMs, checkpoints: host.checkpoints, early, late };
}

class CrashingHost {
  checkpoints = 0;
  readonly #name: StateBackendName;
  readonly #libraries: StateLibraries;
  readonly #noise: Noise = new Noise(1);
  readonly #host = { name: "host", up: true };
  readonly #disk: SimulatedDisk = new SimulatedDisk(new DyingKernel(this.#noise), this.#host);
  readonly #rows: Rows = new Rows(KEYS, 0);
  #section: Uint8Array | null = null;

  constructor(name: StateBackendName, libraries: StateLibraries) {
    this.#name = name;
    this.#libraries = libraries;
  }

  crashOnce(crash: number): void {
    const process = new DyingProcess(this.#host, crash, 1 + this.#noise.below(MOST_CALLS));
    const disk = this.#disk.portFor(process);
    try {
      removeLeftovers(disk);
      this.#use(this.#open(disk, crash), process);
    } catch (error) {
      if (!isProcessDied(error)) throw error;
    }
    this.#libraries.sqlite?.abandon(disk);
    if (crash % CRASHES_A_POWER_LOSS === 0) this.#disk.powerLoss();
  }

  #open(disk: Disk, crash: number): KeyedBackend {
    return createKeyedBackend({
      config: {
        name: this.#name,
        writeBufferBytes: WRITE_BUFFER_BYTES,
        tableBytes: TABLE_BYTES,
        levelOneBytes: LEVEL_ONE_BYTES,
        blockCacheBytes: CACHE_BYTES,
        materializeAfterBytes: LOG_BYTES,
      },
      range: { start: 0, end: MAX_PARALLELISM - 1 },
      maxParallelism: MAX_PARALLELISM,
      tieBreak: this.#noise,
      libraries: this.#libraries,
      nowMs: () => 0,
      disk,
      directory: () => `/attempt-${crash}`,
      storeId: `attempt-${crash}`,
      random: () => this.#noise,
    });
  }

  /** Until the process dies. */
  #use(backend: KeyedBackend, process: DyingProcess): never {
    if (this.#section !== null) backend.restore([this.#section]);
    const { state: value } = backend.bind(VALUE);
    const { state: list } = backend.bind(listState<number>("list"));
    for (let operation = 1; ; operation += 1) {
      process.countDown();
      const row = this.#noise.below(KEYS);
      backend.setCurrentKey(row);
      if (value.value() === null || operation % 2 === 0) value.update(this.#rows.value(operation));
      if (list.get().length < 5) list.add(operation);
      else list.clear();
      if (backend.needsMaintenance) backend.maintain();
      if (operation % OPERATIONS_A_CHECKPOINT !== 0) continue;
      this.checkpoints += 1;
      this.#section = checkpointed(backend, this.checkpoints).section;
      backend.notifyComplete(this.checkpoints);
    }
  }
}

function removeLeftovers(disk: Disk): void {
  const names = disk.list("/");
  if (typeof names === "number") return;
  for (const name of names) removeDirectory(disk, `/${name}`);
}

function removeDirectory(disk: Disk, path: string): void {
  const names = disk.list(path);
  if (typeof names === "number") return;
  for (const name of names) if (disk.unlink(`${path}/${name}`) < 0) removeDirectory(disk, `${path}/${name}`);
  disk.removeDirectory(path);
  disk.fsyncDirectory("/");
}

function memoryAfter(crashes: number, { sqlite }: StateLibraries): MemoryAfter {
  // Twice: what the first one finds dead may have kept buffers.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    crashes,
    residentMib: rss / MIB,
    heapMib: heapUsed / MIB,
    buffersMib: arrayBuffers / MIB,
    sqliteMib: sqlite === null ? null : sqlite.memoryBytes / MIB,
  };
}
