import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { bindState } from "#whitewater/engine/state/bind-state.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";
import type { TtlConfig } from "#whitewater/engine/state/ttl-config.js";
import { randomStream } from "./random-stream.js";

export const TTL_MS = 100;

/** A heap backend with a clock that a test moves. */
export class TtlBench {
  nowMs = 1000;
  backend: HeapKeyedBackend = this.#create();

  #create(): HeapKeyedBackend {
    const range = { start: 0, end: 15 };
    const made = new HeapKeyedBackend({ range, maxParallelism: 16, tieBreak: randomStream(1), nowMs: () => this.nowMs });
    made.setCurrentKey("k");
    return made;
  }

  /** Of the current key, "k" at first. */
  bind<S>(descriptor: StateDescriptor<S>): S {
    return bindState(this.backend, descriptor, { processingTimeMs: () => this.nowMs }).state;
  }

  /** A new attempt, from a snapshot of now. */
  restore(): void {
    const bytes = this.snapshot();
    this.backend = this.#create();
    this.backend.restore([bytes]);
    this.backend.setCurrentKey("k");
  }

  snapshot(): Uint8Array {
    const writer = this.backend.snapshot();
    while (writer.step(2) > 0);
    return writer.bytes();
  }
}

/** Nothing is cleaned up but by reading. */
export function ttl(options: Partial<TtlConfig> = {}): TtlConfig {
  return ttlConfig({ ttlMs: TTL_MS, cleanupIncrementally: 0, ...options });
}
