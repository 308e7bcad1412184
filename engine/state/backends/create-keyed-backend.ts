import { present, unreachable } from "../../base/assert.ts";
import type { Disk } from "../../ports/disk.ts";
import type { RandomStream } from "../../ports/rng.ts";
import type { KeyedBackend, KeyGroupRange } from "../keyed-backend.ts";
import type { OrderedStore, RowFilter } from "../ordered-store.ts";
import type { BaseBackendName, StateBackendConfig } from "../state-backend.ts";
import { ChangelogKeyedBackend } from "./changelog/changelog-keyed-backend.ts";
import { HeapKeyedBackend } from "./heap/heap-keyed-backend.ts";
import { LsmStore } from "./lsm/lsm-store.ts";
import { SqliteStore } from "./sqlite/sqlite-store.ts";
import type { StateLibraries } from "./state-libraries.ts";
import { CompactionFilter } from "./store/row-expiry.ts";
import { StoreKeyedBackend } from "./store/store-keyed-backend.ts";

/** What a keyed backend of one operator subtask attempt is made of. */
export interface KeyedBackendSetup {
  readonly config: StateBackendConfig;
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  /** Draws the order of timers of one timestamp. */
  readonly tieBreak: RandomStream;
  readonly libraries: StateLibraries;
  readonly nowMs: () => number;
  readonly disk: Disk;
  /** Of a disk backend: a path of its own; it makes what is missing of it. */
  readonly directory: () => string;
  /** Unique among all backends of all attempts of the job. */
  readonly storeId: string;
  /** What a library's own random numbers come from. */
  readonly random: () => RandomStream;
}

/** Makes the backend that a job asked for; disk backends make their directory. Throws StateStorageError where the disk refuses. */
export function createKeyedBackend(setup: KeyedBackendSetup): KeyedBackend {
  const parts = setup.config.name.split(":");
  const baseName = parts.at(-1) as BaseBackendName;
  const base = baseBackend(setup, baseName);
  if (parts[0] !== "changelog") return base;
  const { maxParallelism, config, storeId } = setup;
  const { materializeAfterBytes } = config;
  const openTemporary = (range: KeyGroupRange): KeyedBackend =>
    baseBackend({ ...setup, range, directory: () => `${setup.directory()}-base`, storeId: `${storeId}-base` }, baseName);
  return new ChangelogKeyedBackend(base, {
    maxParallelism,
    sharing: { storeId, openTemporary },
    ...(materializeAfterBytes !== undefined && { materializeAfterBytes }),
  });
}

function baseBackend(setup: KeyedBackendSetup, name: BaseBackendName): KeyedBackend {
  const { range, maxParallelism, tieBreak, nowMs } = setup;
  switch (name) {
    case "heap":
      return new HeapKeyedBackend({ range, maxParallelism, tieBreak, nowMs });
    case "lsm": {
      const filter = new CompactionFilter(maxParallelism, nowMs);
      return storeBackend(setup, name, filter, (directory, storeId) => lsmStore(setup, directory, storeId, filter.accepts));
    }
    case "sqlite":
      return storeBackend(setup, name, null, (directory, storeId) => sqliteStore(setup, directory, storeId));
    default:
      return unreachable(name, "createKeyedBackend");
  }
}

type StoreMaker = (directory: string, storeId: string) => OrderedStore;

function storeBackend(
  setup: KeyedBackendSetup,
  name: BaseBackendName,
  compactionFilter: CompactionFilter | null,
  make: StoreMaker,
): KeyedBackend {
  const { range, maxParallelism, tieBreak, nowMs, storeId } = setup;
  const directory = setup.directory();
  return new StoreKeyedBackend({
    name,
    range,
    maxParallelism,
    tieBreak,
    nowMs,
    store: make(directory, storeId),
    storeId,
    temporaryStore: (name) => make(`${directory}-${name}`, `${storeId}-${name}`),
    compactionFilter,
  });
}

function lsmStore({ config, disk }: KeyedBackendSetup, directory: string, storeId: string, filter: RowFilter): LsmStore {
  const { writeBufferBytes, tableBytes, levelOneBytes, blockCacheBytes } = config;
  return LsmStore.open({
    disk,
    directory,
    storeId,
    snapshotLabel: config.name.startsWith("changelog:") ? "mat" : "chk",
    filter,
    ...(writeBufferBytes !== undefined && { memtableBytes: writeBufferBytes }),
    ...(tableBytes !== undefined && { tableBytes }),
    ...(levelOneBytes !== undefined && { levelOneBytes }),
    ...(blockCacheBytes !== undefined && { blockCacheBytes }),
  });
}

function sqliteStore({ config, disk, libraries, random }: KeyedBackendSetup, directory: string, storeId: string): SqliteStore {
  const { writeBufferBytes } = config;
  return new SqliteStore({
    engine: present(libraries.sqlite, "a run that needs SQLite was given it"),
    disk,
    directory,
    storeId,
    random: random(),
    ...(writeBufferBytes !== undefined && { writeBufferBytes }),
  });
}
