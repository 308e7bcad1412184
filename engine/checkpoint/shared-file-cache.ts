import { ByteWriter, utf8Length } from "../base/bytes.ts";
import { crc32 } from "../base/crc32.ts";
import { CACHED_BYTES_LIMIT, CACHED_FILES_LIMIT } from "../base/limits.ts";
import type { CheckpointId } from "../base/units.ts";
import type { Disk } from "../ports/disk.ts";
import { DISK_OK, EEXIST, EISDIR } from "../ports/disk.ts";
import { removeTree } from "../state/local-directory.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { readIntact } from "./intact-file.ts";
import type { LocalCopyFault, LocalCopyResult } from "./local-copies.ts";
import { LocalCopyWriter } from "./local-copy-writer.ts";

const FILE_NAME = /^[0-9a-f]{8}-[0-9a-f]{8}-(\d+)\.shared$/;
/** Who used a file before this attempt, or before this process: nobody knows whether somebody still does. */
const EARLIER = "earlier";

interface CachedFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** The checkpoints of each subtask that use it, by subtask; EARLIER for what came before. */
  readonly users: Map<string, Set<CheckpointId>>;
}

/** A checkpoint of a subtask, which uses files. */
export interface CacheUser {
  readonly subtask: string;
  readonly checkpointId: CheckpointId;
}

/**
 * Shared files on a worker's own disk, by their contents: what its subtasks uploaded or fetched, so that a restore
 * on this host fetches only what is not here.
 *
 *   <directory>/<CRC-32 of its key in storage>-<CRC-32 of the file>-<size in bytes>.shared
 *
 * The first two with 8 hexadecimal digits. The contents decide; the key is there because one CRC-32 alone would
 * take two of some ten thousand files of one size for the same.
 *
 * It is a cache: nothing depends on it but the cost of a restore. A file outlives the process. What is read counts
 * only where its length and checksum are those that the checkpoint names; a half-written, truncated or damaged one
 * is removed and reported as such. No call throws for a disk that refuses: what it does not take is not there.
 *
 * A file stays while a checkpoint that this worker knows uses it: the last one that completed, or one that is
 * neither completed nor aborted. What earlier attempts and processes left stays until a checkpoint completes: by then
 * every subtask of the attempt has restored. Beyond the limits the oldest go first.
 */
export class SharedFileCache {
  readonly #disk: Disk;
  readonly #directory: string;
  #isReady = false;
  /** By name, oldest first; null before the first use. */
  #files: Map<string, CachedFile> | null = null;
  #bytes = 0;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** An attempt of a subtask begins to restore: what the one before it used stays for a while. */
  beginAttempt(subtask: string): void {
    for (const { users } of this.#all().values()) if (users.delete(subtask)) users.set(EARLIER, new Set());
  }

  /** The file's bytes, if this host holds them intact. */
  read(file: FileHandle): LocalCopyResult {
    const name = nameOf(file);
    if (!this.#all().has(name)) return { ok: false, fault: "missing" };
    const bytes: Uint8Array | LocalCopyFault = readIntact(this.#disk, `${this.#directory}/${name}`, file);
    if (typeof bytes !== "string") return { ok: true, bytes };
    this.#remove(name);
    return { ok: false, fault: bytes };
  }

  /** Begins to keep a file for its user; null where it is here already (as far as anybody knows without reading it). */
  write(file: FileHandle, bytes: Uint8Array, user: CacheUser): LocalCopyWriter | null {
    const name = nameOf(file);
    this.use(file, user);
    if (this.#all().has(name)) return null;
    const isReady = this.#prepare();
    return new LocalCopyWriter(this.#disk, this.#directory, name, isReady ? bytes : null, () => {
      this.#add(name, file.sizeBytes);
      this.use(file, user);
    });
  }

  /** The file is part of this checkpoint, too. */
  use(file: FileHandle, { subtask, checkpointId }: CacheUser): void {
    const users = this.#all().get(nameOf(file))?.users;
    if (users === undefined) return;
    const checkpoints = users.get(subtask);
    if (checkpoints === undefined) users.set(subtask, new Set([checkpointId]));
    else checkpoints.add(checkpointId);
  }

  /** The checkpoint completed: older ones of the subtask are of no use here. Returns how many files went. */
  confirm(subtask: string, checkpointId: CheckpointId): number {
    return this.#prune(subtask, (id) => id < checkpointId, true);
  }

  /** It was given up. */
  abort(subtask: string, checkpointId: CheckpointId): number {
    return this.#prune(subtask, (id) => id === checkpointId, false);
  }

  /** For inspection: the names of what is here, as far as this process knows. */
  inspect(): readonly string[] {
    return [...this.#all().keys()];
  }

  #prune(subtask: string, isOver: (checkpointId: CheckpointId) => boolean, forgetsEarlier: boolean): number {
    const unused: string[] = [];
    for (const { name, users } of this.#all().values()) {
      const checkpoints = users.get(subtask);
      if (checkpoints !== undefined) {
        for (const id of checkpoints) if (isOver(id)) checkpoints.delete(id);
        if (checkpoints.size === 0) users.delete(subtask);
      }
      if (forgetsEarlier) users.delete(EARLIER);
      if (users.size === 0) unused.push(name);
    }
    for (const name of unused) this.#remove(name);
    return unused.length;
  }

  #all(): Map<string, CachedFile> {
    this.#files ??= this.#load();
    return this.#files;
  }

  #load(): Map<string, CachedFile> {
    const found = new Map<string, CachedFile>();
    const names = this.#disk.list(this.#directory);
    if (typeof names === "number") return found;
    for (const name of names) {
      const match = FILE_NAME.exec(name);
      if (match === null) {
        this.#removeAny(name);
        continue;
      }
      const sizeBytes = Number(match[1]);
      found.set(name, { name, sizeBytes, users: new Map([[EARLIER, new Set()]]) });
      this.#bytes += sizeBytes;
    }
    return found;
  }

  #add(name: string, sizeBytes: number): void {
    const files = this.#all();
    if (files.has(name)) return;
    files.set(name, { name, sizeBytes, users: new Map() });
    this.#bytes += sizeBytes;
    for (const oldest of files.keys()) {
      if (files.size <= CACHED_FILES_LIMIT && this.#bytes <= CACHED_BYTES_LIMIT) break;
      this.#remove(oldest);
    }
  }

  #remove(name: string): void {
    const files = this.#all();
    const file = files.get(name);
    if (file === undefined) return;
    files.delete(name);
    this.#bytes -= file.sizeBytes;
    this.#removeAny(name);
  }

  #removeAny(name: string): void {
    const path = `${this.#directory}/${name}`;
    if (this.#disk.unlink(path) === EISDIR) removeTree(this.#disk, path);
  }

  /** Makes the directory and its name durable. False where the disk does not let us. */
  #prepare(): boolean {
    if (this.#isReady) return true;
    const made = this.#disk.makeDirectory(this.#directory);
    if (made < DISK_OK && made !== EEXIST) return false;
    const above = this.#directory.slice(0, this.#directory.lastIndexOf("/"));
    this.#isReady = this.#disk.fsyncDirectory(above) >= DISK_OK;
    return true;
  }
}

function nameOf({ key, checksum, sizeBytes }: FileHandle): string {
  const writer = new ByteWriter(key.length);
  writer.utf8(key, utf8Length(key));
  return `${digits(crc32(writer.take()))}-${digits(checksum)}-${sizeBytes}.shared`;
}

function digits(checksum: number): string {
  return (checksum >>> 0).toString(16).padStart(8, "0");
}
