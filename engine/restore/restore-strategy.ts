import type { KeyedBackend, OperatorListBackend } from "../state/keyed-backend.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { CheckpointId } from "../base/units.ts";
import type { SnapshotHandle } from "../checkpoint/snapshot-file.ts";

/** Where a subtask starts from. */
export interface RestoreRequest {
  readonly checkpointId: CheckpointId;
  /** What the checkpoint holds of this vertex, one entry an old subtask; null where it held no state. */
  readonly handles: readonly (SnapshotHandle | null)[];
}

/** What one restore read, and how long it took. */
export interface RestoreCost {
  readonly remoteBytes: number;
  readonly localBytes: number;
  readonly files: number;
  readonly requests: number;
  readonly durationUs: number;
}

/** Where restored state goes: one entry an operator of the chain. */
export interface RestoreTarget {
  readonly uid: string;
  readonly keyed: KeyedBackend | null;
  readonly lists: OperatorListBackend;
}

export type RestoreOutcome =
  | { readonly ok: true; readonly cost: RestoreCost }
  | { readonly ok: false; readonly reason: string };

/**
 * Given what a completed checkpoint holds of a vertex, fills the state of one of its subtasks.
 *
 * Promises: on success the state equals the checkpoint's, cut to what this subtask owns; nothing that fails
 * its length or checksum is ever read as data; on failure the targets are not to be used. `done` is called once, from a
 * later callback or at once. `isWanted` is asked before anything is loaded: where the attempt is over by then, its
 * targets are left alone, and `done` is not called.
 */
export interface RestoreStrategy {
  readonly name: string;
  restore(
    ports: ProcessPorts,
    request: RestoreRequest,
    subtask: number,
    targets: readonly RestoreTarget[],
    isWanted: () => boolean,
    done: (outcome: RestoreOutcome) => void,
  ): void;
}
