import type { Disk } from "../ports/disk.ts";
import { removeTree } from "../state/local-directory.ts";

/**
 * Where the disk backends of a worker keep their files: `<working directory>/state/a<attempt>/…`. Nothing in
 * there outlives its attempt, because the checkpoints are what counts: a new process, and a new attempt in the
 * same process, begin by removing what earlier ones left. The backends make the directories themselves, with
 * all that lie above: the disk may not have let the worker make its own.
 */
export class StateDirectories {
  readonly #disk: Disk;
  readonly #root: string;
  #attempt: number | null = null;

  constructor(disk: Disk, workingDirectory: string) {
    this.#disk = disk;
    this.#root = `${workingDirectory}/state`;
    removeTree(disk, this.#root);
  }

  /** The directory of an attempt. */
  of(attempt: number): string {
    if (this.#attempt !== attempt) {
      removeTree(this.#disk, this.#root);
      this.#attempt = attempt;
    }
    return `${this.#root}/a${attempt}`;
  }
}
