import { invariant, present } from "../../../base/assert.ts";
import type { Disk } from "../../../ports/disk.ts";
import {
  SQLITE_CANTOPEN,
  SQLITE_IOERR,
  SQLITE_IOERR_ACCESS,
  SQLITE_IOERR_DELETE,
  SQLITE_IOERR_FSTAT,
  SQLITE_IOERR_SHORT_READ,
  SQLITE_NOTFOUND,
  SQLITE_OK,
} from "./sqlite-codes.ts";
import type { Pointer, SqliteFunctions, SqliteModule } from "./sqlite-module.ts";
import type { VfsFile, VfsVolume } from "./vfs-volume.ts";

const VFS_NAME = "whitewater";
/** struct sqlite3_file is one pointer, to its methods; some room beside it. */
const FILE_BYTES = 16;
const PATH_BYTES = 512;
const SECTOR_BYTES = 4096;
/** struct sqlite3_vfs of version 2 and struct sqlite3_io_methods of version 1, for 32-bit pointers. */
const VFS_STRUCT_BYTES = 88;
const METHODS_STRUCT_BYTES = 52;
/** 1970-01-01 in milliseconds of the Julian calendar: time stands still in SQLite. */
const EPOCH_JULIAN_MS = 210866760000000;
const MS_PER_DAY = 86400000;
const TWO_32 = 4294967296;

/** A thing to be given up when its process is gone. */
export interface Abandonable {
  readonly volume: VfsVolume;
  /** Gives up the module's memory without a call of the disk port. Idempotent. */
  abandon(): void;
}

/**
 * The SQLite of one thread, with our VFS as its only one. It serves the databases of many Worlds, interleaved:
 * a file handle leads to the file it was opened as, everything else that SQLite asks of its VFS is answered for
 * the volume that was entered.
 *
 * SQLite's generator of random numbers is global to the module. Each entry makes it forget its state, so that
 * the first draw seeds it from the stream of the volume that was entered, whatever ran before.
 *
 * No method of the VFS throws: an exception on its way through WebAssembly would leave SQLite's own stack and
 * locks as they are. It is kept in the volume, SQLite is told of an I/O error, and `leave` throws it.
 */
export class SqliteEngine {
  readonly functions: SqliteFunctions;
  private readonly module: SqliteModule;
  private readonly files: Map<Pointer, { readonly file: VfsFile; readonly volume: VfsVolume }> = new Map();
  private readonly open: Set<Abandonable> = new Set();
  private readonly methods: Pointer;
  private bytes: Uint8Array;
  private current: VfsVolume | null = null;

  constructor(module: SqliteModule) {
    this.module = module;
    this.functions = module.functions;
    this.bytes = new Uint8Array(module.memory.buffer);
    this.methods = this.installMethods();
    this.installVfs();
  }

  /** The module's memory. Never to be kept across a call into SQLite: when it grows, older arrays are empty. */
  get heap(): Uint8Array {
    if (this.bytes.length === 0) this.bytes = new Uint8Array(this.module.memory.buffer);
    return this.bytes;
  }

  /** What the module's memory takes; it never shrinks. */
  get memoryBytes(): number {
    return this.heap.length;
  }

  /** Files that SQLite has open at this moment. */
  get openFiles(): number {
    return this.files.size;
  }

  /** To be called before SQLite is; what it returns is for `leave`. */
  enter(volume: VfsVolume): VfsVolume | null {
    const before = this.current;
    this.current = volume;
    this.functions.sqlite3_randomness(0, 0);
    return before;
  }

  /** To be called once SQLite has returned: throws what was thrown in a method of the VFS meanwhile. */
  leave(before: VfsVolume | null): void {
    const volume = this.current;
    this.current = before;
    if (before !== null) this.functions.sqlite3_randomness(0, 0);
    if (volume !== null && volume.thrown !== null) {
      const { thrown } = volume;
      volume.thrown = null;
      throw thrown;
    }
  }

  /** True while SQLite works for this volume, below the caller. */
  isIn(volume: VfsVolume): boolean {
    return this.current === volume;
  }

  register(owner: Abandonable): void {
    this.open.add(owner);
  }

  unregister(owner: Abandonable): void {
    this.open.delete(owner);
  }

  /** The process that this port belongs to is no more: gives up all it had open here, without touching the port. */
  abandon(disk: Disk): void {
    for (const owner of [...this.open]) if (owner.volume.disk === disk) owner.abandon();
  }

  malloc(sizeBytes: number): Pointer {
    const pointer = this.functions.malloc(sizeBytes);
    invariant(pointer !== 0, "SQLite's memory has room");
    return pointer;
  }

  /** A C string of ASCII characters; the caller frees it. */
  text(value: string): Pointer {
    const pointer = this.malloc(value.length + 1);
    const { heap } = this;
    for (let i = 0; i < value.length; i++) heap[pointer + i] = value.charCodeAt(i);
    heap[pointer + value.length] = 0;
    return pointer;
  }

  readPointer(at: Pointer): Pointer {
    const { heap } = this;
    return (heap[at]! | (heap[at + 1]! << 8) | (heap[at + 2]! << 16) | (heap[at + 3]! << 24)) >>> 0;
  }

  private writeInt(at: Pointer, value: number): void {
    const { heap } = this;
    heap[at] = value;
    heap[at + 1] = value >>> 8;
    heap[at + 2] = value >>> 16;
    heap[at + 3] = value >>> 24;
  }

  private writeLong(at: Pointer, value: number): void {
    this.writeInt(at, value % TWO_32);
    this.writeInt(at + 4, Math.floor(value / TWO_32));
  }

  private textAt(pointer: Pointer): string {
    const { heap } = this;
    let text = "";
    for (let at = pointer; heap[at] !== 0; at++) text += String.fromCharCode(heap[at]!);
    return text;
  }

  private installMethods(): Pointer {
    const install = this.module.installFunction.bind(this.module);
    const methods = this.malloc(METHODS_STRUCT_BYTES);
    const slots = [
      1,
      install("i(p)", (file: Pointer) => this.xClose(file)),
      install("i(ppij)", (file: Pointer, target: Pointer, length: number, position: bigint) =>
        this.xRead(file, target, length, Number(position)),
      ),
      install("i(ppij)", (file: Pointer, source: Pointer, length: number, position: bigint) =>
        this.xWrite(file, source, length, Number(position)),
      ),
      install("i(pj)", (file: Pointer, size: bigint) => this.on(file, SQLITE_IOERR, (f) => f.truncate(Number(size)))),
      install("i(pi)", (file: Pointer) => this.on(file, SQLITE_IOERR, (f) => f.sync())),
      install("i(pp)", (file: Pointer, target: Pointer) => this.xFileSize(file, target)),
      // One process, one thread, and nobody else has these files: locks are always free.
      install("i(pi)", () => SQLITE_OK),
      install("i(pi)", () => SQLITE_OK),
      install("i(pp)", (_file: Pointer, target: Pointer) => {
        this.writeInt(target, 0);
        return SQLITE_OK;
      }),
      install("i(pip)", () => SQLITE_NOTFOUND),
      install("i(p)", () => SECTOR_BYTES),
      install("i(p)", (file: Pointer) => this.files.get(file)?.file.capabilities ?? 0),
    ];
    slots.forEach((slot, i) => this.writeInt(methods + i * 4, slot));
    return methods;
  }

  private installVfs(): void {
    const install = this.module.installFunction.bind(this.module);
    const vfs = this.malloc(VFS_STRUCT_BYTES);
    this.heap.fill(0, vfs, vfs + VFS_STRUCT_BYTES);
    const slots = [
      2,
      FILE_BYTES,
      PATH_BYTES,
      0,
      this.text(VFS_NAME),
      0,
      install("i(pppip)", (_vfs: Pointer, name: Pointer, file: Pointer, flags: number, outFlags: Pointer) =>
        this.xOpen(name, file, flags, outFlags),
      ),
      install("i(ppi)", (_vfs: Pointer, name: Pointer, sync: number) => this.xDelete(name, sync !== 0)),
      install("i(ppip)", (_vfs: Pointer, name: Pointer, _flags: number, target: Pointer) => this.xAccess(name, target)),
      install("i(ppip)", (_vfs: Pointer, name: Pointer, length: number, target: Pointer) =>
        this.xFullPathname(name, length, target),
      ),
      0,
      0,
      0,
      0,
      install("i(pip)", (_vfs: Pointer, count: number, target: Pointer) => this.xRandomness(count, target)),
      install("i(pi)", () => 0),
      install("i(pp)", (_vfs: Pointer, target: Pointer) => {
        new DataView(this.heap.buffer).setFloat64(target, EPOCH_JULIAN_MS / MS_PER_DAY, true);
        return SQLITE_OK;
      }),
      install("i(pip)", () => 0),
      install("i(pp)", (_vfs: Pointer, target: Pointer) => {
        this.writeLong(target, EPOCH_JULIAN_MS);
        return SQLITE_OK;
      }),
    ];
    slots.forEach((slot, i) => this.writeInt(vfs + i * 4, slot));
    const code = this.functions.sqlite3_vfs_register(vfs, 1);
    invariant(code === SQLITE_OK, "SQLite takes our VFS as its default one");
  }

  private xOpen(name: Pointer, file: Pointer, flags: number, outFlags: Pointer): number {
    this.writeInt(file, 0);
    const volume = present(this.current, "SQLite is entered for a volume");
    if (volume.dead) return SQLITE_CANTOPEN;
    let opened: VfsFile | number;
    try {
      opened = volume.files.open(name === 0 ? null : this.textAt(name), flags);
    } catch (error) {
      volume.caught(error);
      return SQLITE_CANTOPEN;
    }
    if (typeof opened === "number") return opened;
    this.files.set(file, { file: opened, volume });
    this.writeInt(file, this.methods);
    if (outFlags !== 0) this.writeInt(outFlags, flags);
    return SQLITE_OK;
  }

  private xClose(pointer: Pointer): number {
    const code = this.on(pointer, SQLITE_OK, (file) => file.close());
    this.files.delete(pointer);
    return code;
  }

  private xRead(pointer: Pointer, target: Pointer, length: number, position: number): number {
    const open = this.files.get(pointer);
    if (open === undefined || open.volume.dead) return SQLITE_IOERR;
    try {
      const { file } = open;
      const code = file.read(length, position);
      if (code !== SQLITE_OK && code !== SQLITE_IOERR_SHORT_READ) return code;
      const buffer = file.bufferFor(length);
      this.heap.set(buffer.length === length ? buffer : buffer.subarray(0, length), target);
      return code;
    } catch (error) {
      open.volume.caught(error);
      return SQLITE_IOERR;
    }
  }

  private xWrite(pointer: Pointer, source: Pointer, length: number, position: number): number {
    const open = this.files.get(pointer);
    if (open === undefined || open.volume.dead) return SQLITE_IOERR;
    try {
      open.file.bufferFor(length).set(this.heap.subarray(source, source + length));
      return open.file.write(length, position);
    } catch (error) {
      open.volume.caught(error);
      return SQLITE_IOERR;
    }
  }

  private xFileSize(pointer: Pointer, target: Pointer): number {
    return this.on(pointer, SQLITE_IOERR_FSTAT, (file) => {
      const size = file.size();
      if (size < 0) return SQLITE_IOERR_FSTAT;
      this.writeLong(target, size);
      return SQLITE_OK;
    });
  }

  private xDelete(name: Pointer, syncDirectory: boolean): number {
    return this.inVolume(SQLITE_IOERR_DELETE, (volume) => volume.files.remove(this.textAt(name), syncDirectory));
  }

  private xAccess(name: Pointer, target: Pointer): number {
    return this.inVolume(SQLITE_IOERR_ACCESS, (volume) => {
      const exists = volume.files.exists(this.textAt(name));
      if (exists < 0) return SQLITE_IOERR_ACCESS;
      this.writeInt(target, exists);
      return SQLITE_OK;
    });
  }

  /** Names stay as they are: they only mean something to the volume. */
  private xFullPathname(name: Pointer, length: number, target: Pointer): number {
    const text = this.textAt(name);
    if (text.length >= length) return SQLITE_CANTOPEN;
    this.heap.copyWithin(target, name, name + text.length + 1);
    return SQLITE_OK;
  }

  private xRandomness(count: number, target: Pointer): number {
    const volume = present(this.current, "SQLite is entered for a volume");
    for (let i = 0; i < count; i++) this.heap[target + i] = volume.random.below(256);
    return count;
  }

  private on(pointer: Pointer, deadCode: number, call: (file: VfsFile) => number): number {
    const open = this.files.get(pointer);
    if (open === undefined || open.volume.dead) return deadCode;
    try {
      return call(open.file);
    } catch (error) {
      open.volume.caught(error);
      return SQLITE_IOERR;
    }
  }

  private inVolume(deadCode: number, call: (volume: VfsVolume) => number): number {
    const volume = present(this.current, "SQLite is entered for a volume");
    if (volume.dead) return deadCode;
    try {
      return call(volume);
    } catch (error) {
      volume.caught(error);
      return deadCode;
    }
  }
}
