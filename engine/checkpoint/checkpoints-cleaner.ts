import { invariant } from "../base/assert.ts";

/**
 * Counts the checkpoints whose files are being deleted (Flink: CheckpointsCleaner), so that no new one is triggered
 * while storage falls behind with the old ones.
 */
export class CheckpointsCleaner {
  readonly #onCleaned: () => void;
  #cleaning = 0;

  /** `onCleaned`: after each checkpoint that is gone. */
  constructor(onCleaned: () => void) {
    this.#onCleaned = onCleaned;
  }

  get cleaning(): number {
    return this.#cleaning;
  }

  /** Deletes the parts of one checkpoint; `remove` reports once for each, whether it was deleted or given up. */
  clean<Part>(parts: readonly Part[], remove: (part: Part, done: () => void) => void): void {
    if (parts.length === 0) return;
    this.#cleaning += 1;
    let left = parts.length;
    for (const part of parts) {
      let reported = false;
      remove(part, () => {
        invariant(!reported, "a deletion reports once");
        reported = true;
        left -= 1;
        if (left > 0) return;
        this.#cleaning -= 1;
        this.#onCleaned();
      });
    }
  }
}
