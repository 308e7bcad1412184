import { bindState } from "#whitewater/engine/state/bind-state.js";
import { createKeyedBackend } from "#whitewater/engine/state/backends/create-keyed-backend.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StateBackendConfig, StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { randomStream } from "../engine/state/random-stream.ts";
import { DEFAULT_BUDGETS, EVERYTHING } from "./backend-under-test.ts";
import type { BackendUnderTest, OpenOptions } from "./backend-under-test.ts";

/** Little state fills several tables on several levels, many transactions, and many materializations. */
const SMALL: Omit<StateBackendConfig, "name"> = {
  writeBufferBytes: 4096,
  tableBytes: 2048,
  levelOneBytes: 8192,
  blockCacheBytes: 4096,
  materializeAfterBytes: 512,
};

/** A backend as a job's configuration names it, over libraries that were loaded before. */
export function configuredBackend(name: StateBackendName, libraries: StateLibraries): BackendUnderTest {
  return {
    name,
    // What a backend has not got: the heap no files, and alone no increments.
    capabilities: { ...EVERYTHING, disk: !name.endsWith("heap"), incremental: name !== "heap", wholeBases: name === "changelog:heap" },
    budgets: DEFAULT_BUDGETS,
    bind: (backend, descriptor, nowMs) => bindState(backend, descriptor, { processingTimeMs: nowMs }),
    open: ({ range, maxParallelism, seed, nowMs, disk, directory, roomy }: OpenOptions): KeyedBackend =>
      createKeyedBackend({
        config: roomy ? { name } : { name, ...SMALL },
        range,
        maxParallelism,
        tieBreak: randomStream(seed),
        libraries,
        nowMs,
        disk,
        directory: () => directory,
        storeId: directory.slice(1).replaceAll("/", "-"),
        random: () => randomStream(seed),
      }),
  };
}
