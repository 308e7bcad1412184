import { unreachable } from "../../base/assert.ts";
import type { Disk } from "../../ports/disk.ts";
import type { RandomStream } from "../../ports/rng.ts";
import type { KeyedBackend, KeyGroupRange } from "../keyed-backend.ts";
import type { BaseBackendName, StateBackendConfig } from "../state-backend.ts";
import type { StateLibraries } from "./state-libraries.ts";
import { HeapKeyedBackend } from "./heap/heap-keyed-backend.ts";

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
  /** Of a disk backend: a path of its own, whose parent exists. Throws StateStorageError. */
  readonly directory: () => string;
  /** Unique among all backends of all attempts of the job. */
  readonly storeId: string;
}

/** Makes the backend that a job asked for; disk backends make their directory. Throws StateStorageError where the disk refuses. */
export function createKeyedBackend(setup: KeyedBackendSetup): KeyedBackend {
  return baseBackend(setup, setup.config.name as BaseBackendName);
}

function baseBackend({ range, maxParallelism, tieBreak, nowMs }: KeyedBackendSetup, name: BaseBackendName): KeyedBackend {
  switch (name) {
    case "heap":
      return new HeapKeyedBackend({ range, maxParallelism, tieBreak, nowMs });
    case "lsm":
    case "sqlite":
      throw new Error("not yet");
    default:
      return unreachable(name, "createKeyedBackend");
  }
}
