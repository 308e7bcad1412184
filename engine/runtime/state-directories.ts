import type { Disk } from "../ports/disk.ts";
import { EEXIST } from "../ports/disk.ts";
import { removeTree } from "../state/local-directory.ts";
import { StateStorageError } from "../state/state-errors.ts";

/**
 * Where the disk backends of a worker keep their files: `<working directory>/state/a<attempt>/…`. Nothing in
 * there outlives its attempt, because the checkpoints are what counts: a new process, and a new attempt in the
 * same process, begin by removing what earlier ones left.
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

  /** The directory of an attempt, made where it is not there yet. Throws StateStorageError. */
  of(attempt: number): string {
    const path = `${this.#root}/a${attempt}`;
    if (this.#attempt === attempt) return path;
    removeTree(this.#disk, this.#root);
    this.#make(this.#root);
    this.#make(path);
    this.#attempt = attempt;
    return path;
  }

  #make(path: string): void {
    const result = this.#disk.makeDirectory(path);
    if (result < 0 && result !== EEXIST) throw new StateStorageError("io", path, `the directory cannot be made (${result})`);
  }
}
