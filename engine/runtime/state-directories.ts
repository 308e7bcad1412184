import type { Disk } from "../ports/disk.ts";
import { removeTree } from "../state/local-directory.ts";

/**
 * Where the disk backends of a worker keep their files: `<working directory>/state/a<attempt>/…`. Nothing in
 * there outlives its attempt, because the checkpoints are what counts: a new process, and a new attempt in the
 * same process, begin by removing what is left of those that are over. Attempts of several regions may live
 * beside each other. The backends make the directories themselves, with all that lie above: the disk may not
 * have let the worker make its own.
 */
export class StateDirectories {
  readonly #disk: Disk;
  readonly #root: string;
  /** Attempts that may have left something. */
  #attempts: readonly number[] = [];

  constructor(disk: Disk, workingDirectory: string) {
    this.#disk = disk;
    this.#root = `${workingDirectory}/state`;
    removeTree(disk, this.#root);
  }

  /** The directory of an attempt. `lives` tells whether a task of another one is still there. */
  of(attempt: number, lives: (attempt: number) => boolean): string {
    if (!this.#attempts.includes(attempt)) {
      for (const over of this.#attempts) if (!lives(over)) removeTree(this.#disk, this.#pathOf(over));
      this.#attempts = [...this.#attempts.filter(lives), attempt];
    }
    return this.#pathOf(attempt);
  }

  #pathOf(attempt: number): string {
    return `${this.#root}/a${attempt}`;
  }
}
