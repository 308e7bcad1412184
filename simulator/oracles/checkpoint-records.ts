import { crc32 } from "../../engine/base/crc32.ts";
import { decode } from "../../engine/base/codec.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { CheckpointMetadata } from "../../engine/checkpoint/checkpoint-metadata.ts";
import { parseSavepoint, savepointPrefix } from "../../engine/checkpoint/savepoint-record.ts";
import type { FileHandle } from "../../engine/checkpoint/checksummed-file.ts";
import type { SubtaskSnapshot } from "../../engine/checkpoint/snapshot-file.ts";
import type { SubtaskState } from "../../engine/checkpoint/subtask-state.ts";
import type { Fence, Register } from "../../engine/ports/coordination.ts";
import type { CoordinationObserver } from "../hosts/service-observers.ts";
import type { JobUpgrade } from "../scenario.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { World } from "../world/world.ts";
import { JOB_ID } from "../world/world.ts";
import { RecordedStates } from "./recorded-state.ts";

const PREFIX = `${JOB_ID}/checkpoints/`;
const SAVEPOINTS: string = savepointPrefix(JOB_ID);
/** Magic in front of a file's value, checksum behind it (see checksummed-file). */
const HEAD_BYTES = 4;
const TAIL_BYTES = 4;
/** Records whose files are kept in mind after they were removed. */
const REMEMBERED = 8;

/** True for the key of the record of a completed checkpoint. */
export function isCheckpointRecord(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** A file that a record references, and its bytes as they were when the record was written. */
export interface RecordedFile {
  readonly handle: FileHandle;
  /** Null where the store did not hold it. */
  bytes: Uint8Array | null;
  /** The snapshot in it, once somebody asked. */
  snapshot: SubtaskSnapshot | null;
}

/** A completed checkpoint as Coordination and the blob store show it. */
export interface CheckpointRecord {
  readonly checkpointId: CheckpointId;
  /** By key; the metadata file itself is the first. */
  readonly files: ReadonlyMap<string, RecordedFile>;
  /** Null where the metadata file was not there, or not readable. */
  readonly metadata: CheckpointMetadata | null;
  /** What was wrong at the commit point, or null. */
  readonly problem: string | null;
  /** Who wrote it; null: it was there before the run, which goes on from where another one stood. */
  readonly process: SimProcess | null;
  /** A savepoint with which the job goes on: nobody is told of it, and nothing restarts from it. */
  readonly isAside: boolean;
  /** False once the record is gone from Coordination. */
  retained: boolean;
}

/** Told after the records were brought up to date, in the step of the write. */
export interface RecordListener {
  recordWritten?(record: CheckpointRecord): void;
  /** A savepoint, with which nothing of the job's changes. One that the job stops with is a checkpoint like any other. */
  savepointWritten?(record: CheckpointRecord): void;
  recordRemoved?(record: CheckpointRecord, process: SimProcess, fence: Fence): void;
}

/**
 * The records of completed checkpoints in Coordination with the files that they reference, read once for all
 * oracles that need them. Checksums are computed once for each object that was ever stored.
 */
export class CheckpointRecords implements CoordinationObserver {
  /** The latest ever written, or null: a checkpoint, or a savepoint that the job stopped with. */
  latest: CheckpointRecord | null = null;
  /** The state in their files, by operator. */
  readonly states: RecordedStates = new RecordedStates(this);
  readonly #world: World;
  readonly #byId: Map<CheckpointId, CheckpointRecord> = new Map();
  /** By key of a file: the retained records that reference it; shared ones have several. */
  readonly #references: Map<string, readonly CheckpointRecord[]> = new Map();
  readonly #checksums: Map<string, { readonly bytes: Uint8Array; readonly checksum: number }> = new Map();
  readonly #removed: CheckpointRecord[] = [];
  readonly #listeners: RecordListener[] = [];

  private constructor(world: World) {
    this.#world = world;
  }

  /** The one of this World; made, and subscribed, at the first call. */
  static of(world: World): CheckpointRecords {
    for (const observer of world.coordinationObservers) if (observer instanceof CheckpointRecords) return observer;
    const made = new CheckpointRecords(world);
    world.coordinationObservers.push(made);
    if (world.options.services !== undefined) made.#adopt();
    return made;
  }

  /** A value of another version of the job, as the scenario's job reads it; null where there is no other version. */
  get migrated(): JobUpgrade["migrated"] | null {
    return this.#world.options.scenario.upgrade?.migrated ?? null;
  }

  listen(listener: RecordListener): void {
    this.#listeners.push(listener);
  }

  /** The record of a checkpoint, also after it was removed; null where none was ever written. */
  byId(checkpointId: CheckpointId): CheckpointRecord | null {
    return this.#byId.get(checkpointId) ?? null;
  }

  /** The latest retained record that references a file, or null. */
  referencing(key: string): CheckpointRecord | null {
    return this.#references.get(key)?.at(-1) ?? null;
  }

  /** The snapshot in a file of a record, read once; null where its bytes are missing. */
  snapshotOf(record: CheckpointRecord, key: string): SubtaskSnapshot | null {
    const file = record.files.get(key);
    if (file === undefined) return null;
    if (file.bytes !== null) file.snapshot ??= valueOfFile(file.bytes) as SubtaskSnapshot;
    return file.snapshot;
  }

  /** The bytes of a file of a record as they were when it was written; null where they are missing. */
  bytesOf(record: CheckpointRecord, key: string): Uint8Array | null {
    return record.files.get(key)?.bytes ?? null;
  }

  /** What is wrong with a file in the store right now, or null. */
  problemOf(handle: FileHandle): string | null {
    const bytes = this.#world.blobs.peek(handle.key);
    if (bytes === null) return `${handle.key} is not in the blob store`;
    if (bytes.length !== handle.sizeBytes) return `${handle.key} holds ${bytes.length} bytes, not ${handle.sizeBytes}`;
    if (this.#checksumOf(handle.key, bytes) !== handle.checksum) return `${handle.key} has another checksum`;
    return null;
  }

  onWrite(process: SimProcess, before: Register, after: Register, fence: Fence): void {
    const isSavepoint = after.key.startsWith(SAVEPOINTS);
    if (!isSavepoint && !isCheckpointRecord(after.key)) return;
    if (before.value !== null) this.#remove(checkpointOf(before.key, before.value), process, fence);
    if (after.value === null) return;
    const record = this.#add(after.key, after.value, process);
    if (record.isAside) {
      for (const listener of this.#listeners) listener.savepointWritten?.(record);
      return;
    }
    this.latest = record;
    for (const listener of this.#listeners) listener.recordWritten?.(record);
  }

  /** What another run left is complete when this one begins: nobody is told of it. */
  #adopt(): void {
    const { coordination } = this.#world;
    const found = [...coordination.registers(SAVEPOINTS), ...coordination.registers(PREFIX)];
    for (const { key, value } of found) {
      if (value === null) continue;
      const record = this.#add(key, value, null);
      if (!record.isAside && record.checkpointId > (this.latest?.checkpointId ?? NO_CHECKPOINT)) this.latest = record;
    }
  }

  #add(key: string, value: string, process: SimProcess | null): CheckpointRecord {
    const savepoint = key.startsWith(SAVEPOINTS) ? parseSavepoint(value) : null;
    const file = savepoint === null ? (JSON.parse(value) as FileHandle) : savepoint.file;
    const record = this.#read(checkpointOf(key, value), file, process, savepoint !== null && savepoint.stop === null);
    this.#byId.set(record.checkpointId, record);
    for (const named of record.files.keys()) this.#references.set(named, [...(this.#references.get(named) ?? []), record]);
    return record;
  }

  #remove(checkpointId: CheckpointId, process: SimProcess, fence: Fence): void {
    const record = this.#byId.get(checkpointId);
    if (record === undefined) return;
    record.retained = false;
    for (const key of record.files.keys()) {
      const left = (this.#references.get(key) ?? []).filter((one) => one !== record);
      if (left.length > 0) this.#references.set(key, left);
      else {
        this.#references.delete(key);
        this.#checksums.delete(key);
      }
    }
    this.#removed.push(record);
    if (this.#removed.length > REMEMBERED) {
      for (const file of this.#removed.shift()?.files.values() ?? []) {
        file.bytes = null;
        file.snapshot = null;
      }
    }
    for (const listener of this.#listeners) listener.recordRemoved?.(record, process, fence);
  }

  #read(checkpointId: CheckpointId, file: FileHandle, process: SimProcess | null, isAside: boolean): CheckpointRecord {
    const files = new Map<string, RecordedFile>([[file.key, this.#fileOf(file)]]);
    let problem = this.problemOf(file);
    let metadata: CheckpointMetadata | null = null;
    if (problem === null) {
      metadata = valueOfFile(this.#world.blobs.peek(file.key) ?? NO_BYTES) as CheckpointMetadata;
      for (const handle of handlesOf(metadata)) {
        files.set(handle.key, this.#fileOf(handle));
        problem ??= this.problemOf(handle);
      }
      if (metadata.checkpointId !== checkpointId) problem = `${file.key} is of checkpoint ${metadata.checkpointId}`;
    }
    return { checkpointId, files, metadata, problem, process, isAside, retained: true };
  }

  #fileOf(handle: FileHandle): RecordedFile {
    return { handle, bytes: this.#world.blobs.peek(handle.key), snapshot: null };
  }

  #checksumOf(key: string, bytes: Uint8Array): number {
    const known = this.#checksums.get(key);
    if (known !== undefined && known.bytes === bytes) return known.checksum;
    const checksum = crc32(bytes);
    this.#checksums.set(key, { bytes, checksum });
    return checksum;
  }
}

/** Which checkpoint the register of a record speaks of. */
function checkpointOf(key: string, value: string): CheckpointId {
  return key.startsWith(SAVEPOINTS) ? parseSavepoint(value).checkpointId : Number(key.slice(PREFIX.length));
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The value inside a checksummed file. */
export function valueOfFile(bytes: Uint8Array): unknown {
  return decode(bytes.subarray(HEAD_BYTES, bytes.length - TAIL_BYTES));
}

/** Every file that the metadata names, each once: shared ones may serve several subtasks. */
function handlesOf(metadata: CheckpointMetadata): readonly FileHandle[] {
  const handles = new Map<string, FileHandle>();
  for (const { subtasks } of metadata.vertices) {
    for (const state of subtasks) for (const file of state === null ? [] : filesNamedBy(state)) handles.set(file.key, file);
  }
  return [...handles.values()];
}

/** The files of a subtask's part of a checkpoint: its own, then those that it shares. */
export function filesNamedBy({ file, shared }: SubtaskState): readonly FileHandle[] {
  const files = shared.map((one) => one.file);
  return file === null ? files : [file, ...files];
}
