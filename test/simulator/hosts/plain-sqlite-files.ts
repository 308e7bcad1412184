import type { Disk } from "#whitewater/engine/ports/disk.js";
import { DISK_OK, ENOENT } from "#whitewater/engine/ports/disk.js";
import { readFully, writeFully } from "#whitewater/engine/state/backends/sqlite/whole-file-io.js";
import type { VfsFile, VfsFiles } from "#whitewater/engine/state/backends/sqlite/vfs-volume.js";
import {
  SQLITE_CANTOPEN,
  SQLITE_IOERR_DELETE,
  SQLITE_IOERR_FSYNC,
  SQLITE_IOERR_READ,
  SQLITE_IOERR_SHORT_READ,
  SQLITE_IOERR_TRUNCATE,
  SQLITE_IOERR_WRITE,
  SQLITE_OK,
  SQLITE_OPEN_CREATE,
} from "#whitewater/engine/state/backends/sqlite/sqlite-codes.js";

/**
 * Files of a directory as SQLite's own VFS for Unix treats them: nothing is checked, nothing is added. A file that
 * was created has its name made durable with its first fsync. A removed journal's name is made durable at once:
 * SQLite asks for that with synchronous=EXTRA alone, and says that otherwise the last commit may be undone.
 */
export class PlainFiles implements VfsFiles {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  open(name: string | null, flags: number): VfsFile | number {
    if (name === null) return SQLITE_CANTOPEN;
    const path = this.#pathOf(name);
    const existing = this.#disk.open(path, "write");
    if (existing >= 0) return new PlainFile(this.#disk, existing, null);
    if (existing !== ENOENT || (flags & SQLITE_OPEN_CREATE) === 0) return SQLITE_CANTOPEN;
    const created = this.#disk.open(path, "create");
    return created < 0 ? SQLITE_CANTOPEN : new PlainFile(this.#disk, created, this.#directory);
  }

  remove(name: string): number {
    const removed = this.#disk.unlink(this.#pathOf(name));
    if (removed === ENOENT) return SQLITE_OK;
    return removed === DISK_OK && this.#disk.fsyncDirectory(this.#directory) === DISK_OK ? SQLITE_OK : SQLITE_IOERR_DELETE;
  }

  exists(name: string): number {
    const descriptor = this.#disk.open(this.#pathOf(name), "read");
    if (descriptor < 0) return descriptor === ENOENT ? 0 : -1;
    this.#disk.close(descriptor);
    return 1;
  }

  #pathOf(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

class PlainFile implements VfsFile {
  readonly capabilities = 0;
  readonly #disk: Disk;
  readonly #descriptor: number;
  #unnamedIn: string | null;
  #buffer: Uint8Array = new Uint8Array(4096);

  constructor(disk: Disk, descriptor: number, unnamedIn: string | null) {
    this.#disk = disk;
    this.#descriptor = descriptor;
    this.#unnamedIn = unnamedIn;
  }

  bufferFor(length: number): Uint8Array {
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length);
    return this.#buffer;
  }

  read(length: number, position: number): number {
    const buffer = this.bufferFor(length);
    const count = readFully(this.#disk, this.#descriptor, buffer, 0, length, position);
    if (count < 0) return SQLITE_IOERR_READ;
    if (count === length) return SQLITE_OK;
    buffer.fill(0, count, length);
    return SQLITE_IOERR_SHORT_READ;
  }

  write(length: number, position: number): number {
    const result = writeFully(this.#disk, this.#descriptor, this.#buffer, 0, length, position);
    return result < 0 ? SQLITE_IOERR_WRITE : SQLITE_OK;
  }

  truncate(sizeBytes: number): number {
    return this.#disk.truncate(this.#descriptor, sizeBytes) < 0 ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
  }

  sync(): number {
    if (this.#disk.fsync(this.#descriptor) < 0) return SQLITE_IOERR_FSYNC;
    if (this.#unnamedIn !== null && this.#disk.fsyncDirectory(this.#unnamedIn) < 0) return SQLITE_IOERR_FSYNC;
    this.#unnamedIn = null;
    return SQLITE_OK;
  }

  size(): number {
    return this.#disk.size(this.#descriptor);
  }

  close(): number {
    this.#disk.close(this.#descriptor);
    return SQLITE_OK;
  }
}
