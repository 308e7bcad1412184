import { invariant, present } from "../../engine/base/assert.ts";
import type { Disk, DiskResult } from "../../engine/ports/disk.ts";
import {
  DISK_OK,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
} from "../../engine/ports/disk.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { Kernel, SimDisk, SimHost, SimProcess } from "../world/kernel.ts";
import type { DamageCause, DiskDamage } from "./disk-damage.ts";
import type { DiskNode } from "./disk-directory.ts";
import { DiskDirectory } from "./disk-directory.ts";
import { DiskFile } from "./disk-file.ts";
import { DiskPort } from "./disk-port.ts";
import type { DiskProfile } from "./disk-survivors.ts";
import { SECTOR_BYTES } from "./disk-survivors.ts";
import { NameJournal } from "./name-journal.ts";

const ROOT_INODE = 1;

/** A file or directory as a person sees it in a paused World. */
export interface DiskEntrySnapshot {
  readonly path: string;
  readonly kind: "file" | "directory";
  /** Two names of one file have the same. */
  readonly inode: number;
  readonly sizeBytes: number;
  readonly unsyncedBytes: number;
}

/** Where a path leads: the directory that holds its last name, and what is there by that name. */
export interface Place {
  readonly directory: DiskDirectory;
  readonly name: string;
  readonly node: DiskNode | null;
}

/**
 * The simulated disk of one host. A replaced disk is another object.
 *
 * Each file has durable contents and a queue of unsynced changes (writes, truncations); names have durable
 * directories and a queue of unsynced changes (create, link, rename, unlink, directories made and removed).
 * Processes see all changes at once. fsync of a file makes its contents durable but not its name; fsync of a
 * directory makes its names durable but not what they stand for.
 *
 * **Crash of a process.** Nothing is lost.
 *
 * **Power loss** (crash of the host). Which unsynced changes survive is drawn from the stream "disk:<host>";
 * afterwards all that is left is durable. In both profiles: what was synced is there; a sector of 512 bytes is
 * written whole or not at all; a write never harms bytes beside its own; bytes that were never written read as
 * zeros, never as garbage; renaming is atomic, between two directories too, and never leaves a moved name in
 * neither place; a directory whose own name is lost is gone with all it held.
 *
 * - `adversarial`, all that POSIX permits. Of a file's unsynced changes any subset survives; each write torn at
 *   any sectors; the size may have grown while the bytes have not (they read as zeros). Of the changes of
 *   names any subset survives, within the rules of NameJournal: unlinked names come back, a rename without
 *   fsync of its directory is lost while a later one survives, and so on.
 * - `ordered`, as ext4 with data=ordered and delayed allocation. Changes of names are a journal: a prefix of
 *   them survives, and every fsync (of a directory, or of a file with unsynced contents or names) commits all
 *   of them. Changes of a file's size survive as a prefix too, the last growth up to any sector, and bytes
 *   that lie in what the file grew by are there before it grows. All other sectors show, each for itself,
 *   what the file held at some moment since its last fsync: writes in place come in any order. Not promised:
 *   an order between names and contents (a new file that was renamed over an old one without fsync may be
 *   empty), nor between the contents of two files.
 *
 * **Failed fsync**, as on Linux: some of the file's unsynced changes reach the disk (drawn as for a power
 * loss), and all count as clean from then on. Processes go on seeing them, later fsyncs do not write them and
 * say ok, and a power loss takes them away. A failed fsync of a directory changes nothing: its names wait on.
 *
 * **Damage** (flipped bits, misdirected writes) lies over the pristine bytes of files, cached and durable
 * alike: every read sees it at once. It is listed and can be switched off; overwriting or cutting off the
 * damaged bytes ends it, a power loss does not, nor does the end of chaos: it is data.
 *
 * **Errors, short reads, no space, slowness** are the port's (disk-port, disk-faults): they end with chaos.
 */
export class SimulatedDisk implements SimDisk {
  readonly host: SimHost;
  readonly profile: DiskProfile;
  readonly root: DiskDirectory = new DiskDirectory(ROOT_INODE);
  readonly #kernel: Kernel;
  readonly #names: NameJournal;
  /** Files whose contents may differ from what is durable, in the order in which they began to. */
  readonly #dirty: Set<DiskFile> = new Set();
  /** Files that were damaged. */
  readonly #damaged: Set<DiskFile> = new Set();
  #lastInode: number = ROOT_INODE;
  #lastDamage = 0;

  constructor(kernel: Kernel, host: SimHost, profile: DiskProfile = "adversarial") {
    this.#kernel = kernel;
    this.host = host;
    this.profile = profile;
    this.#names = new NameJournal(profile);
  }

  portFor(process: SimProcess): Disk {
    return new DiskPort(this.#kernel, this, process);
  }

  powerLoss(): void {
    const random = this.#random();
    for (const file of this.#dirty) file.losePower(this.profile, random);
    this.#dirty.clear();
    this.#names.losePower(random);
    this.root.losePower();
    invariant(this.#names.length === 0, "after a power loss all that is left is durable");
  }

  /** Everything on the disk as processes see it, sorted by path. */
  inspect(): readonly DiskEntrySnapshot[] {
    return this.#walk().map(({ path, node }) => {
      const file = node.kind === "file" ? node : null;
      const { kind, inode } = node;
      return { path, kind, inode, sizeBytes: file?.size ?? 0, unsyncedBytes: file?.unsyncedBytes ?? 0 };
    });
  }

  /** The bytes of a file as processes see them, or null; without a trace. */
  peek(path: string): Uint8Array | null {
    const node = this.nodeAt(path);
    return typeof node === "number" || node.kind === "directory" ? null : node.bytes();
  }

  /** The bytes of a file as they were before any damage, or null; without a trace. */
  peekPristine(path: string): Uint8Array | null {
    const node = this.nodeAt(path);
    return typeof node === "number" || node.kind === "directory" ? null : node.pristineBytes();
  }

  /* ---- damage ---- */

  /** Every damaged place that can still be read, by file in order of its first damage. */
  damage(): readonly DiskDamage[] {
    const paths = new Map<number, string>();
    if (this.#damaged.size > 0) for (const { path, node } of this.#walk()) paths.set(node.inode, path);
    return [...this.#damaged].flatMap((file) => file.damage.list(file.inode, paths.get(file.inode) ?? null));
  }

  /** Switches all damage of one id off. */
  heal(id: number): void {
    for (const file of this.#damaged) file.damage.heal(id);
  }

  healAll(): void {
    for (const file of this.#damaged) file.damage.heal(null);
    this.#damaged.clear();
  }

  /** Flips a bit of a range of a file; it counts from the range's start, or from its end when negative. */
  flipBit(fault: string, file: DiskFile, position: number, length: number, bit: number): void {
    if (length <= 0) return;
    const index = wrapped(bit, length * 8);
    const cause = this.#damages(fault, file);
    file.damage.add(cause, "bit-flip", position + Math.floor(index / 8), Uint8Array.of(1 << (index % 8)));
  }

  /** A write that lands elsewhere: its own place keeps what was there. */
  misdirect(
    fault: string,
    file: DiskFile,
    bytes: Uint8Array,
    position: number,
    sectorsAway: number,
    elsewhere: number,
  ): void {
    const before = new Uint8Array(bytes.length);
    file.read(before, 0, before.length, position);
    this.write(file, bytes, position);
    if (bytes.length === 0) return;
    const cause = this.#damages(fault, file);
    file.damage.add(cause, "lost-write", position, before);
    const victim = elsewhere === 0 ? file : this.#otherFile(file, elsewhere);
    const sectors = Math.ceil(victim.size / SECTOR_BYTES);
    const sector = wrapped(Math.floor(position / SECTOR_BYTES) + sectorsAway, sectors);
    const landed = sector * SECTOR_BYTES + (position % SECTOR_BYTES);
    const count = Math.min(bytes.length, victim.size - landed);
    if (count <= 0 || (victim === file && landed === position)) return;
    this.#damaged.add(victim);
    victim.damage.add(cause, "misdirected-write", landed, bytes.slice(0, count));
  }

  #damages(fault: string, file: DiskFile): DamageCause {
    this.#lastDamage += 1;
    this.#damaged.add(file);
    return { id: this.#lastDamage, fault };
  }

  /** The nth of the other files that hold something, in order of age; the file itself if it is the only one. */
  #otherFile(file: DiskFile, nth: number): DiskFile {
    const others = new Map<number, DiskFile>();
    for (const { node } of this.#walk()) {
      if (node.kind === "file" && node !== file && node.size > 0) others.set(node.inode, node);
    }
    const sorted = [...others.values()].sort((left, right) => left.inode - right.inode);
    return sorted[wrapped(nth - 1, Math.max(1, sorted.length))] ?? file;
  }

  /* ---- what the port does ---- */

  /** The last directory of a path must exist; its last name need not. The root has no place. */
  placeOf(path: string): Place | DiskResult {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) return EINVAL;
    let directory = this.root;
    for (const each of names) {
      const node = directory.entries.get(each);
      if (node === undefined) return ENOENT;
      if (node.kind === "file") return ENOTDIR;
      directory = node;
    }
    return { directory, name, node: directory.entries.get(name) ?? null };
  }

  nodeAt(path: string): DiskNode | DiskResult {
    if (path === "/") return this.root;
    const place = this.placeOf(path);
    return typeof place === "number" ? place : (place.node ?? ENOENT);
  }

  createFile(place: Place): DiskFile {
    const file = new DiskFile(this.#nextInode());
    this.#names.add({ kind: "put", directory: place.directory, name: place.name, node: file });
    return file;
  }

  write(file: DiskFile, bytes: Uint8Array, position: number): void {
    file.write(bytes, position);
    this.#dirty.add(file);
    this.#kernel.foldBytes(bytes);
  }

  truncate(file: DiskFile, size: number): void {
    file.truncate(size);
    this.#dirty.add(file);
  }

  sync(file: DiskFile): void {
    this.#commitNames(file);
    file.sync();
    if (!file.differs) this.#dirty.delete(file);
  }

  /** What was not synced counts as clean; names wait on. */
  failSync(file: DiskFile): void {
    file.failSync(this.profile, this.#random());
  }

  /** Where names are a journal, a file that has something to sync takes it all along. */
  #commitNames(file: DiskFile): void {
    if (this.profile !== "ordered") return;
    if (file.unsyncedChanges > 0 || this.#names.concerns(file)) this.#names.commit();
  }

  syncDirectory(directory: DiskDirectory): void {
    this.#names.sync(directory);
  }

  makeDirectory(path: string): DiskResult {
    const place = this.placeOf(path);
    if (place === EINVAL) return EEXIST;
    if (typeof place === "number") return place;
    if (place.node !== null) return EEXIST;
    const node = new DiskDirectory(this.#nextInode());
    this.#names.add({ kind: "put", directory: place.directory, name: place.name, node });
    return DISK_OK;
  }

  rename(fromPath: string, toPath: string): DiskResult {
    const from = this.placeOf(fromPath);
    if (typeof from === "number") return from;
    const to = this.placeOf(toPath);
    if (typeof to === "number") return to;
    const { node } = from;
    if (node === null) return ENOENT;
    if (node === to.node) return DISK_OK;
    const refused = whyNotOnto(node, from, to);
    if (refused !== DISK_OK) return refused;
    this.#names.add({
      kind: "move",
      from: from.directory,
      fromName: from.name,
      to: to.directory,
      toName: to.name,
      node,
    });
    return DISK_OK;
  }

  link(existing: string, added: string): DiskResult {
    const node = this.nodeAt(existing);
    if (typeof node === "number") return node;
    const place = this.placeOf(added);
    if (place === EINVAL) return EEXIST;
    if (typeof place === "number") return place;
    if (place.node !== null) return EEXIST;
    if (node.kind === "directory") return EISDIR;
    this.#names.add({ kind: "put", directory: place.directory, name: place.name, node });
    return DISK_OK;
  }

  /** Open descriptors of the file go on to work. */
  unlink(path: string): DiskResult {
    const place = this.placeOf(path);
    if (place === EINVAL) return EISDIR;
    if (typeof place === "number") return place;
    if (place.node === null) return ENOENT;
    if (place.node.kind === "directory") return EISDIR;
    this.#names.add({ kind: "remove", directory: place.directory, name: place.name });
    return DISK_OK;
  }

  removeDirectory(path: string): DiskResult {
    const place = this.placeOf(path);
    if (typeof place === "number") return place;
    if (place.node === null) return ENOENT;
    if (place.node.kind === "file") return ENOTDIR;
    if (place.node.entries.size > 0) return ENOTEMPTY;
    this.#names.add({ kind: "remove", directory: place.directory, name: place.name });
    return DISK_OK;
  }

  #random(): RandomStream {
    return this.#kernel.stream(`disk:${this.host.name}`);
  }

  #walk(): readonly Found[] {
    const found: Found[] = [];
    collect(this.root, "", found);
    return found;
  }

  #nextInode(): number {
    this.#lastInode += 1;
    return this.#lastInode;
  }
}

interface Found {
  readonly path: string;
  readonly node: DiskNode;
}

/** Sorted by path. */
function collect(directory: DiskDirectory, path: string, found: Found[]): void {
  for (const name of directory.names()) {
    const node = present(directory.entries.get(name), "a directory holds the names it lists");
    const below = `${path}/${name}`;
    found.push({ path: below, node });
    if (node.kind === "directory") collect(node, below, found);
  }
}

/** A whole number as an index below `count`; negative ones count from the end. */
function wrapped(index: number, count: number): number {
  return ((index % count) + count) % count;
}

function namesOf(path: string): string[] {
  invariant(path.startsWith("/"), `path ${path} is absolute`);
  if (path === "/") return [];
  const names = path.slice(1).split("/");
  for (const name of names) {
    invariant(name !== "" && name !== "." && name !== "..", `path ${path} is in its plain form`);
  }
  return names;
}

/** Why `node` cannot take a place, or DISK_OK. */
function whyNotOnto(node: DiskNode, from: Place, to: Place): DiskResult {
  if (node.kind === "directory" && node.holds(to.directory)) return EINVAL;
  if (to.node === null) return DISK_OK;
  if (to.node.kind === "directory" && to.node.holds(from.directory)) return ENOTEMPTY;
  if (node.kind === "file") return to.node.kind === "directory" ? EISDIR : DISK_OK;
  if (to.node.kind === "file") return ENOTDIR;
  return to.node.entries.size > 0 ? ENOTEMPTY : DISK_OK;
}
