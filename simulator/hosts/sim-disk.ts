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
import type { Kernel, SimDisk, SimHost, SimProcess } from "../world/kernel.ts";
import type { DiskNode } from "./disk-directory.ts";
import { DiskDirectory, NameJournal } from "./disk-directory.ts";
import { DiskFile } from "./disk-file.ts";
import { DiskPort } from "./disk-port.ts";

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
 * Each file has a durable image and a queue of unsynced changes (writes, truncations); each directory likewise
 * has durable names and unsynced changes of names. fsync of a file makes its changes durable but not its
 * name; fsync of a directory makes its names durable but not what they stand for.
 *
 * What may go wrong: power loss. Of each file's unsynced changes a drawn prefix survives, and of each
 * directory's unsynced changes likewise, independently: a file may come back empty, under its old name, or
 * not at all. A directory whose own name was not synced is gone with all it held. What stays true: a crash of
 * a process loses nothing; each single change survives whole or not at all; renaming is atomic, between two
 * directories too; what was synced survives everything but the loss of the disk.
 */
export class BasicDisk implements SimDisk {
  readonly host: SimHost;
  readonly root: DiskDirectory = new DiskDirectory(ROOT_INODE);
  readonly #kernel: Kernel;
  readonly #names: NameJournal = new NameJournal();
  /** Files with unsynced changes, in the order in which they got their first. */
  readonly #dirty: Set<DiskFile> = new Set();
  #lastInode: number = ROOT_INODE;

  constructor(kernel: Kernel, host: SimHost) {
    this.#kernel = kernel;
    this.host = host;
  }

  portFor(process: SimProcess): Disk {
    return new DiskPort(this.#kernel, this, process);
  }

  powerLoss(): void {
    const random = this.#kernel.stream(`disk:${this.host.name}`);
    for (const file of this.#dirty) file.losePower(random.below(file.unsyncedChanges + 1));
    this.#dirty.clear();
    this.#names.losePower((changes) => random.below(changes + 1));
    this.root.losePower();
    invariant(this.#names.length === 0, "after a power loss all that is left is durable");
  }

  /** Everything on the disk as processes see it, sorted by path. */
  inspect(): readonly DiskEntrySnapshot[] {
    const found: DiskEntrySnapshot[] = [];
    collect(this.root, "", found);
    return found;
  }

  /** The bytes of a file, or null; for oracles, without a trace. */
  peek(path: string): Uint8Array | null {
    const node = this.nodeAt(path);
    return typeof node === "number" || node.kind === "directory" ? null : node.bytes();
  }

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
    file.sync();
    this.#dirty.delete(file);
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
    const refused = whyNotOnto(node, to);
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
    if (node.kind === "directory") return EISDIR;
    const place = this.placeOf(added);
    if (place === EINVAL) return EEXIST;
    if (typeof place === "number") return place;
    if (place.node !== null) return EEXIST;
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

  #nextInode(): number {
    this.#lastInode += 1;
    return this.#lastInode;
  }
}

function collect(directory: DiskDirectory, path: string, found: DiskEntrySnapshot[]): void {
  for (const name of directory.names()) {
    const node = present(directory.entries.get(name), "a directory holds the names it lists");
    const below = `${path}/${name}`;
    const { kind, inode } = node;
    const file = node.kind === "file" ? node : null;
    found.push({
      path: below,
      kind,
      inode,
      sizeBytes: file?.size ?? 0,
      unsyncedBytes: file?.unsyncedBytes ?? 0,
    });
    if (node.kind === "directory") collect(node, below, found);
  }
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
function whyNotOnto(node: DiskNode, to: Place): DiskResult {
  if (node.kind === "directory" && node.holds(to.directory)) return EINVAL;
  if (to.node === null) return DISK_OK;
  if (node.kind === "file") return to.node.kind === "directory" ? EISDIR : DISK_OK;
  if (to.node.kind === "file") return ENOTDIR;
  return to.node.entries.size > 0 ? ENOTEMPTY : DISK_OK;
}
