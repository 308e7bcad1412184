import { bindState } from "#whitewater/engine/state/bind-state.js";
import { CompactionFilter } from "#whitewater/engine/state/backends/store/row-expiry.js";
import { StoreKeyedBackend } from "#whitewater/engine/state/backends/store/store-keyed-backend.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { randomStream } from "../engine/state/random-stream.ts";
import { MemoryStore, StoreWatch } from "../engine/state/store/memory-store.ts";
import { DEFAULT_BUDGETS, EVERYTHING } from "./backend-under-test.ts";
import type { BackendUnderTest, OpenOptions } from "./backend-under-test.ts";

/** It numbers the files of all stores: so no two have one name. */
const watch = new StoreWatch();

/** Rows in the strictest store that the contract of stores allows, in memory. */
export const memoryStoreBackend: BackendUnderTest = {
  name: "rows in memory",
  capabilities: { ...EVERYTHING, disk: false },
  budgets: DEFAULT_BUDGETS,
  bind: (backend, descriptor, nowMs) => bindState(backend, descriptor, { processingTimeMs: nowMs }),
  open({ range, maxParallelism, seed, nowMs, directory }: OpenOptions): KeyedBackend {
    const compactionFilter = new CompactionFilter(maxParallelism, nowMs);
    const store = new MemoryStore(watch);
    store.rowFilter = compactionFilter.accepts;
    return new StoreKeyedBackend({
      name: "memory",
      range,
      maxParallelism,
      tieBreak: randomStream(seed),
      nowMs,
      store,
      temporaryStore: () => new MemoryStore(watch),
      storeId: directory.slice(1).replaceAll("/", "-"),
      compactionFilter,
    });
  },
};
