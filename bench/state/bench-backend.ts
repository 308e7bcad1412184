import { rmSync } from "node:fs";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import { createKeyedBackend } from "#whitewater/engine/state/backends/create-keyed-backend.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { NodeDisk } from "../node-disk.ts";
import { benchDirectory } from "./row-stores.ts";
import { Noise } from "./rows.ts";

const MAX_PARALLELISM = 128;

/** Keyed backends with their default sizes, on one directory of the real disk. */
export class BackendHost {
  readonly #root: string = benchDirectory();
  readonly #disk: Disk = new NodeDisk(this.#root);
  readonly #libraries: StateLibraries;
  #opened = 0;

  constructor(libraries: StateLibraries) {
    this.#libraries = libraries;
  }

  open(name: StateBackendName): KeyedBackend {
    this.#opened += 1;
    const id = `backend-${this.#opened}`;
    return createKeyedBackend({
      config: { name },
      range: { start: 0, end: MAX_PARALLELISM - 1 },
      maxParallelism: MAX_PARALLELISM,
      tieBreak: new Noise(1),
      libraries: this.#libraries,
      nowMs: () => 0,
      disk: this.#disk,
      directory: () => `/${id}`,
      storeId: id,
      random: () => new Noise(1),
    });
  }

  remove(): void {
    rmSync(this.#root, { recursive: true });
  }
}
