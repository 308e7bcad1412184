import { invariant } from "../base/assert.ts";
import { UnencodableValueError } from "../base/codec.ts";
import { SNAPSHOT_ENTRIES_PER_STEP } from "../base/limits.ts";
import type { CheckpointId } from "../base/units.ts";
import type { VertexId } from "../graph/job-graph.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { TRACE } from "../ports/tracer.ts";
import { snapshotFolder } from "./checkpoint-metadata.ts";
import type { SnapshotKind } from "./checkpoint-properties.ts";
import { StateStorageError } from "../state/state-errors.ts";
import { retryStorage } from "./storage-retry.ts";
import type { IncrementalSnapshotWriter, KeyedBackend, SnapshotWriter } from "../state/keyed-backend.ts";
import type { OperatorSnapshot } from "./snapshot-file.ts";
import type { InFlightEdges, SubtaskState } from "./subtask-state.ts";
import type { ChannelContents, ChannelState } from "./channel-state.ts";
import { recordsInFlight } from "./channel-state.ts";
import type { ChannelStateWriter } from "./channel-state-writer.ts";
import { holdsUnionState } from "../state/operator-state-redistribution.ts";
import type { FileSealer } from "./checksummed-file.ts";
import { handleOf } from "./checksummed-file.ts";
import { encodeSnapshotFile } from "./snapshot-file.ts";
import { SharedUploads } from "./shared-uploads.ts";
import type { OperatorFile, TaskSharedFiles } from "./task-shared-files.ts";
import type { TaskLocalState } from "./task-local-state.ts";

/** How the asynchronous part of a snapshot ended. */
export type SnapshotOutcome =
  | { readonly ok: true; readonly state: SubtaskState | null }
  | { readonly ok: false; readonly reason: string };

export interface SnapshotOwner {
  readonly ports: ProcessPorts;
  readonly subject: number;
  readonly attempt: number;
  readonly vertex: VertexId;
  readonly subtask: number;
  readonly storagePrefix: string;
  readonly sealer: FileSealer;
  /** Null: no copies are kept on the host. */
  readonly localState: TaskLocalState | null;
  /** Null: every checkpoint holds all of the state in the subtask's own file. */
  readonly sharedFiles: TaskSharedFiles | null;
}

/** Keyed state as it is frozen: for the subtask's own file, or as files that checkpoints share. */
type CapturedKeyed =
  | { readonly isShared: false; readonly writer: SnapshotWriter }
  | { readonly isShared: true; readonly writer: IncrementalSnapshotWriter };

interface CapturedOperator {
  readonly uid: string;
  readonly keyed: CapturedKeyed | null;
  readonly lists: Uint8Array;
}

/** What of a snapshot goes where. */
interface SerializedSnapshot {
  readonly operators: readonly OperatorSnapshot[];
  readonly files: readonly OperatorFile[];
  readonly channels: ChannelState | null;
}

/** Key of the file of one subtask; the attempt in it keeps the files of a zombie apart from its successor's. */
export function snapshotKey(owner: SnapshotOwner, kind: SnapshotKind, checkpointId: CheckpointId): string {
  return `${snapshotFolder(owner.storagePrefix, kind, checkpointId)}/v${owner.vertex}-s${owner.subtask}-a${owner.attempt}`;
}

/**
 * The snapshot of one subtask for one checkpoint. The constructor is the synchronous part: it captures the
 * state as it is. `run` is the asynchronous part, in steps between which the task goes on processing:
 * serialize, let sinks prepare their transactions, wait until all that is in flight is known, upload the shared
 * files, write the subtask's own file, keep a copy of it where copies are kept; only
 * then may the task acknowledge, with what is in remote storage, whatever became of the copy.
 * A savepoint goes the same way, in canonical form, with nothing shared and nothing kept on the host.
 * `cancel` gives up at any point; what was uploaded by then is deleted again.
 */
export class TaskSnapshot {
  readonly checkpointId: CheckpointId;
  readonly #owner: SnapshotOwner;
  readonly #kind: SnapshotKind;
  readonly #captured: readonly CapturedOperator[];
  readonly #chain: OperatorChain;
  readonly #channels: ChannelStateWriter;
  #state: "captured" | "running" | "cancelled" | "done" = "captured";

  /** `channels` gathers what is in flight, and may go on with that after this. */
  constructor(
    owner: SnapshotOwner,
    chain: OperatorChain,
    checkpointId: CheckpointId,
    channels: ChannelStateWriter,
    kind: SnapshotKind = "checkpoint",
  ) {
    this.#kind = kind;
    this.#channels = channels;
    this.#owner = owner;
    this.#chain = chain;
    this.checkpointId = checkpointId;
    this.#captured = chain.operators.map((operator) => ({
      uid: operator.node.uid,
      keyed: operator.keyed === null ? null : this.#capture(operator.keyed),
      lists: operator.lists.bytes(),
    }));
  }

  #capture(keyed: KeyedBackend): CapturedKeyed {
    const { checkpointId } = this;
    // A savepoint is complete in itself, and in the form that every backend reads.
    if (this.#kind === "savepoint") return { isShared: false, writer: keyed.snapshot() };
    if (this.#owner.sharedFiles === null || keyed.incremental === null) return { isShared: false, writer: keyed.checkpoint(checkpointId) };
    return { isShared: true, writer: keyed.incremental.snapshot(checkpointId) };
  }

  run(done: (outcome: SnapshotOutcome) => void): void {
    invariant(this.#state === "captured", "a snapshot runs once");
    this.#state = "running";
    this.#serializeStep(0, done);
  }

  /** Gives up. True if it was still under way. */
  cancel(): boolean {
    if (this.#state === "cancelled" || this.#state === "done") return false;
    this.#state = "cancelled";
    for (const { keyed } of this.#captured) keyed?.writer.cancel();
    this.#owner.ports.tracer.point(TRACE.snapshotCancelled, this.#owner.subject, this.checkpointId, 0);
    return true;
  }

  /** Barriers wait in the task's outputs. */
  get awaitsOutputs(): boolean {
    return this.#channels.awaitsOutputs;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  #serializeStep(from: number, done: (outcome: SnapshotOutcome) => void): void {
    const { ports, subject } = this.#owner;
    let index = from;
    while (index < this.#captured.length) {
      const writer = this.#captured[index]?.keyed?.writer ?? null;
      if (writer !== null) {
        const left = this.#unlessItFails(() => writer.step(SNAPSHOT_ENTRIES_PER_STEP), done);
        if (left === null) return;
        if (left > 0) {
          ports.tracer.point(TRACE.snapshotSerialized, subject, this.checkpointId, left);
          ports.scheduler.resume(SNAPSHOT_ENTRIES_PER_STEP, () => {
            if (this.isRunning) this.#serializeStep(index, done);
          });
          return;
        }
      }
      index += 1;
    }
    ports.tracer.point(TRACE.snapshotSerialized, subject, this.checkpointId, 0);
    this.#prepare(done);
  }

  /**
   * The result, or null where local storage failed or a value of the user's cannot be written: the snapshot is
   * over then, and the task goes on.
   */
  #unlessItFails<T>(action: () => T, done: (outcome: SnapshotOutcome) => void): T | null {
    try {
      return action();
    } catch (error) {
      const reason = failureText(error);
      if (reason === null) throw error;
      for (const { keyed } of this.#captured) keyed?.writer.cancel();
      this.#finish({ ok: false, reason }, done);
      return null;
    }
  }

  #prepare(done: (outcome: SnapshotOutcome) => void): void {
    this.#chain.prepareCommit(this.checkpointId, (error) => {
      if (!this.isRunning) return;
      if (error !== null) this.#finish({ ok: false, reason: error }, done);
      else this.#awaitChannels(done);
    });
  }

  #awaitChannels(done: (outcome: SnapshotOutcome) => void): void {
    this.#channels.whenComplete(() => {
      if (!this.isRunning) return;
      const channels = this.#channels.state();
      if (channels !== null) {
        const records = recordsInFlight(channels.inputs) + recordsInFlight(channels.outputs);
        this.#owner.ports.tracer.point(TRACE.channelStateComplete, this.#owner.subject, this.checkpointId, records);
      }
      this.#upload(channels, done);
    });
  }

  #upload(channels: ChannelState | null, done: (outcome: SnapshotOutcome) => void): void {
    if (channels === null && this.#isEmpty()) {
      this.#owner.ports.tracer.point(TRACE.snapshotDurable, this.#owner.subject, this.checkpointId, 0);
      this.#finish({ ok: true, state: null }, done);
      return;
    }
    const serialized = this.#unlessItFails(() => this.#serialized(channels), done);
    if (serialized === null) return;
    const { sharedFiles } = this.#owner;
    if (sharedFiles === null || serialized.files.length === 0) {
      this.#uploadOwnFile(serialized, null, done);
      return;
    }
    const uploads = new SharedUploads(sharedFiles, this.checkpointId, () => this.isRunning);
    uploads.run(serialized.files, (error) => {
      if (!this.isRunning) uploads.discard();
      else if (error === null) this.#uploadOwnFile(serialized, uploads, done);
      else {
        uploads.discard();
        this.#finish({ ok: false, reason: `upload of a shared file failed: ${error}` }, done);
      }
    });
  }

  #serialized(channels: ChannelState | null): SerializedSnapshot {
    const files: OperatorFile[] = [];
    const operators = this.#captured.map(({ uid, keyed, lists }): OperatorSnapshot => {
      if (keyed === null) return { uid, keyed: null, files: null, lists };
      if (!keyed.isShared) return { uid, keyed: keyed.writer.bytes(), files: null, lists };
      const own = keyed.writer.files();
      for (const file of own) files.push({ uid, file });
      return { uid, keyed: null, files: own.map(({ name }) => name), lists };
    });
    return { operators, files, channels };
  }

  #uploadOwnFile(
    { operators, channels }: SerializedSnapshot,
    uploads: SharedUploads | null,
    done: (outcome: SnapshotOutcome) => void,
  ): void {
    const { ports, vertex, subtask, sealer } = this.#owner;
    const { checkpointId } = this;
    const file = this.#unlessItFails(
      () => encodeSnapshotFile({ checkpointId, vertex, subtask, operators, channels }, sealer),
      done,
    );
    if (file === null) {
      uploads?.discard();
      return;
    }
    const handle = handleOf(snapshotKey(this.#owner, this.#kind, this.checkpointId), file);
    const shared = uploads === null ? [] : uploads.shared;
    const discard = (): void => {
      this.#deleteUpload();
      uploads?.discard();
    };
    retryStorage(
      ports.scheduler,
      (report) => ports.blobs.put(handle.key, file, (reply) => report(reply.ok ? null : reply.code)),
      () => this.isRunning,
      (error) => {
        // Only now: a delete that overtook the put would leave the file behind.
        if (!this.isRunning) discard();
        else if (error === null) {
          ports.tracer.point(TRACE.snapshotDurable, this.#owner.subject, this.checkpointId, file.length + (uploads?.bytes ?? 0));
          this.#keepCopy(file, discard, () => this.#finish({ ok: true, state: { file: handle, lists: this.#lists(), keyed: this.#keyedUids(), inFlight: inFlightEdges(channels), shared } }, done));
        } else {
          discard();
          this.#finish({ ok: false, reason: `snapshot upload failed: ${error}` }, done);
        }
      },
    );
  }

  #keepCopy(file: Uint8Array, discard: () => void, then: () => void): void {
    const { localState } = this.#owner;
    if (localState === null || this.#kind === "savepoint") {
      then();
      return;
    }
    localState.store(this.checkpointId, file, () => {
      if (this.isRunning) then();
      else discard();
    });
  }

  #keyedUids(): readonly string[] {
    return this.#captured.filter(({ keyed }) => keyed !== null).map(({ uid }) => uid);
  }

  #lists(): SubtaskState["lists"] {
    const kept = this.#captured.filter(({ lists }) => lists.length > 0);
    return kept.map(({ uid, lists }) => ({ uid, holdsUnion: holdsUnionState(lists) }));
  }

  /** Stateless subtasks write no file, unless data is in flight. */
  #isEmpty(): boolean {
    return this.#captured.every((operator) => operator.keyed === null && operator.lists.length === 0);
  }

  #finish(outcome: SnapshotOutcome, done: (outcome: SnapshotOutcome) => void): void {
    this.#state = "done";
    done(outcome);
  }

  /** Nobody will know of this file: take it away again, as far as storage lets us. */
  #deleteUpload(): void {
    const { ports } = this.#owner;
    const key = snapshotKey(this.#owner, this.#kind, this.checkpointId);
    retryStorage(
      ports.scheduler,
      (report) => ports.blobs.delete(key, (reply) => report(reply.ok ? null : reply.code)),
      () => true,
      () => undefined,
    );
  }
}

function inFlightEdges(channels: ChannelState | null): InFlightEdges | null {
  if (channels === null) return null;
  const keys = (side: readonly ChannelContents[]): readonly string[] => [...new Set(side.map(({ edge }) => edge))];
  return { inputs: keys(channels.inputs), outputs: keys(channels.outputs) };
}

/** Why a snapshot could not be serialized, or null where that is not for a task to answer. */
function failureText(error: unknown): string | null {
  if (error instanceof StateStorageError) return `reading local state failed: ${error.message}`;
  return error instanceof UnencodableValueError ? `serializing state failed: ${error.message}` : null;
}
