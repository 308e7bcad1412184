import type { CheckpointId } from "../base/units.ts";
import { NO_CHECKPOINT } from "../base/units.ts";
import type { VertexId } from "../graph/job-graph.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { TRACE } from "../ports/tracer.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { LocalCopies, LocalCopyOwner, LocalCopyResult } from "./local-copies.ts";
import type { LocalCopyWriter } from "./local-copy-writer.ts";

/** What `localCopyRead` says of a copy that cannot be used. */
export const LOCAL_COPY_FAULTS = { missing: -1, damaged: -2, unreadable: -3 } as const;
/** What `localCopyStored` says where the disk did not take the copy. */
export const LOCAL_COPY_NOT_STORED = -1;

/**
 * The task-local state as one attempt of one subtask uses it. Nothing here ever fails a checkpoint or a restore: what
 * the disk does not do is not there. After `close` (the attempt is over) nothing is stored any more, and what was
 * being stored is given up; copies that are there stay, for the attempt to come.
 */
export class TaskLocalState {
  readonly #ports: Pick<ProcessPorts, "tracer" | "scheduler">;
  readonly #copies: LocalCopies;
  readonly owner: LocalCopyOwner;
  readonly #subject: number;
  readonly #writing: Map<CheckpointId, LocalCopyWriter> = new Map();
  #closed = false;

  constructor(
    ports: Pick<ProcessPorts, "tracer" | "scheduler">,
    copies: LocalCopies,
    owner: LocalCopyOwner,
    subject: number,
  ) {
    this.#ports = ports;
    this.#copies = copies;
    this.owner = owner;
    this.#subject = subject;
  }

  /** Keeps a copy of the subtask's file; `done` is called once, when it is there, or will not be. */
  store(checkpointId: CheckpointId, file: Uint8Array, done: () => void): void {
    if (this.#closed) {
      done();
      return;
    }
    const writer = this.#copies.write(this.owner, checkpointId, file);
    this.#writing.set(checkpointId, writer);
    this.#write(checkpointId, writer, file.length, done);
  }

  /** The file of a subtask of the restored checkpoint (of this or, after a rescale, any other), if this host holds it intact. */
  read(
    source: { readonly vertex: VertexId; readonly subtask: number },
    checkpointId: CheckpointId,
    handle: FileHandle,
  ): LocalCopyResult {
    const result = this.#copies.read(this.owner.allocation, source, checkpointId, handle);
    const y = result.ok ? result.bytes.length : LOCAL_COPY_FAULTS[result.fault];
    this.#ports.tracer.point(TRACE.localCopyRead, this.#subject, checkpointId, y);
    return result;
  }

  /** The checkpoint completed. */
  confirm(checkpointId: CheckpointId): void {
    this.#pruned(checkpointId, this.#copies.confirm(this.owner, checkpointId));
  }

  /** The checkpoint was given up. */
  abort(checkpointId: CheckpointId): void {
    this.#giveUp(checkpointId);
    this.#pruned(checkpointId, this.#copies.abort(this.owner, checkpointId));
  }

  /** The attempt starts from this checkpoint, or from nothing. */
  restoring(checkpointId: CheckpointId | null): void {
    this.#pruned(checkpointId ?? NO_CHECKPOINT, this.#copies.restoring(this.owner, checkpointId));
  }

  /** The attempt is over. */
  close(): void {
    this.#closed = true;
    for (const checkpointId of [...this.#writing.keys()]) this.#giveUp(checkpointId);
  }

  /** The subtask ended for good: nothing is left of it. */
  dispose(): void {
    this.close();
    this.#pruned(NO_CHECKPOINT, this.#copies.dispose(this.owner));
  }

  #write(checkpointId: CheckpointId, writer: LocalCopyWriter, sizeBytes: number, done: () => void): void {
    if (writer.step()) {
      this.#ports.scheduler.resume(1, () => this.#write(checkpointId, writer, sizeBytes, done));
      return;
    }
    if (this.#writing.get(checkpointId) === writer) {
      this.#writing.delete(checkpointId);
      const y = writer.isStored ? sizeBytes : LOCAL_COPY_NOT_STORED;
      this.#ports.tracer.point(TRACE.localCopyStored, this.#subject, checkpointId, y);
    }
    // The disk has taken its time before anything follows.
    this.#ports.scheduler.resume(1, done);
  }

  #giveUp(checkpointId: CheckpointId): void {
    this.#writing.get(checkpointId)?.cancel();
    this.#writing.delete(checkpointId);
  }

  #pruned(checkpointId: CheckpointId, count: number): void {
    if (count > 0) this.#ports.tracer.point(TRACE.localCopiesPruned, this.#subject, checkpointId, count);
  }
}
