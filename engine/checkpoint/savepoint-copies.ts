import { crc32 } from "../base/crc32.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { CheckpointMetadata } from "./checkpoint-metadata.ts";
import { snapshotFolder } from "./checkpoint-metadata.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { PendingCheckpoint } from "./pending-checkpoint.ts";
import { retryStorage } from "./storage-retry.ts";
import type { SubtaskState } from "./subtask-state.ts";
import { handlesOf } from "./subtask-state.ts";

export interface SavepointCopiesContext {
  readonly ports: ProcessPorts;
  readonly storagePrefix: string;
  readonly attempt: number;
  /** False: what is still to be copied is not. */
  isWanted(): boolean;
}

/**
 * A savepoint is complete in itself. Tasks that had finished before it wrote nothing for it: what they left lies in
 * files of checkpoints, which the job deletes. So these are copied, byte for byte, in the form that they have.
 */
export class SavepointCopies {
  readonly #context: SavepointCopiesContext;
  readonly #checkpoint: PendingCheckpoint;
  readonly #metadata: CheckpointMetadata;
  readonly #folder: string;
  /** By key of the original. */
  readonly #copies: Map<string, FileHandle> = new Map();

  constructor(context: SavepointCopiesContext, checkpoint: PendingCheckpoint, metadata: CheckpointMetadata) {
    this.#context = context;
    this.#checkpoint = checkpoint;
    this.#metadata = metadata;
    this.#folder = `${snapshotFolder(context.storagePrefix, metadata.kind, metadata.checkpointId)}/`;
  }

  /** `done` gets the savepoint as it names its own files alone, or null where one could not be copied. */
  run(done: (metadata: CheckpointMetadata | null) => void): void {
    const foreign = this.#foreign();
    const copyFrom = (at: number): void => {
      const file = foreign[at];
      if (file === undefined) {
        done(this.#withCopies());
        return;
      }
      const copy: FileHandle = { ...file, key: `${this.#folder}finished-a${this.#context.attempt}-${at}` };
      this.#copy(file, copy, (error) => {
        if (error !== null) done(null);
        else copyFrom(at + 1);
      });
    };
    copyFrom(0);
  }

  /** Each once. */
  #foreign(): readonly FileHandle[] {
    const files = new Map<string, FileHandle>();
    for (const { subtasks } of this.#metadata.vertices) {
      for (const state of subtasks) for (const file of state === null ? [] : handlesOf(state)) files.set(file.key, file);
    }
    return [...files.values()].filter(({ key }) => !key.startsWith(this.#folder));
  }

  #copy(file: FileHandle, copy: FileHandle, done: (error: string | null) => void): void {
    const { ports, isWanted } = this.#context;
    const { blobs, scheduler } = ports;
    let bytes: Uint8Array | null = null;
    const read = (report: (error: string | null) => void): void => {
      blobs.get(file.key, (reply) => {
        const isWhole = reply.ok && reply.value.length === file.sizeBytes && crc32(reply.value) === file.checksum;
        if (isWhole) bytes = reply.value;
        report(isWhole ? null : `${file.key} cannot be read`);
      });
    };
    retryStorage(scheduler, read, isWanted, (error) => {
      if (error !== null || bytes === null) {
        done(error);
        return;
      }
      const content = bytes;
      this.#checkpoint.copies.push(copy.key);
      this.#copies.set(file.key, copy);
      retryStorage(scheduler, (report) => blobs.put(copy.key, content, (reply) => report(reply.ok ? null : reply.code)), isWanted, done);
    });
  }

  #withCopies(): CheckpointMetadata {
    const own = (file: FileHandle): FileHandle => this.#copies.get(file.key) ?? file;
    const ownState = (state: SubtaskState | null): SubtaskState | null => {
      if (state === null) return null;
      return { ...state, file: state.file === null ? null : own(state.file), shared: state.shared.map((one) => ({ ...one, file: own(one.file) })) };
    };
    const vertices = this.#metadata.vertices.map((vertex) => ({ ...vertex, subtasks: vertex.subtasks.map(ownState) }));
    return { ...this.#metadata, vertices };
  }
}
