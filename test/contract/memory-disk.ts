import {
  DISK_OK,
  EBADF,
  EEXIST,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
} from "#whitewater/engine/ports/disk.js";
import type { Disk, DiskResult, OpenMode } from "#whitewater/engine/ports/disk.js";
import type { QuietFiles } from "#whitewater/engine/state/ordered-store.js";

class MemoryFile {
  bytes: Uint8Array = new Uint8Array(0);
  size = 0;

  resize(size: number): void {
    if (size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.bytes.length * 2, 256));
      grown.set(this.bytes.subarray(0, this.size));
      this.bytes = grown;
    } else if (size < this.size) {
      this.bytes.fill(0, size, this.size);
    }
    this.size = size;
  }
}

/** What a call does instead of its work: a code it returns, or an error it throws. */
export type DiskFailure = DiskResult | Error;

/**
 * A sound disk in memory that counts its calls, can fail any of them, and can read short. Nothing is ever
 * lost on it: what fsyncs are for is tested elsewhere.
 */
export class MemoryDisk implements Disk {
  /** Calls so far, inspection left out. */
  calls = 0;
  /** Bytes written so far. */
  bytesWritten = 0;
  /** Calls from this one on (the first is 1) fail with `failure`, as many as `failures` says. */
  failFrom: number = Infinity;
  failures: number = 1;
  failure: DiskFailure = 0;
  /** Most bytes that one read gives. */
  readLimitBytes: number = Infinity;
  private readonly files: Map<string, MemoryFile> = new Map();
  private readonly directories: Set<string> = new Set(["/"]);
  private readonly descriptors: Map<number, MemoryFile> = new Map();
  private nextDescriptor = 3;

  /** Reads files for inspection: no call of the disk. */
  readonly quiet: QuietFiles = {
    read: (path: string): Uint8Array | null => {
      const file = this.files.get(path);
      return file === undefined ? null : file.bytes.subarray(0, file.size);
    },
  };

  get openDescriptors(): number {
    return this.descriptors.size;
  }

  /** Paths of all files, sorted. */
  paths(): readonly string[] {
    return [...this.files.keys()].sort();
  }

  /** Paths of all directories but the root, sorted. */
  directoryPaths(): readonly string[] {
    return [...this.directories].filter((path) => path !== "/").sort();
  }

  sizeOf(path: string): number {
    return this.files.get(path)?.size ?? 0;
  }

  /** Flips bits of one byte of a file, behind everybody's back. */
  damage(path: string, at: number, mask: number): void {
    this.files.get(path)!.bytes[at]! ^= mask;
  }

  open(path: string, mode: OpenMode): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    if (this.directories.has(path)) return EISDIR;
    let file = this.files.get(path);
    if (file === undefined) {
      if (mode !== "create") return ENOENT;
      const parent = this.checkParent(path);
      if (parent !== DISK_OK) return parent;
      file = new MemoryFile();
      this.files.set(path, file);
    } else if (mode === "create") {
      file.resize(0);
    }
    this.descriptors.set(this.nextDescriptor, file);
    return this.nextDescriptor++;
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    const file = this.descriptors.get(descriptor);
    if (file === undefined) return EBADF;
    const count = Math.max(0, Math.min(length, file.size - position, this.readLimitBytes));
    target.set(file.bytes.subarray(position, position + count), offset);
    return count;
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    const file = this.descriptors.get(descriptor);
    if (file === undefined) return EBADF;
    if (position + length > file.size) file.resize(position + length);
    file.bytes.set(source.subarray(offset, offset + length), position);
    this.bytesWritten += length;
    return length;
  }

  truncate(descriptor: number, size: number): DiskResult {
    return this.withFile(descriptor, (file) => {
      file.resize(size);
      return DISK_OK;
    });
  }

  size(descriptor: number): DiskResult {
    return this.withFile(descriptor, (file) => file.size);
  }

  fsync(descriptor: number): DiskResult {
    return this.withFile(descriptor, () => DISK_OK);
  }

  close(descriptor: number): DiskResult {
    const failed = this.enter();
    // As on Linux, a descriptor is gone even where closing it reports an error.
    const isOpen = this.descriptors.delete(descriptor);
    if (failed !== DISK_OK) return failed;
    return isOpen ? DISK_OK : EBADF;
  }

  makeDirectory(path: string): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    if (this.directories.has(path) || this.files.has(path)) return EEXIST;
    const parent = this.checkParent(path);
    if (parent !== DISK_OK) return parent;
    this.directories.add(path);
    return DISK_OK;
  }

  fsyncDirectory(path: string): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    return this.directories.has(path) ? DISK_OK : ENOENT;
  }

  rename(from: string, to: string): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    const file = this.files.get(from);
    if (file === undefined) return this.directories.has(from) ? EISDIR : ENOENT;
    const parent = this.checkParent(to);
    if (parent !== DISK_OK) return parent;
    if (this.directories.has(to)) return EISDIR;
    this.files.delete(from);
    this.files.set(to, file);
    return DISK_OK;
  }

  link(existing: string, added: string): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    const file = this.files.get(existing);
    if (file === undefined) return ENOENT;
    if (this.files.has(added) || this.directories.has(added)) return EEXIST;
    const parent = this.checkParent(added);
    if (parent !== DISK_OK) return parent;
    this.files.set(added, file);
    return DISK_OK;
  }

  unlink(path: string): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    if (this.directories.has(path)) return EISDIR;
    return this.files.delete(path) ? DISK_OK : ENOENT;
  }

  removeDirectory(path: string): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    if (this.files.has(path)) return ENOTDIR;
    if (!this.directories.has(path)) return ENOENT;
    if (this.namesIn(path).length > 0) return ENOTEMPTY;
    this.directories.delete(path);
    return DISK_OK;
  }

  list(path: string): readonly string[] | DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    if (this.files.has(path)) return ENOTDIR;
    return this.directories.has(path) ? this.namesIn(path) : ENOENT;
  }

  private enter(): DiskResult {
    const { failFrom, failure } = this;
    const call = ++this.calls;
    if (call < failFrom || call >= failFrom + this.failures) return DISK_OK;
    if (failure instanceof Error) throw failure;
    return failure;
  }

  private withFile(descriptor: number, work: (file: MemoryFile) => DiskResult): DiskResult {
    const failed = this.enter();
    if (failed !== DISK_OK) return failed;
    const file = this.descriptors.get(descriptor);
    return file === undefined ? EBADF : work(file);
  }

  private checkParent(path: string): DiskResult {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    if (this.files.has(parent)) return ENOTDIR;
    return this.directories.has(parent) ? DISK_OK : ENOENT;
  }

  private namesIn(path: string): string[] {
    const names: string[] = [];
    const within = path === "/" ? path : `${path}/`;
    for (const other of [...this.files.keys(), ...this.directories]) {
      if (other.length > within.length && other.startsWith(within) && !other.includes("/", within.length)) {
        names.push(other.slice(within.length));
      }
    }
    return names.sort();
  }
}
