import * as fs from "node:fs";
import {
  DISK_OK,
  EBADF,
  EEXIST,
  EINVAL,
  EIO,
  EISDIR,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
} from "#whitewater/engine/ports/disk.js";
import type { Disk, DiskResult, OpenMode } from "#whitewater/engine/ports/disk.js";

const CODES: ReadonlyMap<string, DiskResult> = new Map([
  ["ENOENT", ENOENT],
  ["EIO", EIO],
  ["EBADF", EBADF],
  ["EEXIST", EEXIST],
  ["ENOTDIR", ENOTDIR],
  ["EISDIR", EISDIR],
  ["EINVAL", EINVAL],
  ["ENOSPC", ENOSPC],
  ["EDQUOT", ENOSPC],
  ["ENOTEMPTY", ENOTEMPTY],
]);

const { O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;
const FLAGS: Readonly<Record<OpenMode, number>> = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT | O_TRUNC };

/** What this disk knows of a descriptor. */
const CLOSED = 0;
const READABLE = 1;
const WRITABLE = 2;

/**
 * A directory of this machine as a Disk, for the conformance suite and for benchmarks. Its descriptors are those
 * of the operating system; only those that it opened itself are used. "/" is the directory given.
 */
export class NodeDisk implements Disk {
  readonly #root: string;
  /** By descriptor. */
  #open: Uint8Array = new Uint8Array(1024);

  /** `root`: an existing directory, without a "/" at the end. */
  constructor(root: string) {
    this.#root = root;
  }

  open(path: string, mode: OpenMode): DiskResult {
    try {
      const descriptor = fs.openSync(this.#root + path, FLAGS[mode], 0o644);
      // Linux opens directories for reading.
      if (mode === "read" && fs.fstatSync(descriptor).isDirectory()) {
        fs.closeSync(descriptor);
        return EISDIR;
      }
      this.#remember(descriptor, mode === "read" ? READABLE : WRITABLE);
      return descriptor;
    } catch (error) {
      return codeOf(error);
    }
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    if (!this.#isOpen(descriptor)) return EBADF;
    if (length === 0) return 0;
    try {
      return fs.readSync(descriptor, target, offset, length, position);
    } catch (error) {
      return codeOf(error);
    }
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    if (this.#open[descriptor] !== WRITABLE) return EBADF;
    if (length === 0) return 0;
    try {
      return fs.writeSync(descriptor, source, offset, length, position);
    } catch (error) {
      return codeOf(error);
    }
  }

  truncate(descriptor: number, size: number): DiskResult {
    if (this.#open[descriptor] !== WRITABLE) return EBADF;
    return done(() => fs.ftruncateSync(descriptor, size));
  }

  size(descriptor: number): DiskResult {
    if (!this.#isOpen(descriptor)) return EBADF;
    try {
      return fs.fstatSync(descriptor).size;
    } catch (error) {
      return codeOf(error);
    }
  }

  fsync(descriptor: number): DiskResult {
    if (!this.#isOpen(descriptor)) return EBADF;
    return done(() => fs.fsyncSync(descriptor));
  }

  close(descriptor: number): DiskResult {
    if (!this.#isOpen(descriptor)) return EBADF;
    this.#open[descriptor] = CLOSED;
    return done(() => fs.closeSync(descriptor));
  }

  makeDirectory(path: string): DiskResult {
    return done(() => fs.mkdirSync(this.#root + path));
  }

  fsyncDirectory(path: string): DiskResult {
    return done(() => {
      const descriptor = fs.openSync(this.#root + path, O_RDONLY | O_DIRECTORY);
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  rename(from: string, to: string): DiskResult {
    if (from === "/" || to === "/") return EINVAL;
    const result = done(() => fs.renameSync(this.#root + from, this.#root + to));
    // Some file systems say so of a directory that is not empty.
    return result === EEXIST ? ENOTEMPTY : result;
  }

  link(existing: string, added: string): DiskResult {
    try {
      fs.linkSync(this.#root + existing, this.#root + added);
      return DISK_OK;
    } catch (error) {
      // The operating system's word for "not a directory's link".
      return errorCode(error) === "EPERM" ? EISDIR : codeOf(error);
    }
  }

  unlink(path: string): DiskResult {
    return done(() => fs.unlinkSync(this.#root + path));
  }

  removeDirectory(path: string): DiskResult {
    if (path === "/") return EINVAL;
    return done(() => fs.rmdirSync(this.#root + path));
  }

  list(path: string): readonly string[] | DiskResult {
    try {
      return fs.readdirSync(this.#root + path).sort();
    } catch (error) {
      return codeOf(error);
    }
  }

  /** Closes what is still open, as the end of a process does. */
  closeAll(): void {
    for (let i = 0; i < this.#open.length; i += 1) if (this.#isOpen(i)) this.close(i);
  }

  #isOpen(descriptor: number): boolean {
    const known = this.#open[descriptor];
    return known !== undefined && known !== CLOSED;
  }

  #remember(descriptor: number, state: number): void {
    if (descriptor >= this.#open.length) {
      const grown = new Uint8Array(descriptor * 2);
      grown.set(this.#open);
      this.#open = grown;
    }
    this.#open[descriptor] = state;
  }
}

function done(act: () => void): DiskResult {
  try {
    act();
    return DISK_OK;
  } catch (error) {
    return codeOf(error);
  }
}

/** Only errors of the operating system have a code here; a bug goes on. */
function codeOf(error: unknown): DiskResult {
  const code = errorCode(error);
  if (code === null) throw error;
  return CODES.get(code) ?? EIO;
}

function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
