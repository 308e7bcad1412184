import type { CheckpointId } from "../base/units.ts";
import { NO_CHECKPOINT } from "../base/units.ts";

/** Why a checkpoint was given up; numbers appear in trace points. */
export const ABORT_REASONS = {
  /** The asynchronous part failed in a task: its storage, its state, its sink. */
  declined: 1,
  expired: 2,
  subsumed: 3,
  failover: 4,
  /** The metadata could not be written. */
  finalize: 5,
  shutdown: 6,
  /** Somebody asked for it. */
  requested: 7,
  /** The alignment of a task ended without it: a newer barrier came, or a cancellation. */
  unaligned: 8,
  /** A task that it waits for has finished, or does not run yet. */
  "task-not-running": 9,
  /** A partly finished operator holds union state, which could not be handed out again. */
  "partly-finished": 10,
} as const;
export type AbortReason = keyof typeof ABORT_REASONS;

/** Why a task takes no part in a checkpoint. */
export type DeclineCause = Extract<AbortReason, "declined" | "unaligned" | "task-not-running">;

/** What says that checkpointing as such does not work; everything else is the course of things. */
const COUNTED: ReadonlySet<AbortReason> = new Set<AbortReason>(["declined", "expired", "finalize", "partly-finished"]);

/**
 * Counts failed checkpoints (Flink: CheckpointFailureManager): each id once, only ids above the last that
 * succeeded (a late failure of an older one says nothing new), only failures that mean that checkpointing does not
 * work. A success with a newer id begins the count anew, and so does a job that fails for it.
 *
 * One for a leader's term, as in Flink for an ExecutionGraph: a failover alone says nothing of whether checkpoints
 * succeed again. A new leader begins with a fresh one, and takes the latest completed checkpoint for a success.
 */
export class CheckpointFailureManager {
  readonly #tolerable: number;
  #lastSucceededId: CheckpointId = NO_CHECKPOINT;
  readonly #counted = new Set<CheckpointId>();

  constructor(tolerable: number) {
    this.#tolerable = tolerable;
  }

  /** Failures in a row, as counted. */
  get failures(): number {
    return this.#counted.size;
  }

  succeeded(checkpointId: CheckpointId): void {
    if (checkpointId <= this.#lastSucceededId) return;
    this.#lastSucceededId = checkpointId;
    this.#counted.clear();
  }

  /** True where that is one more than the job tolerates: it has to fail over. The count then begins anew. */
  failed(checkpointId: CheckpointId, reason: AbortReason): boolean {
    if (!COUNTED.has(reason) || checkpointId <= this.#lastSucceededId) return false;
    this.#counted.add(checkpointId);
    if (this.#counted.size <= this.#tolerable) return false;
    this.#counted.clear();
    return true;
  }
}
