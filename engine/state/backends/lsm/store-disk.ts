import type { Disk, DiskResult, OpenMode } from "../../../ports/disk.ts";
import { DISK_OK, EEXIST, ENOENT, ENOSPC } from "../../../ports/disk.ts";
import { StateStorageError, type StateStorageCode } from "../../state-errors.ts";

/**
 * The disk as a store uses it: every refusal becomes a StateStorageError, which is remembered, because after
 * one the store must not be used any more (what is in memory and what is on disk may differ).
 */
export class StoreDisk {
  readonly disk: Disk;
  /** The first error. */
  failure: StateStorageError | null = null;
  private readonly descriptors: Set<number> = new Set();

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Throws the first error again. */
  requireIntact(): void {
    if (this.failure !== null) throw this.failure;
  }

  fail(code: StateStorageCode, path: string, fact: string): never {
    this.failure ??= new StateStorageError(code, path, fact);
    throw this.failure;
  }

  /** The result, which is no error code. */
  check(result: DiskResult, path: string, action: string): number {
    if (result < 0) this.fail(result === ENOSPC ? "no-space" : "io", path, `${action} was refused (${result})`);
    return result;
  }

  open(path: string, mode: OpenMode): number {
    const descriptor = this.check(this.disk.open(path, mode), path, "open");
    this.descriptors.add(descriptor);
    return descriptor;
  }

  /** As `open`, but null where there is no such file. */
  openIfThere(path: string): number | null {
    const result = this.disk.open(path, "read");
    if (result === ENOENT) return null;
    this.descriptors.add(this.check(result, path, "open"));
    return result;
  }

  size(descriptor: number, path: string): number {
    return this.check(this.disk.size(descriptor), path, "size");
  }

  /** Reads exactly `length` bytes. A short read is no end: only 0 bytes are, and then bytes are missing. */
  read(descriptor: number, path: string, position: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(descriptor, path, position, length, target, 0);
    return target;
  }

  /** As `read`, into `target` from `at` on. */
  readInto(descriptor: number, path: string, position: number, length: number, target: Uint8Array, at: number): void {
    let done = 0;
    while (done < length) {
      const count = this.check(
        this.disk.read(descriptor, target, at + done, length - done, position + done),
        path,
        "read",
      );
      if (count === 0) this.fail("corrupt", path, `ends at byte ${position + done}, ${length - done} bytes too early`);
      done += count;
    }
  }

  /** Writes `bytes[offset, offset + length)`. */
  write(
    descriptor: number,
    path: string,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): void {
    let done = 0;
    while (done < length) {
      const count = this.check(
        this.disk.write(descriptor, bytes, offset + done, length - done, position + done),
        path,
        "write",
      );
      if (count === 0) this.fail("io", path, "write wrote nothing");
      done += count;
    }
  }

  fsync(descriptor: number, path: string): void {
    this.check(this.disk.fsync(descriptor), path, "fsync");
  }

  fsyncDirectory(path: string): void {
    this.check(this.disk.fsyncDirectory(path), path, "fsync of the directory");
  }

  closeFile(descriptor: number, path: string): void {
    this.descriptors.delete(descriptor);
    this.check(this.disk.close(descriptor), path, "close");
  }

  /** Closes without asking how it went: for a file that was only read, or that is given up. */
  giveUp(descriptor: number): void {
    if (this.descriptors.delete(descriptor)) this.disk.close(descriptor);
  }

  /** Whatever an error left open too. */
  giveUpAll(): void {
    for (const descriptor of Array.from(this.descriptors)) this.giveUp(descriptor);
  }

  rename(from: string, to: string): void {
    this.check(this.disk.rename(from, to), to, "rename");
  }

  link(existing: string, added: string): void {
    this.check(this.disk.link(existing, added), added, "link");
  }

  unlink(path: string): void {
    this.check(this.disk.unlink(path), path, "unlink");
  }

  makeDirectory(path: string): void {
    this.check(this.disk.makeDirectory(path), path, "make directory");
  }

  removeDirectory(path: string): void {
    this.check(this.disk.removeDirectory(path), path, "remove directory");
  }

  list(path: string): readonly string[] {
    const names = this.disk.list(path);
    if (typeof names !== "number") return names;
    this.check(names, path, "list");
    return [];
  }

  /**
   * Makes a directory and those above it, and their names durable. A directory that is there already may owe
   * its name to somebody who died before the fsync: so all of them are synced.
   */
  makeDirectoryTree(path: string): void {
    let parent = "/";
    for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
      const directory = end < 0 ? path : path.slice(0, end);
      const result = this.disk.makeDirectory(directory);
      if (result !== DISK_OK && result !== EEXIST) this.check(result, directory, "make directory");
      this.fsyncDirectory(parent);
      parent = directory;
      if (end < 0) return;
    }
  }
}
