import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { TRACE } from "../ports/tracer.ts";
import type { StoreFile } from "../state/ordered-store.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { LocalCopyWriter } from "./local-copy-writer.ts";
import type { SharedFileCache } from "./shared-file-cache.ts";
import type { SharedFile } from "./subtask-state.ts";
import { LOCAL_COPY_FAULTS, LOCAL_COPY_NOT_STORED } from "./task-local-state.ts";

/** A file of an operator, as its backend names it. */
export interface OperatorFile {
  readonly uid: string;
  readonly file: StoreFile;
}

interface KnownFile {
  readonly handle: FileHandle;
  /** The latest checkpoint whose snapshot named it. */
  namedBy: CheckpointId;
}

export interface TaskSharedFilesContext {
  readonly ports: ProcessPorts;
  /** Null: this host keeps none. */
  readonly cache: SharedFileCache | null;
  readonly subject: number;
  /** Tells the subtask from all others of the job. */
  readonly subtask: string;
  readonly storagePrefix: string;
}

/**
 * The shared files of one attempt of one subtask: where in storage those are that its backends name, and which of
 * them its host keeps. Which files may be named again is the backends' to know (see UploadedFiles).
 */
export class TaskSharedFiles {
  readonly #context: TaskSharedFilesContext;
  /** By uid and name. */
  readonly #known: Map<string, KnownFile> = new Map();

  constructor(context: TaskSharedFilesContext) {
    this.#context = context;
  }

  get ports(): ProcessPorts {
    return this.#context.ports;
  }

  get subject(): number {
    return this.#context.subject;
  }

  /**
   * Where a new file goes. Its name is the backend's own, with node, subtask and attempt in it; the checkpoint in
   * front keeps apart what is uploaded anew because nobody knows yet whether the first upload will stay.
   */
  handleFor(checkpointId: CheckpointId, { name, sizeBytes, checksum }: StoreFile): FileHandle {
    return { key: `${this.#context.storagePrefix}/shared/chk-${checkpointId}/${name}`, sizeBytes, checksum };
  }

  /** A snapshot names a file that it has no bytes of. */
  placeholder(checkpointId: CheckpointId, { uid, file }: OperatorFile): SharedFile {
    const known = this.#known.get(idOf(uid, file.name));
    invariant(known !== undefined, "a backend names without bytes only what a completed checkpoint holds");
    known.namedBy = Math.max(known.namedBy, checkpointId);
    this.#context.cache?.use(known.handle, this.#userOf(checkpointId));
    this.#context.ports.tracer.point(TRACE.sharedFileReused, this.#context.subject, checkpointId, file.sizeBytes);
    return { uid, name: file.name, file: known.handle, isPlaceholder: true };
  }

  /** A snapshot uploaded a file. */
  uploaded(checkpointId: CheckpointId, { uid, file }: OperatorFile, handle: FileHandle): SharedFile {
    this.#known.set(idOf(uid, file.name), { handle, namedBy: checkpointId });
    return { uid, name: file.name, file: handle, isPlaceholder: false };
  }

  /** The attempt starts from a checkpoint that has this file. */
  restored(checkpointId: CheckpointId, { uid, name, file }: SharedFile): void {
    this.#known.set(idOf(uid, name), { handle: file, namedBy: checkpointId });
  }

  /** Keeps a file on the host, in steps; `done` is called once, when it is there, or will not be. */
  keep(checkpointId: CheckpointId, file: FileHandle, bytes: Uint8Array, isWanted: () => boolean, done: () => void): void {
    const writer = this.#context.cache?.write(file, bytes, this.#userOf(checkpointId)) ?? null;
    if (writer === null) done();
    else this.#write(checkpointId, writer, bytes.length, isWanted, done);
  }

  /** What this host holds of a file of the restored checkpoint, intact; else null. */
  cached(checkpointId: CheckpointId, file: FileHandle): Uint8Array | null {
    const { cache, ports, subject } = this.#context;
    if (cache === null) return null;
    const result = cache.read(file);
    const y = result.ok ? result.bytes.length : LOCAL_COPY_FAULTS[result.fault];
    ports.tracer.point(TRACE.cachedFileRead, subject, checkpointId, y);
    if (!result.ok) return null;
    cache.use(file, this.#userOf(checkpointId));
    return result.bytes;
  }

  /** The checkpoint completed: what no snapshot since names will not be named again. */
  confirm(checkpointId: CheckpointId): void {
    for (const [id, { namedBy }] of this.#known) if (namedBy < checkpointId) this.#known.delete(id);
    const { cache, subtask } = this.#context;
    if (cache !== null) this.#pruned(cache.confirm(subtask, checkpointId));
  }

  /** It was given up. */
  abort(checkpointId: CheckpointId): void {
    const { cache, subtask } = this.#context;
    if (cache !== null) this.#pruned(cache.abort(subtask, checkpointId));
  }

  #write(
    checkpointId: CheckpointId,
    writer: LocalCopyWriter,
    sizeBytes: number,
    isWanted: () => boolean,
    done: () => void,
  ): void {
    const { tracer, scheduler } = this.#context.ports;
    if (writer.step()) {
      scheduler.resume(1, () => {
        if (isWanted()) {
          this.#write(checkpointId, writer, sizeBytes, isWanted, done);
          return;
        }
        writer.cancel();
        done();
      });
      return;
    }
    const y = writer.isStored ? sizeBytes : LOCAL_COPY_NOT_STORED;
    tracer.point(TRACE.cachedFileStored, this.#context.subject, checkpointId, y);
    done();
  }

  #userOf(checkpointId: CheckpointId): { readonly subtask: string; readonly checkpointId: CheckpointId } {
    return { subtask: this.#context.subtask, checkpointId };
  }

  #pruned(count: number): void {
    if (count > 0) this.#context.ports.tracer.point(TRACE.cachedFilesPruned, this.#context.subject, count, 0);
  }
}

function idOf(uid: string, name: string): string {
  return `${uid}/${name}`;
}
