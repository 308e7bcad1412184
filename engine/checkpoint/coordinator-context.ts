import type { CheckpointId } from "../base/units.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { JobVertex } from "../graph/job-graph.ts";
import type { CheckpointConfig } from "../graph/stream-graph.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { CheckpointFailureManager } from "./checkpoint-failure-manager.ts";
import type { CompletedCheckpoint } from "./checkpoint-metadata.ts";
import type { StopMode } from "./checkpoint-properties.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { CheckpointIdCounter, CompletedStore } from "./completed-store.ts";
import type { PendingCheckpoint } from "./pending-checkpoint.ts";

/** What the checkpoint coordinator needs of the JobManager. */
export interface CoordinatorContext {
  readonly ports: ProcessPorts;
  readonly subject: number;
  readonly config: CheckpointConfig;
  readonly storagePrefix: string;
  /** Every subtask's, in order of vertex and subtask. Regions that failed over alone have later attempts than others. */
  readonly executions: readonly ExecutionId[];
  /** Of those, the ones that have finished, and are not started again. */
  hasFinished(id: ExecutionId): boolean;
  readonly maxParallelism: number;
  readonly vertices: readonly JobVertex[];
  /** What the tasks start from, or go on from. */
  readonly latest: CompletedCheckpoint | null;
  readonly store: CompletedStore;
  readonly counter: CheckpointIdCounter;
  /** The leader's, as the store and the counter are: a failover does not begin its count anew. */
  readonly failures: CheckpointFailureManager;
  trigger(id: ExecutionId, checkpoint: PendingCheckpoint): void;
  /** `mayFinish`: the task's input had ended before this checkpoint, so that nothing remains for it but to commit. */
  notifyComplete(id: ExecutionId, checkpointId: CheckpointId, mayFinish: boolean): void;
  notifyAborted(id: ExecutionId, checkpointId: CheckpointId): void;
  /** The commit point of a savepoint: its record is the user's. */
  recordSavepoint(request: SavepointRequest, file: FileHandle, checkpointId: CheckpointId, done: (outcome: "added" | "rejected") => void): void;
  /** Too many checkpoints failed in a row, or the job cannot go on as it is. */
  failJob(reason: string): void;
  /** This leader was deposed. */
  deposed(): void;
}

/** Somebody waits for this savepoint. */
export interface SavepointRequest {
  readonly requestId: string;
  readonly stop: StopMode | null;
  answer(outcome: SavepointOutcome): void;
}

export type SavepointOutcome =
  | { readonly ok: true; readonly checkpointId: CheckpointId; readonly file: FileHandle }
  | { readonly ok: false; readonly reason: string };
