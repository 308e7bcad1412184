import type { Disk } from "../../../ports/disk.ts";
import type { RandomStream } from "../../../ports/rng.ts";

/**
 * A file as SQLite's VFS sees it. Methods return a code of sqlite-codes.ts. Bytes go through `buffer`, from its
 * first byte on: never does a disk call hold the module's memory, which moves when it grows.
 */
export interface VfsFile {
  /** At least as long as the longest read or write so far; asked for anew before each. */
  bufferFor(length: number): Uint8Array;
  /** Fills the buffer. SQLITE_IOERR_SHORT_READ, and zeros in the rest, only behind the true end of the file. */
  read(length: number, position: number): number;
  /** Takes `length` bytes out of the buffer. */
  write(length: number, position: number): number;
  truncate(sizeBytes: number): number;
  sync(): number;
  /** Or a negative number if it cannot be known. */
  size(): number;
  close(): number;
  /** Flags SQLITE_IOCAP_*. */
  readonly capabilities: number;
}

/** The files that belong together: a database and its journal. */
export interface VfsFiles {
  /** `name` as the connection gave it (with "-journal" for its journal), null for a temporary file. */
  open(name: string | null, flags: number): VfsFile | number;
  remove(name: string, syncDirectory: boolean): number;
  /** 1 or 0, or a negative number if it cannot be known. */
  exists(name: string): number;
}

/**
 * What one World's process owns of SQLite: files, the disk behind them and a source of randomness. Every entry
 * into SQLite is made for a volume, and nothing of another volume can be seen in it.
 */
export class VfsVolume {
  readonly files: VfsFiles;
  readonly random: RandomStream;
  /** The port behind the files, by which the volumes of a dead process are found; null: none. */
  readonly disk: Disk | null;
  /** What a method threw first (the process died, or an invariant failed): thrown again once SQLite has returned. */
  thrown: unknown = null;
  /** From now on no method touches the files. */
  dead = false;

  constructor(files: VfsFiles, random: RandomStream, disk: Disk | null) {
    this.files = files;
    this.random = random;
    this.disk = disk;
  }

  caught(error: unknown): void {
    this.thrown ??= error;
    this.dead = true;
  }
}
