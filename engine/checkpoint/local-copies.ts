import { LOCAL_COPIES_LIMIT } from "../base/limits.ts";
import type { CheckpointId } from "../base/units.ts";
import type { VertexId } from "../graph/job-graph.ts";
import type { Disk } from "../ports/disk.ts";
import { EEXIST, EISDIR, ENOENT } from "../ports/disk.ts";
import { removeTree } from "../state/local-directory.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { readIntact } from "./intact-file.ts";
import { LocalCopyWriter } from "./local-copy-writer.ts";

/** Whose copy it is: a subtask, in one allocation (slot) of its worker. */
export interface LocalCopyOwner {
  readonly allocation: number;
  readonly vertex: VertexId;
  readonly subtask: number;
}

export interface LocalCopy extends LocalCopyOwner {
  readonly checkpointId: CheckpointId;
}

/** Why a copy cannot be used: there is none, it is not what the checkpoint holds, or the disk does not give it. */
export type LocalCopyFault = "missing" | "damaged" | "unreadable";
export type LocalCopyResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly fault: LocalCopyFault };

const ALLOCATION_NAME = /^slot-(\d+)$/;
const COPY_NAME = /^v(\d+)-s(\d+)-chk-(\d+)\.copy$/;

/**
 * The task-local state of a worker (Flink: TaskLocalStateStoreImpl): copies of the files that its subtasks wrote
 * to remote storage, on the host's own disk, so that a restore on the same host need not fetch them.
 *
 *   <directory>/slot-<allocation>/v<vertex>-s<subtask>-chk-<checkpoint>.copy
 *
 * A file holds all operators of its chain, and no two subtasks share one: pruning one never takes another's
 * (FLINK-12296). Copies outlive the process, not the allocation. They are a cache: nothing depends on them but
 * the cost of a restore. So a disk that refuses only means that there is no copy, no call here throws for it, and
 * what is read counts only where it is, to the length and the checksum, the file that the checkpoint names:
 * a stale, foreign, half-written or silently damaged copy is removed and reported as such.
 *
 * Kept in memory is what there is, read from the disk at the first use: whatever does not look like a copy is
 * removed then.
 */
export class LocalCopies {
  readonly #disk: Disk;
  readonly #directory: string;
  /** Allocations that have a directory. */
  readonly #allocations: Set<number> = new Set();
  /** Those whose directory's name is durable. */
  readonly #prepared: Set<number> = new Set();
  #copies: LocalCopy[] | null = null;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Begins a copy of `file`; what is there of the same checkpoint is replaced when it is whole. */
  write(owner: LocalCopyOwner, checkpointId: CheckpointId, file: Uint8Array): LocalCopyWriter {
    this.#all();
    const copy: LocalCopy = { ...owner, checkpointId };
    const directory = this.#directoryOf(owner.allocation);
    const isReady = this.#prepare(owner.allocation, directory);
    return new LocalCopyWriter(this.#disk, directory, nameOf(copy), isReady ? file : null, () => this.#add(copy));
  }

  /**
   * The file that the handle names, as a copy holds it. That of the allocation is looked for first, then those of
   * others: after a change of parallelism or of slots, the pieces of other subtasks.
   */
  read(
    allocation: number,
    source: { readonly vertex: VertexId; readonly subtask: number },
    checkpointId: CheckpointId,
    handle: FileHandle,
  ): LocalCopyResult {
    let fault: LocalCopyFault = "missing";
    const candidates = this.#all().filter(
      (copy) => copy.vertex === source.vertex && copy.subtask === source.subtask && copy.checkpointId === checkpointId,
    );
    candidates.sort((left, right) => Number(right.allocation === allocation) - Number(left.allocation === allocation));
    for (const copy of candidates) {
      const bytes = readIntact(this.#disk, this.#pathOf(copy), handle);
      if (typeof bytes !== "string") return { ok: true, bytes };
      fault = bytes;
      this.#remove((one) => one === copy);
    }
    return { ok: false, fault };
  }

  /** The checkpoint completed: older ones will not be restored any more. Returns how many copies went. */
  confirm(owner: LocalCopyOwner, checkpointId: CheckpointId): number {
    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId < checkpointId);
  }

  /** The checkpoint was given up. */
  abort(owner: LocalCopyOwner, checkpointId: CheckpointId): number {
    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId === checkpointId);
  }

  /**
   * The subtask starts again from this checkpoint (null: from nothing): of its own, no other copy is of any use.
   * A newer one belongs to a checkpoint that never completed (FLINK-8777).
   */
  restoring(owner: LocalCopyOwner, checkpointId: CheckpointId | null): number {
    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId !== checkpointId);
  }

  /** Frees every other allocation, with all it holds. */
  keepAllocations(allocations: readonly number[]): number {
    const removed = this.#forget((copy) => !allocations.includes(copy.allocation));
    for (const allocation of [...this.#allocations]) {
      if (allocations.includes(allocation)) continue;
      this.#allocations.delete(allocation);
      this.#prepared.delete(allocation);
      removeTree(this.#disk, this.#directoryOf(allocation));
    }
    return removed.length;
  }

  /** Those that hold copies, in order: where their subtasks would find them. */
  allocations(): readonly number[] {
    const found = new Set(this.#all().map(({ allocation }) => allocation));
    return [...found].sort((left, right) => left - right);
  }

  /** For inspection: what is there as far as this process knows. */
  inspect(): readonly LocalCopy[] {
    return this.#all();
  }

  /** The slot is free, or the subtask ended for good: all its copies go. */
  dispose(owner: LocalCopyOwner): number {
    return this.#remove((copy) => isOf(copy, owner));
  }

  #pathOf(copy: LocalCopy): string {
    return `${this.#directoryOf(copy.allocation)}/${nameOf(copy)}`;
  }

  #directoryOf(allocation: number): string {
    return `${this.#directory}/slot-${allocation}`;
  }

  #all(): LocalCopy[] {
    this.#copies ??= this.#load();
    return this.#copies;
  }

  #load(): LocalCopy[] {
    const found: LocalCopy[] = [];
    for (const name of namesIn(this.#disk, this.#directory)) {
      const allocation = numbersIn(ALLOCATION_NAME, name)?.[0];
      if (allocation !== undefined && `slot-${allocation}` === name) this.#loadAllocation(allocation, found);
      else removeAny(this.#disk, `${this.#directory}/${name}`);
    }
    return found;
  }

  #loadAllocation(allocation: number, found: LocalCopy[]): void {
    this.#allocations.add(allocation);
    const directory = this.#directoryOf(allocation);
    for (const name of namesIn(this.#disk, directory)) {
      const [vertex, subtask, checkpointId] = numbersIn(COPY_NAME, name) ?? [];
      const copy = { allocation, vertex: vertex ?? -1, subtask: subtask ?? -1, checkpointId: checkpointId ?? -1 };
      if (nameOf(copy) === name) found.push(copy);
      else removeAny(this.#disk, `${directory}/${name}`);
    }
  }

  /** Makes the directory and its name, and those above it, durable. False where the disk does not let us. */
  #prepare(allocation: number, directory: string): boolean {
    if (this.#prepared.has(allocation)) return true;
    let isDurable = true;
    let parent = "/";
    for (let end = directory.indexOf("/", 1); ; end = directory.indexOf("/", end + 1)) {
      const path = end < 0 ? directory : directory.slice(0, end);
      const made = this.#disk.makeDirectory(path);
      if (made < 0 && made !== EEXIST) return false;
      // One that is there already may owe its name to somebody who died before the fsync.
      if (this.#disk.fsyncDirectory(parent) < 0) isDurable = false;
      parent = path;
      if (end < 0) break;
    }
    this.#allocations.add(allocation);
    if (isDurable) this.#prepared.add(allocation);
    return true;
  }

  #add(copy: LocalCopy): void {
    const all = this.#all();
    const own = all.filter((one) => isOf(one, copy) && one.checkpointId !== copy.checkpointId);
    this.#copies = [...all.filter((one) => !isOf(one, copy)), ...own, copy];
    if (own.length < LOCAL_COPIES_LIMIT) return;
    // The lowest is the last one known to have completed: what was below went with it. So the next one goes.
    const ids = own.map(({ checkpointId }) => checkpointId).sort((left, right) => left - right);
    this.#remove((one) => isOf(one, copy) && one.checkpointId === (ids[1] ?? ids[0]));
  }

  #remove(which: (copy: LocalCopy) => boolean): number {
    const removed = this.#forget(which);
    for (const copy of removed) removeAny(this.#disk, this.#pathOf(copy));
    return removed.length;
  }

  #forget(which: (copy: LocalCopy) => boolean): readonly LocalCopy[] {
    const all = this.#all();
    const gone = all.filter(which);
    if (gone.length > 0) this.#copies = all.filter((copy) => !which(copy));
    return gone;
  }
}

function isOf(copy: LocalCopy, owner: LocalCopyOwner): boolean {
  return copy.allocation === owner.allocation && copy.vertex === owner.vertex && copy.subtask === owner.subtask;
}

function nameOf({ vertex, subtask, checkpointId }: LocalCopy): string {
  return `v${vertex}-s${subtask}-chk-${checkpointId}.copy`;
}

function numbersIn(pattern: RegExp, name: string): readonly number[] | null {
  const match = pattern.exec(name);
  return match === null ? null : match.slice(1).map(Number);
}

/** A directory that cannot be listed holds nothing that we could use: it is taken away, as far as the disk lets us. */
function namesIn(disk: Disk, directory: string): readonly string[] {
  const names = disk.list(directory);
  if (typeof names !== "number") return names;
  if (names !== ENOENT) removeAny(disk, directory);
  return [];
}

function removeAny(disk: Disk, path: string): void {
  if (disk.unlink(path) === EISDIR) removeTree(disk, path);
}
