import type { Disk, DiskResult, OpenMode } from "#whitewater/engine/ports/disk.js";
import {
  DISK_OK,
  EBADF,
  EEXIST,
  EIO,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
} from "#whitewater/engine/ports/disk.js";

/** The bytes of a file, which grow at the end. */
export class MemoryFile {
  bytes: Uint8Array = new Uint8Array(0);
  size = 0;

  content(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }

  resize(size: number): void {
    if (size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.size));
      this.bytes = larger;
    }
    if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }
}

/** Every call of a disk, in the order made: a test may answer in its place with a code. */
export type DiskJudge = (call: string, path: string) => DiskResult;

/** A disk in memory that forgets nothing: fast, for tests of stores and for measuring them. */
export class MemoryDisk implements Disk {
  /** Null: a directory. */
  readonly nodes: Map<string, MemoryFile | null> = new Map([["/", null]]);
  /** Asked before each call; anything but DISK_OK is the answer. */
  judge: DiskJudge | null = null;
  /** At most so many bytes are read at once. */
  readLimit: number = Number.MAX_SAFE_INTEGER;
  readonly #open: Map<number, { readonly file: MemoryFile; readonly path: string; readonly writable: boolean }> = new Map();
  #next = 3;

  get openDescriptors(): number {
    return this.#open.size;
  }

  file(path: string): MemoryFile {
    const node = this.nodes.get(path);
    if (node === undefined || node === null) throw new Error(`no file ${path}`);
    return node;
  }

  /** A copy with files of its own. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const [path, node] of this.nodes) {
      const file = node === null ? null : new MemoryFile();
      if (file !== null && node !== null) {
        file.bytes = node.content();
        file.size = node.size;
      }
      copy.nodes.set(path, file);
    }
    return copy;
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    const open = this.#open.get(descriptor);
    const refused = this.#ask("read", open?.path);
    if (refused !== DISK_OK) return refused;
    if (open === undefined) return EBADF;
    const { file } = open;
    const count = Math.max(0, Math.min(length, file.size - position, this.readLimit));
    target.set(file.bytes.subarray(position, position + count), offset);
    return count;
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    const open = this.#open.get(descriptor);
    const refused = this.#ask("write", open?.path);
    if (refused !== DISK_OK) return refused;
    if (open === undefined || !open.writable) return EBADF;
    if (position + length > open.file.size) open.file.resize(position + length);
    open.file.bytes.set(source.subarray(offset, offset + length), position);
    return length;
  }

  open(path: string, mode: OpenMode): DiskResult {
    const refused = this.#ask("open", path);
    if (refused !== DISK_OK) return refused;
    let node = this.nodes.get(path);
    if (node === null) return EISDIR;
    if (node === undefined) {
      if (mode !== "create") return ENOENT;
      if (this.nodes.get(parentOf(path)) !== null) return ENOENT;
      node = new MemoryFile();
      this.nodes.set(path, node);
    } else if (mode === "create") node.resize(0);
    this.#next += 1;
    this.#open.set(this.#next, { file: node, path, writable: mode !== "read" });
    return this.#next;
  }

  truncate(descriptor: number, size: number): DiskResult {
    const open = this.#open.get(descriptor);
    const refused = this.#ask("truncate", open?.path);
    if (refused !== DISK_OK) return refused;
    if (open === undefined || !open.writable) return EBADF;
    open.file.resize(size);
    return DISK_OK;
  }

  size(descriptor: number): DiskResult {
    const open = this.#open.get(descriptor);
    const refused = this.#ask("size", open?.path);
    if (refused !== DISK_OK) return refused;
    return open?.file.size ?? EBADF;
  }

  fsync(descriptor: number): DiskResult {
    const open = this.#open.get(descriptor);
    const refused = this.#ask("fsync", open?.path);
    if (refused !== DISK_OK) return refused;
    return open === undefined ? EBADF : DISK_OK;
  }

  close(descriptor: number): DiskResult {
    const refused = this.#ask("close", this.#open.get(descriptor)?.path);
    return this.#open.delete(descriptor) ? refused : EBADF;
  }

  makeDirectory(path: string): DiskResult {
    const refused = this.#ask("makeDirectory", path);
    if (refused !== DISK_OK) return refused;
    if (this.nodes.has(path)) return EEXIST;
    if (this.nodes.get(parentOf(path)) !== null) return ENOENT;
    this.nodes.set(path, null);
    return DISK_OK;
  }

  fsyncDirectory(path: string): DiskResult {
    const refused = this.#ask("fsyncDirectory", path);
    if (refused !== DISK_OK) return refused;
    return this.nodes.has(path) ? DISK_OK : ENOENT;
  }

  rename(from: string, to: string): DiskResult {
    const refused = this.#ask("rename", to);
    if (refused !== DISK_OK) return refused;
    const node = this.nodes.get(from);
    if (node === undefined) return ENOENT;
    if (node === null) return EIO;
    this.nodes.delete(from);
    this.nodes.set(to, node);
    return DISK_OK;
  }

  link(existing: string, added: string): DiskResult {
    const refused = this.#ask("link", added);
    if (refused !== DISK_OK) return refused;
    const node = this.nodes.get(existing);
    if (node === undefined) return ENOENT;
    if (node === null) return EISDIR;
    if (this.nodes.has(added)) return EEXIST;
    this.nodes.set(added, node);
    return DISK_OK;
  }

  unlink(path: string): DiskResult {
    const refused = this.#ask("unlink", path);
    if (refused !== DISK_OK) return refused;
    const node = this.nodes.get(path);
    if (node === undefined) return ENOENT;
    if (node === null) return EISDIR;
    this.nodes.delete(path);
    return DISK_OK;
  }

  removeDirectory(path: string): DiskResult {
    const refused = this.#ask("removeDirectory", path);
    if (refused !== DISK_OK) return refused;
    const node = this.nodes.get(path);
    if (node === undefined) return ENOENT;
    if (node !== null) return ENOTDIR;
    if (this.#names(path).length > 0) return ENOTEMPTY;
    this.nodes.delete(path);
    return DISK_OK;
  }

  list(path: string): readonly string[] | DiskResult {
    const refused = this.#ask("list", path);
    if (refused !== DISK_OK) return refused;
    const node = this.nodes.get(path);
    if (node === undefined) return ENOENT;
    return node === null ? this.#names(path) : ENOTDIR;
  }

  #names(directory: string): readonly string[] {
    const prefix = directory === "/" ? "/" : `${directory}/`;
    const names = Array.from(this.nodes.keys()).filter((path) => path.startsWith(prefix) && path !== prefix);
    return names
      .map((path) => path.slice(prefix.length))
      .filter((name) => name !== "" && !name.includes("/"))
      .sort();
  }

  #ask(call: string, path: string | undefined): DiskResult {
    return this.judge === null ? DISK_OK : this.judge(call, path ?? "");
  }
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end <= 0 ? "/" : path.slice(0, end);
}
