import type { Disk, DiskResult, OpenMode } from "#whitewater/engine/ports/disk.js";
import { DISK_OK, EBADF, EEXIST, ENOENT, ENOTEMPTY } from "#whitewater/engine/ports/disk.js";

interface MemoryFile {
  bytes: Uint8Array;
  size: number;
}

/** Called before each call of the disk, with its name: may throw, or return a result to give instead of the call's. */
export type DiskHook = (call: string, path: string) => DiskResult | null;

/** A disk in memory that does what its hook says. What is written is there at once; a power loss is none of its matters. */
export class MemoryDisk implements Disk {
  readonly files: Map<string, MemoryFile> = new Map();
  readonly directories: Set<string> = new Set(["/"]);
  hook: DiskHook = () => null;
  calls = 0;
  readonly #open: Map<number, { path: string; file: MemoryFile; writable: boolean }> = new Map();
  #nextDescriptor = 3;

  get openDescriptors(): number {
    return this.#open.size;
  }

  /** For QuietFiles: no call. */
  peek(path: string): Uint8Array | null {
    const file = this.files.get(path);
    return file === undefined ? null : file.bytes.subarray(0, file.size);
  }

  open(path: string, mode: OpenMode): DiskResult {
    const told = this.#call("open", path);
    if (told !== null) return told;
    let file = this.files.get(path);
    if (file === undefined && mode !== "create") return ENOENT;
    file ??= { bytes: new Uint8Array(0), size: 0 };
    if (mode === "create") file.size = 0;
    this.files.set(path, file);
    const descriptor = this.#nextDescriptor++;
    this.#open.set(descriptor, { path, file, writable: mode !== "read" });
    return descriptor;
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    const open = this.#open.get(descriptor);
    const told = this.#call("read", open?.path ?? "");
    if (told !== null && told < 0) return told;
    if (open === undefined) return EBADF;
    const count = Math.max(0, Math.min(told ?? length, length, open.file.size - position));
    target.set(open.file.bytes.subarray(position, position + count), offset);
    return count;
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    const open = this.#open.get(descriptor);
    const told = this.#call("write", open?.path ?? "");
    if (told !== null && told < 0) return told;
    if (open === undefined || !open.writable) return EBADF;
    const { file } = open;
    const count = Math.min(told ?? length, length);
    const end = position + count;
    if (end > file.bytes.length) {
      const grown = new Uint8Array(Math.max(end, file.bytes.length * 2));
      grown.set(file.bytes.subarray(0, file.size));
      file.bytes = grown;
    }
    if (position > file.size) file.bytes.fill(0, file.size, position);
    file.bytes.set(source.subarray(offset, offset + count), position);
    file.size = Math.max(file.size, end);
    return count;
  }

  truncate(descriptor: number, size: number): DiskResult {
    const open = this.#open.get(descriptor);
    const told = this.#call("truncate", open?.path ?? "");
    if (told !== null) return told;
    if (open === undefined) return EBADF;
    const { file } = open;
    if (size > file.bytes.length) {
      const grown = new Uint8Array(size);
      grown.set(file.bytes.subarray(0, file.size));
      file.bytes = grown;
    }
    if (size > file.size) file.bytes.fill(0, file.size, size);
    file.size = size;
    return DISK_OK;
  }

  size(descriptor: number): DiskResult {
    const open = this.#open.get(descriptor);
    return this.#call("size", open?.path ?? "") ?? open?.file.size ?? EBADF;
  }

  fsync(descriptor: number): DiskResult {
    return this.#call("fsync", this.#open.get(descriptor)?.path ?? "") ?? (this.#open.has(descriptor) ? DISK_OK : EBADF);
  }

  close(descriptor: number): DiskResult {
    const told = this.#call("close", this.#open.get(descriptor)?.path ?? "");
    return told ?? (this.#open.delete(descriptor) ? DISK_OK : EBADF);
  }

  makeDirectory(path: string): DiskResult {
    const told = this.#call("makeDirectory", path);
    if (told !== null) return told;
    if (this.directories.has(path)) return EEXIST;
    if (!this.directories.has(path.slice(0, path.lastIndexOf("/")) || "/")) return ENOENT;
    this.directories.add(path);
    return DISK_OK;
  }

  fsyncDirectory(path: string): DiskResult {
    return this.#call("fsyncDirectory", path) ?? (this.directories.has(path) ? DISK_OK : ENOENT);
  }

  rename(from: string, to: string): DiskResult {
    const told = this.#call("rename", to);
    if (told !== null) return told;
    const file = this.files.get(from);
    if (file === undefined) return ENOENT;
    this.files.delete(from);
    this.files.set(to, file);
    return DISK_OK;
  }

  link(existing: string, added: string): DiskResult {
    const told = this.#call("link", added);
    if (told !== null) return told;
    const file = this.files.get(existing);
    if (file === undefined) return ENOENT;
    if (this.files.has(added)) return EEXIST;
    this.files.set(added, file);
    return DISK_OK;
  }

  unlink(path: string): DiskResult {
    return this.#call("unlink", path) ?? (this.files.delete(path) ? DISK_OK : ENOENT);
  }

  removeDirectory(path: string): DiskResult {
    const told = this.#call("removeDirectory", path);
    if (told !== null) return told;
    if (this.#below(path).length > 0) return ENOTEMPTY;
    return this.directories.delete(path) ? DISK_OK : ENOENT;
  }

  list(path: string): readonly string[] | DiskResult {
    const told = this.#call("list", path);
    if (told !== null) return told;
    return this.directories.has(path) ? this.#below(path) : ENOENT;
  }

  #below(path: string): string[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return [...this.files.keys(), ...this.directories]
      .filter((name) => name.startsWith(prefix) && name !== path && !name.slice(prefix.length).includes("/"))
      .map((name) => name.slice(prefix.length))
      .sort();
  }

  #call(name: string, path: string): DiskResult | null {
    this.calls += 1;
    return this.hook(name, path);
  }
}
