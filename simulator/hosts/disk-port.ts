import { invariant } from "../../engine/base/assert.ts";
import type { Disk, DiskResult, OpenMode } from "../../engine/ports/disk.ts";
import { DISK_OK, EBADF, EIO, EISDIR, ENOENT, ENOTDIR } from "../../engine/ports/disk.ts";
import type { InteractionFault } from "../faults/fault.ts";
import { DISK_NAMINGS, DISK_OPENINGS, PORT_TRACE } from "../trace/kinds.ts";
import { DISK_US } from "../world/cost-model.ts";
import type { Kernel, SimProcess } from "../world/kernel.ts";
import type { Need } from "./disk-faults.ts";
import { failureOfDiskCall, readFaulty, writeFaulty } from "./disk-faults.ts";
import type { DiskFile } from "./disk-file.ts";
import type { DiskIdentity } from "./disk-identity.ts";
import {
  checkpointOfPath,
  DIRECTORY_ROLE,
  diskSubject,
  isTable,
  isTableFooter,
  NO_FILE_ROLE,
  roleOfFile,
  TABLE_FOOTER_ROLE,
} from "./disk-identity.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

const FIRST_DESCRIPTOR = 3;

interface OpenFile extends DiskIdentity {
  /** Of the write of its footer; null where the file is no table. */
  readonly footer: DiskIdentity | null;
  readonly file: DiskFile;
  readonly writable: boolean;
}

/** A host's disk as one process sees it: its descriptors, a trace point for every call, and what faults do to it. */
export class DiskPort implements Disk {
  readonly #kernel: Kernel;
  readonly #disk: SimulatedDisk;
  readonly #process: SimProcess;
  readonly #open: Map<number, OpenFile> = new Map();
  readonly #closed: DiskIdentity;
  #nextDescriptor: number = FIRST_DESCRIPTOR;

  constructor(kernel: Kernel, disk: SimulatedDisk, process: SimProcess) {
    this.#kernel = kernel;
    this.#disk = disk;
    this.#process = process;
    this.#closed = { subject: this.#subject(NO_FILE_ROLE), checkpoint: -1 };
  }

  open(path: string, mode: OpenMode): DiskResult {
    const identity = this.#fileIdentity(path);
    const need = mode === "create" ? "space" : "no space";
    return this.#traced(PORT_TRACE.diskOpened, identity, DISK_OPENINGS[mode], DISK_US.name, need, () => {
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
      this.#open.set(descriptor, { ...identity, footer: this.#footerIdentity(path, identity), file, writable: mode !== "read" });
      return descriptor;
    });
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    invariant(position >= 0 && offset >= 0 && offset + length <= target.length, "a read fits into its target");
    const open = this.#open.get(descriptor);
    const fault = this.#enter(PORT_TRACE.diskRead, open ?? this.#closed, length);
    let result: DiskResult = EBADF;
    if (open !== undefined) {
      if (fault === null) result = open.file.read(target, offset, length, position);
      else {
        const failure = failureOfDiskCall(this.#kernel, this.#process, fault, "no space");
        result = failure ?? readFaulty(this.#disk, fault, open.file, target, offset, length, position);
      }
    }
    return this.#leave(result, DISK_US.read + kibUs(length));
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    invariant(position >= 0 && offset >= 0 && offset + length <= source.length, "a write fits into its source");
    const open = this.#open.get(descriptor);
    const isFooter = open !== undefined && open.footer !== null && isTableFooter(source, offset, length);
    const identity = (isFooter ? open.footer : open) ?? this.#closed;
    const fault = this.#enter(PORT_TRACE.diskWritten, identity, length);
    let result: DiskResult = EBADF;
    if (open !== undefined && open.writable) {
      const bytes = source.subarray(offset, offset + length);
      if (fault === null) {
        this.#disk.write(open.file, bytes, position);
        result = length;
      } else {
        failureOfDiskCall(this.#kernel, this.#process, fault, "space");
        result = writeFaulty(this.#disk, fault, open.file, bytes, position);
      }
    }
    return this.#leave(result, DISK_US.write + kibUs(length));
  }

  truncate(descriptor: number, size: number): DiskResult {
    invariant(size >= 0, "a file has no negative size");
    const open = this.#open.get(descriptor);
    return this.#traced(PORT_TRACE.diskTruncated, open ?? this.#closed, size, DISK_US.write, "space", () => {
      if (open === undefined || !open.writable) return EBADF;
      this.#disk.truncate(open.file, size);
      return DISK_OK;
    });
  }

  size(descriptor: number): DiskResult {
    const open = this.#open.get(descriptor);
    const size = open?.file.size ?? EBADF;
    return this.#traced(PORT_TRACE.diskLooked, open ?? this.#closed, size, DISK_US.look, "no space", () => size);
  }

  fsync(descriptor: number): DiskResult {
    const open = this.#open.get(descriptor);
    const unsyncedBytes = open?.file.unsyncedBytes ?? 0;
    const fault = this.#enter(PORT_TRACE.diskSynced, open ?? this.#closed, unsyncedBytes);
    const result = open === undefined ? EBADF : this.#sync(open.file, fault);
    return this.#leave(result, DISK_US.fsync + kibUs(unsyncedBytes));
  }

  #sync(file: DiskFile, fault: InteractionFault | null): DiskResult {
    failureOfDiskCall(this.#kernel, this.#process, fault, "no space");
    if (fault?.kind === "disk-fsync-failure") {
      this.#disk.failSync(file);
      return EIO;
    }
    this.#disk.sync(file);
    if (fault?.kind === "disk-bit-flip") this.#disk.flipBit(fault.id, file, 0, file.size, fault.bit);
    return DISK_OK;
  }

  close(descriptor: number): DiskResult {
    this.#enter(PORT_TRACE.diskClosed, this.#open.get(descriptor) ?? this.#closed, 0);
    return this.#leave(this.#open.delete(descriptor) ? DISK_OK : EBADF, DISK_US.look);
  }

  makeDirectory(path: string): DiskResult {
    return this.#named(DISK_NAMINGS.makeDirectory, path, null, "space", () => this.#disk.makeDirectory(path));
  }

  fsyncDirectory(path: string): DiskResult {
    const identity = this.#directoryIdentity(path);
    return this.#traced(PORT_TRACE.diskDirectorySynced, identity, 0, DISK_US.fsync, "no space", () => {
      const node = this.#disk.nodeAt(path);
      if (typeof node === "number") return node;
      if (node.kind === "file") return ENOTDIR;
      this.#disk.syncDirectory(node);
      return DISK_OK;
    });
  }

  rename(from: string, to: string): DiskResult {
    return this.#named(DISK_NAMINGS.rename, to, from, "space", () => this.#disk.rename(from, to));
  }

  link(existing: string, added: string): DiskResult {
    return this.#named(DISK_NAMINGS.link, added, existing, "space", () => this.#disk.link(existing, added));
  }

  unlink(path: string): DiskResult {
    return this.#named(DISK_NAMINGS.unlink, path, null, "no space", () => this.#disk.unlink(path));
  }

  removeDirectory(path: string): DiskResult {
    return this.#named(DISK_NAMINGS.removeDirectory, path, null, "no space", () => this.#disk.removeDirectory(path));
  }

  list(path: string): readonly string[] | DiskResult {
    const node = this.#disk.nodeAt(path);
    const names = typeof node === "number" ? node : node.kind === "directory" ? node.names() : ENOTDIR;
    const count = typeof names === "number" ? names : names.length;
    const identity = this.#directoryIdentity(path);
    return this.#traced(PORT_TRACE.diskLooked, identity, count, DISK_US.name, "no space", () => names);
  }

  #named(naming: number, path: string, existing: string | null, need: Need, apply: () => DiskResult): DiskResult {
    const isDirectory = naming === DISK_NAMINGS.makeDirectory || naming === DISK_NAMINGS.removeDirectory;
    const identity = isDirectory ? this.#directoryIdentity(path) : this.#fileIdentity(path);
    return this.#traced(PORT_TRACE.diskNamed, identity, naming, DISK_US.name, need, () => {
      const result = apply();
      if (result !== DISK_OK) return result;
      this.#kernel.foldText(path);
      if (existing !== null) this.#kernel.foldText(existing);
      return result;
    });
  }

  #traced<T>(
    kind: number,
    identity: DiskIdentity,
    y: number,
    costUs: number,
    need: Need,
    apply: () => T,
  ): T | DiskResult {
    const fault = this.#enter(kind, identity, y);
    const failure = failureOfDiskCall(this.#kernel, this.#process, fault, need);
    return this.#leave(failure ?? apply(), costUs);
  }

  #enter(kind: number, { subject, checkpoint }: DiskIdentity, y: number): InteractionFault | null {
    return this.#kernel.enter(this.#process, kind, subject, checkpoint, y);
  }

  #leave<T>(result: T, costUs: number): T {
    this.#kernel.spend(this.#process, costUs);
    this.#kernel.leave(this.#process);
    return result;
  }

  #fileIdentity(path: string): DiskIdentity {
    return { subject: this.#subject(roleOfFile(path)), checkpoint: checkpointOfPath(path) };
  }

  #footerIdentity(path: string, { checkpoint }: DiskIdentity): DiskIdentity | null {
    return isTable(path) ? { subject: this.#subject(TABLE_FOOTER_ROLE), checkpoint } : null;
  }

  #directoryIdentity(path: string): DiskIdentity {
    return { subject: this.#subject(DIRECTORY_ROLE), checkpoint: checkpointOfPath(path) };
  }

  #subject(role: string): number {
    return this.#kernel.intern(diskSubject(this.#process.host.name, role));
  }
}

function kibUs(bytes: number): number {
  return (bytes >> 10) * DISK_US.perKib;
}
