import { invariant } from "../../engine/base/assert.ts";
import type { Disk, DiskResult, OpenMode } from "../../engine/ports/disk.ts";
import { DISK_OK, EBADF, EISDIR, ENOENT, ENOTDIR } from "../../engine/ports/disk.ts";
import { DISK_NAMINGS, PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, SimProcess } from "../world/kernel.ts";
import type { DiskFile } from "./disk-file.ts";
import type { BasicDisk } from "./sim-disk.ts";

const FIRST_DESCRIPTOR = 3;
const MODE_NUMBERS = { read: 0, write: 1, create: 2 } as const;

interface OpenFile {
  readonly file: DiskFile;
  readonly writable: boolean;
}

/** A host's disk as one process sees it: its descriptors, and a trace point for every call. */
export class DiskPort implements Disk {
  readonly #kernel: Kernel;
  readonly #disk: BasicDisk;
  readonly #process: SimProcess;
  readonly #open: Map<number, OpenFile> = new Map();
  #nextDescriptor: number = FIRST_DESCRIPTOR;

  constructor(kernel: Kernel, disk: BasicDisk, process: SimProcess) {
    this.#kernel = kernel;
    this.#disk = disk;
    this.#process = process;
  }

  open(path: string, mode: OpenMode): DiskResult {
    return this.#traced(PORT_TRACE.diskOpened, MODE_NUMBERS[mode], 0, () => {
      if (path === "/") return EISDIR;
      const place = this.#disk.placeOf(path);
      if (typeof place === "number") return place;
      if (place.node?.kind === "directory") return EISDIR;
      if (place.node === null && mode !== "create") return ENOENT;
      const file = place.node ?? this.#disk.createFile(place);
      if (place.node === null) this.#kernel.foldText(path);
      else if (mode === "create") this.#disk.truncate(file, 0);
      const descriptor = this.#nextDescriptor;
      this.#nextDescriptor += 1;
      this.#open.set(descriptor, { file, writable: mode !== "read" });
      return descriptor;
    });
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    invariant(position >= 0 && offset >= 0 && offset + length <= target.length, "a read fits into its target");
    return this.#traced(PORT_TRACE.diskRead, length, position, () => {
      const file = this.#open.get(descriptor)?.file;
      return file === undefined ? EBADF : file.read(target, offset, length, position);
    });
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    invariant(position >= 0 && offset >= 0 && offset + length <= source.length, "a write fits into its source");
    return this.#traced(PORT_TRACE.diskWritten, length, position, () => {
      const open = this.#open.get(descriptor);
      if (open === undefined || !open.writable) return EBADF;
      this.#disk.write(open.file, source.subarray(offset, offset + length), position);
      return length;
    });
  }

  truncate(descriptor: number, size: number): DiskResult {
    invariant(size >= 0, "a file has no negative size");
    return this.#traced(PORT_TRACE.diskWritten, 0, size, () => {
      const open = this.#open.get(descriptor);
      if (open === undefined || !open.writable) return EBADF;
      this.#disk.truncate(open.file, size);
      return DISK_OK;
    });
  }

  size(descriptor: number): DiskResult {
    const size = this.#open.get(descriptor)?.file.size ?? EBADF;
    return this.#traced(PORT_TRACE.diskLooked, 0, size, () => size);
  }

  fsync(descriptor: number): DiskResult {
    const file = this.#open.get(descriptor)?.file;
    return this.#traced(PORT_TRACE.diskSynced, file?.unsyncedBytes ?? 0, 0, () => {
      if (file === undefined) return EBADF;
      this.#disk.sync(file);
      return DISK_OK;
    });
  }

  close(descriptor: number): DiskResult {
    return this.#traced(PORT_TRACE.diskClosed, 0, 0, () => (this.#open.delete(descriptor) ? DISK_OK : EBADF));
  }

  makeDirectory(path: string): DiskResult {
    return this.#named(DISK_NAMINGS.makeDirectory, path, null, () => this.#disk.makeDirectory(path));
  }

  fsyncDirectory(path: string): DiskResult {
    return this.#traced(PORT_TRACE.diskDirectorySynced, 0, 0, () => {
      const node = this.#disk.nodeAt(path);
      if (typeof node === "number") return node;
      if (node.kind === "file") return ENOTDIR;
      this.#disk.syncDirectory(node);
      return DISK_OK;
    });
  }

  rename(from: string, to: string): DiskResult {
    return this.#named(DISK_NAMINGS.rename, to, from, () => this.#disk.rename(from, to));
  }

  link(existing: string, added: string): DiskResult {
    return this.#named(DISK_NAMINGS.link, added, existing, () => this.#disk.link(existing, added));
  }

  unlink(path: string): DiskResult {
    return this.#named(DISK_NAMINGS.unlink, path, null, () => this.#disk.unlink(path));
  }

  removeDirectory(path: string): DiskResult {
    return this.#named(DISK_NAMINGS.removeDirectory, path, null, () => this.#disk.removeDirectory(path));
  }

  list(path: string): readonly string[] | DiskResult {
    const node = this.#disk.nodeAt(path);
    const names = typeof node === "number" ? node : node.kind === "directory" ? node.names() : ENOTDIR;
    const count = typeof names === "number" ? names : names.length;
    return this.#traced(PORT_TRACE.diskLooked, 1, count, () => names);
  }

  #named(naming: number, path: string, existing: string | null, apply: () => DiskResult): DiskResult {
    return this.#traced(PORT_TRACE.diskNamed, naming, 0, () => {
      const result = apply();
      if (result !== DISK_OK) return result;
      this.#kernel.foldText(path);
      if (existing !== null) this.#kernel.foldText(existing);
      return result;
    });
  }

  #traced<T>(kind: number, x: number, y: number, apply: () => T): T {
    const kernel = this.#kernel;
    kernel.enter(this.#process, kind, this.#process.subject, x, y);
    const result = apply();
    kernel.leave(this.#process);
    return result;
  }
}
