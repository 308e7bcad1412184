import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { StopMode } from "../checkpoint/checkpoint-properties.ts";
import type { DeclineCause } from "../checkpoint/checkpoint-failure-manager.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import type { TimeUs } from "../base/units.ts";
import type { Address, Message } from "../ports/network.ts";
import type { RestoreRequest } from "../restore/restore-strategy.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { VertexId } from "../graph/job-graph.ts";

/**
 * All control messages. Every message from the JobManager carries its leader epoch, every message about
 * tasks the attempt: receivers refuse what is older than what they know (fencing). Attempts are unique and
 * grow over the life of a job, also across leaders.
 */
interface Control extends Message {
  /** Leader epoch of the sender, or the one the sender believes in. */
  readonly epoch: number;
}

/** A slot of a worker that the attempt uses; subtask i of every vertex runs in slot i (slot sharing). */
export interface SlotAssignment {
  readonly worker: Address;
  readonly incarnation: number;
}

export interface TaskDescriptor {
  readonly id: ExecutionId;
  /** The failover region that the subtask belongs to: at most one attempt of a region lives. */
  readonly region: number;
  /** What the job was asked to run with; null: as the job itself says. */
  readonly parallelism: number | null;
  /** The most subtasks that any vertex of the job ever had. */
  readonly highestParallelism: number;
  readonly slots: readonly SlotAssignment[];
  readonly restore: RestoreRequest | null;
  /** It had finished in the checkpoint that the attempt restores: it only tells those behind it. */
  readonly isFinished: boolean;
}

/** "checkpoint-lost": failed, because files of the checkpoint that it restores are gone or damaged in remote storage. */
export type TaskState = "initialized" | "finished" | "failed" | "checkpoint-lost";

/** What a client asks of the job. */
export type ClientMessage = Extract<ControlMessage, { readonly kind: "rescale" | "trigger-savepoint" | "abort-checkpoints" | "cancel-job" }>;

export type ControlMessage =
  /* worker -> JobManager */
  | (Control & {
      readonly kind: "register-worker";
      readonly worker: Address;
      readonly incarnation: number;
      readonly slots: number;
      /** Slots (see SlotAssignment) of which it holds local copies. */
      readonly held: readonly number[];
    })
  | (Control & { readonly kind: "task-state"; readonly id: ExecutionId; readonly state: TaskState; readonly reason: string })
  | (Control & {
      readonly kind: "acknowledge-checkpoint";
      readonly id: ExecutionId;
      readonly state: SubtaskState | null;
      /** The subtask's input had ended before this barrier. */
      readonly inputEnded: boolean;
    })
  | (Control & { readonly kind: "decline-checkpoint"; readonly id: ExecutionId; readonly cause: DeclineCause; readonly reason: string })
  /* client -> JobManager */
  | (Control & { readonly kind: "rescale"; readonly parallelism: number })
  /** Known by its id: asked twice, it is taken once. Answered when it is done, or with a refusal. */
  | (Control & { readonly kind: "trigger-savepoint"; readonly requestId: string; readonly stop: StopMode | null })
  /** Gives up what is pending. */
  | (Control & { readonly kind: "abort-checkpoints" })
  | (Control & { readonly kind: "cancel-job" })
  /* JobManager -> worker */
  | (Control & { readonly kind: "heartbeat"; readonly incarnation: number })
  | (Control & { readonly kind: "deploy-task"; readonly descriptor: TaskDescriptor })
  | (Control & { readonly kind: "start-attempt"; readonly region: number; readonly attempt: number })
  /** Of that region, and what is older there. */
  | (Control & { readonly kind: "cancel-attempt"; readonly region: number; readonly attempt: number })
  | (Control & {
      readonly kind: "trigger-checkpoint";
      readonly id: ExecutionId;
      readonly triggeredAtUs: TimeUs;
      readonly isSavepoint: boolean;
      /** The job stops with this savepoint. */
      readonly stop: StopMode | null;
    })
  | (Control & {
      readonly kind: "notify-complete";
      readonly id: ExecutionId;
      /** The task's input had ended before this checkpoint (or the job stops with it): commit, then finish. */
      readonly isFinal: boolean;
    })
  | (Control & { readonly kind: "notify-aborted"; readonly id: ExecutionId })
  /* replies */
  | (Control & { readonly kind: "accepted" })
  | (Control & { readonly kind: "refused"; readonly reason: string })
  /** `checkpointId` says which. */
  | (Control & { readonly kind: "savepoint-taken"; readonly file: FileHandle })
  /* opens a data connection */
  | (Control & {
      readonly kind: "open-channel";
      readonly attempt: number;
      readonly edge: number;
      readonly fromSubtask: number;
      readonly toVertex: VertexId;
      readonly toSubtask: number;
    });
