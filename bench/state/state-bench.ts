import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { STATE_BACKENDS } from "#whitewater/engine/state/state-backend.js";
import { loadSqlite } from "#whitewater/scenarios/load-sqlite.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import type { Target } from "../report.ts";
import { atMost, target } from "../report.ts";
import type { BackendTimes } from "./backend-rounds.ts";
import { measureBackends } from "./backend-rounds.ts";
import type { CrashMemory } from "./crashes.ts";
import { measureCrashes } from "./crashes.ts";
import type { RestorePoint } from "./restore-curves.ts";
import { measureRestores } from "./restore-curves.ts";
import type { StoreTimes } from "./row-store-rounds.ts";
import { measureStores } from "./row-store-rounds.ts";
import { levelMaker, lsmMaker, plainSqliteMaker, sqliteMaker } from "./row-stores.ts";
import { Rows } from "./rows.ts";
import type { HeapSnapshot, Increment } from "./snapshots.ts";
import { measureHeapSnapshots, measureIncrements } from "./snapshots.ts";

const MIB = 1 << 20;
const SMALL = 100_000;
const LARGE = 1_000_000;
const READS = 100_000;
/** So much compiles what runs, on both sides; not counted. */
const WARM_UP_KEYS = 10_000;
/** LevelDB's own, and one that holds everything. */
const CACHES: readonly number[] = [8 * MIB, 256 * MIB];
/** Half a decade apart. */
const RESTORE_SIZES: readonly number[] = [10_000, 30_000, SMALL, 300_000, LARGE];
const HEAP_SIZES: readonly number[] = [10_000, SMALL, LARGE];
const CHANGES: readonly number[] = [100, 1000, 10_000];
/** Of the greater number of keys there is one round for so many of the smaller. */
const ROUNDS_A_LARGE_ONE = 3;
/** A microsecond or two is what the clock and the processor make of it. */
const SYNC_GROWTH = 2;
/** So much larger an increment of 100 changed keys may be with ten times the state: half of what would be in proportion to it. */
const INCREMENT_GROWTH = 5;
const MEMORY_GROWTH = 1.1;

export interface StateDocument {
  readonly stores: readonly StoreTimes[];
  readonly backends: readonly BackendTimes[];
  readonly heapSnapshots: readonly HeapSnapshot[];
  readonly increments: readonly Increment[];
}

export interface Judged<T> {
  readonly document: T;
  readonly targets: readonly Target[];
}

/** Everything about state but the crashes. `most`: the greater number of keys, measured in a third of the rounds. */
export async function measureState(rounds: number, most: number = LARGE): Promise<Judged<StateDocument>> {
  const sizes = [Math.min(SMALL, most), most].filter((keys, index, all) => all.indexOf(keys) === index);
  const libraries = await loadStateLibraries();
  const heapSnapshots = measureHeapSnapshots(HEAP_SIZES.filter((keys) => keys <= most), libraries);
  const increments = (["lsm", "sqlite"] as const).flatMap((name) => {
    return sizes.flatMap((keys) => measureIncrements(name, keys, CHANGES.filter((changed) => changed < keys), libraries));
  });
  const stores: StoreTimes[] = [];
  const backends: BackendTimes[] = [];
  const few = new Rows(WARM_UP_KEYS, WARM_UP_KEYS);
  await measureAllStores(few, 1);
  measureBackends(STATE_BACKENDS, few, libraries, 1);
  for (const keys of sizes) {
    const rows = new Rows(keys, Math.min(keys, READS));
    const counted = keys === sizes[0] ? rounds : Math.ceil(rounds / ROUNDS_A_LARGE_ONE);
    stores.push(...(await measureAllStores(rows, counted)));
    backends.push(...measureBackends(STATE_BACKENDS, rows, libraries, counted));
  }
  const document = { stores, backends, heapSnapshots, increments };
  return { document, targets: stateTargets(document) };
}

async function measureAllStores(rows: Rows, rounds: number): Promise<readonly StoreTimes[]> {
  const sqlite = await loadSqlite();
  const stores: StoreTimes[] = [];
  for (const cacheBytes of CACHES) stores.push(...(await measureStores([lsmMaker(cacheBytes), levelMaker(cacheBytes)], rows, cacheBytes, rounds)));
  const makers = [sqliteMaker(sqlite), plainSqliteMaker(sqlite, false), plainSqliteMaker(sqlite, true)];
  stores.push(...(await measureStores(makers, rows, 128 * MIB, rounds)));
  return stores;
}

function stateTargets({ stores, heapSnapshots, increments }: StateDocument): readonly Target[] {
  const targets: Target[] = [];
  for (const own of stores) {
    const peerName = own.name === "lsm" ? "classic-level" : own.name === "sqlite" ? "SQLite in memory" : null;
    const peer = stores.find(({ name, rows, cacheBytes }) => name === peerName && rows === own.rows && cacheBytes === own.cacheBytes);
    if (peer === undefined) continue;
    const where = `${own.rows.toExponential().replace("+", "")} rows${own.name === "lsm" ? `, cache ${own.cacheBytes / MIB} MiB` : ""}`;
    if (own.name === "lsm") {
      targets.push(target(`lsm / classic-level, getSync, ${where}`, peer.getUs / own.getUs, 1));
      targets.push(target("the same in processor time", peer.getCpuUs / own.getCpuUs, 1));
      targets.push(target(`lsm / classic-level, batch, ${where}`, peer.putUs / own.putUs, 1));
      targets.push(target("the same in processor time", peer.putCpuUs / own.putCpuUs, 1));
    } else {
      targets.push(atMost(`sqlite get, times without our VFS, ${where}`, own.getUs / peer.getUs, 1.5));
      targets.push(atMost(`sqlite put, times without our VFS, ${where}`, own.putUs / peer.putUs, 1.5));
      targets.push(atMost(`sqlite scan, times without our VFS, ${where}`, own.scanUs / peer.scanUs, 1.5));
    }
  }
  const [least, most] = [heapSnapshots.at(0), heapSnapshots.at(-1)];
  if (least !== undefined && most !== undefined) {
    targets.push(atMost(`heap, synchronous part, ${most.keys} keys / ${least.keys}`, most.syncUs / least.syncUs, SYNC_GROWTH));
  }
  for (const name of ["lsm", "sqlite"] as const) {
    const [first, second] = increments.filter((one) => one.name === name && one.changed === CHANGES[0]);
    if (first === undefined || second === undefined) continue;
    const growth = second.writtenBytes / first.writtenBytes;
    targets.push(atMost(`${name}, bytes for ${first.changed} changed keys, ${second.keys} keys / ${first.keys}`, growth, INCREMENT_GROWTH));
  }
  return targets;
}

/** Checkpoint and restore against the size of the state, up to `most` keys. */
export async function measureAllRestores(rounds: number, most: number): Promise<readonly RestorePoint[]> {
  const libraries = await loadStateLibraries();
  measureRestores([WARM_UP_KEYS], libraries, 1);
  return measureRestores(RESTORE_SIZES.filter((keys) => keys <= most), libraries, rounds);
}

/** Memory over so many crashes, with each backend. */
export async function measureAllCrashes(crashes: number): Promise<Judged<readonly CrashMemory[]>> {
  const document: CrashMemory[] = [];
  for (const name of STATE_BACKENDS as readonly StateBackendName[]) document.push(measureCrashes(name, crashes, await loadStateLibraries(name)));
  const targets = document.map(({ name, early, late }) => {
    const growth = (late.heapMib + late.buffersMib) / (early.heapMib + early.buffersMib);
    return atMost(`${name}, memory after ${late.crashes} crashes / ${early.crashes}`, growth, MEMORY_GROWTH);
  });
  return { document, targets };
}
