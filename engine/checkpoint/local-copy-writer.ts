import { LOCAL_COPY_BYTES_PER_STEP } from "../base/limits.ts";
import type { Disk } from "../ports/disk.ts";

/**
 * Writes one local copy in bounded steps: to a temporary name, then fsync, rename, fsync of the directory. At no
 * moment is there a file of the final name that is not whole; and what the disk refuses leaves nothing behind.
 */
export class LocalCopyWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #path: string;
  readonly #temporary: string;
  readonly #onStored: () => void;
  /** Null: given up. */
  #file: Uint8Array | null;
  #descriptor: number | null = null;
  #written = 0;
  #stored = false;

  /** `file` is null where there is nowhere to write to. */
  constructor(disk: Disk, directory: string, name: string, file: Uint8Array | null, onStored: () => void) {
    this.#disk = disk;
    this.#directory = directory;
    this.#path = `${directory}/${name}`;
    this.#temporary = `${this.#path}.tmp`;
    this.#file = file;
    this.#onStored = onStored;
  }

  /** The copy is there, whole and durable. */
  get isStored(): boolean {
    return this.#stored;
  }

  /** True while there is more to do. */
  step(): boolean {
    const file = this.#file;
    if (file === null || this.#stored) return false;
    if (this.#descriptor === null) {
      const opened = this.#disk.open(this.#temporary, "create");
      if (opened < 0) return this.#giveUp();
      this.#descriptor = opened;
    }
    const end = Math.min(file.length, this.#written + LOCAL_COPY_BYTES_PER_STEP);
    while (this.#written < end) {
      const count = this.#disk.write(this.#descriptor, file, this.#written, end - this.#written, this.#written);
      if (count <= 0) return this.#giveUp();
      this.#written += count;
    }
    return end < file.length ? true : this.#finish(this.#descriptor);
  }

  /** Gives up what is not stored yet. */
  cancel(): void {
    if (!this.#stored) this.#giveUp();
  }

  #finish(descriptor: number): boolean {
    const synced = this.#disk.fsync(descriptor);
    this.#descriptor = null;
    const closed = this.#disk.close(descriptor);
    if (synced < 0 || closed < 0 || this.#disk.rename(this.#temporary, this.#path) < 0) return this.#giveUp();
    // Without it a power loss may take the name away, which is no more than a missing copy.
    this.#disk.fsyncDirectory(this.#directory);
    this.#file = null;
    this.#stored = true;
    this.#onStored();
    return false;
  }

  #giveUp(): boolean {
    if (this.#file === null) return false;
    this.#file = null;
    if (this.#descriptor !== null) this.#disk.close(this.#descriptor);
    this.#descriptor = null;
    this.#disk.unlink(this.#temporary);
    return false;
  }
}
