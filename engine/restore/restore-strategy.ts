import type { KeyedBackend, OperatorListBackend } from "../state/keyed-backend.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { CheckpointId } from "../base/units.ts";
import type { VertexCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { TaskSharedFiles } from "../checkpoint/task-shared-files.ts";
import type { TaskLocalState } from "../checkpoint/task-local-state.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import type { AssignedSubtask } from "./state-assignment.ts";

/** Where a subtask starts from. */
export interface RestoreRequest {
  readonly checkpointId: CheckpointId;
  /** All of the checkpoint: a subtask picks what is its own (see state-assignment). */
  readonly vertices: readonly VertexCheckpoint[];
  /** False: its files are somebody else's, and no snapshot may name them (Flink: the first one after it is full). */
  readonly isOwned: boolean;
}

/** What one restore read. */
export interface RestoreReads {
  /** Of whole and damaged reads alike. */
  readonly remoteBytes: number;
  /** From the host's disk, intact. */
  readonly localBytes: number;
  /** From wherever they came. */
  readonly files: number;
  /** Calls of remote storage. */
  readonly requests: number;
}

/** The same, and the virtual time from its start until the state was loaded. */
export interface RestoreCost extends RestoreReads {
  readonly durationUs: number;
}

/** Where restored state goes: one entry an operator of the chain. */
export interface RestoreTarget {
  readonly uid: string;
  readonly keyed: KeyedBackend | null;
  readonly lists: OperatorListBackend;
}

/** Where in-flight data goes: the channels of the task. */
export interface InFlightTarget {
  /** Old subtasks' own files that hold some of it. */
  files(): readonly FileHandle[];
  /** Null, or why it was not taken. */
  load(snapshotIn: (file: FileHandle) => SubtaskSnapshot): string | null;
}

/** Everything that a restore of one subtask needs. */
export interface RestoreContext extends AssignedSubtask {
  readonly ports: ProcessPorts;
  readonly request: RestoreRequest;
  readonly targets: readonly RestoreTarget[];
  readonly inFlight: InFlightTarget;
  /** Null: this host keeps no copies. */
  readonly localState: TaskLocalState | null;
  /** Null: the job's checkpoints share no files. */
  readonly sharedFiles: TaskSharedFiles | null;
  /** Asked before anything is loaded: false where the attempt is over. */
  isWanted(): boolean;
}

export type RestoreOutcome =
  | { readonly ok: true; readonly reads: RestoreReads }
  /** `isLost`: files of the checkpoint are gone or damaged in remote storage, and will be. */
  | { readonly ok: false; readonly reason: string; readonly isLost: boolean };

/**
 * Given what a completed checkpoint holds, fills the state of one subtask.
 *
 * Promises: on success the state equals the checkpoint's, cut to what this subtask owns; nothing that fails
 * its length or checksum is ever read as data; on failure the targets are not to be used. `done` is called once,
 * from a later callback or at once; not at all where the restore is not wanted any more, and the targets are left
 * alone then.
 */
export interface RestoreStrategy {
  restore(context: RestoreContext, done: (outcome: RestoreOutcome) => void): void;
}
