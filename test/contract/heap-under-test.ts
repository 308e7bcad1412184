import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { randomStream } from "../engine/state/random-stream.ts";
import { DEFAULT_BUDGETS, EVERYTHING } from "./backend-under-test.ts";
import type { BackendUnderTest, OpenOptions } from "./backend-under-test.ts";

export const heapUnderTest: BackendUnderTest = {
  name: "heap",
  capabilities: { ...EVERYTHING, folds: false, merging: false, schemas: false, ttl: false, incremental: false, disk: false },
  budgets: DEFAULT_BUDGETS,
  open({ range, maxParallelism, seed }: OpenOptions): KeyedBackend {
    return new HeapKeyedBackend({ range, maxParallelism, tieBreak: randomStream(seed) });
  },
  bind: (backend, descriptor) => backend.bind(descriptor),
};
