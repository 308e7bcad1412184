import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";

/** Why an alignment was given up. Numbers appear in trace points. */
export const ALIGNMENT_ABORTS = { subsumed: 1, cancelled: 2 } as const;
export type AlignmentAbort = (typeof ALIGNMENT_ABORTS)[keyof typeof ALIGNMENT_ABORTS];

/** What the handler asks of its task. */
export interface BarrierActions {
  blockChannel(channel: number): void;
  unblockChannel(channel: number): void;
  unblockAll(): void;
  /** All barriers are there: take the snapshot now. */
  triggerCheckpoint(checkpointId: CheckpointId): void;
  /** Give the checkpoint up, tell the coordinator and everybody downstream. */
  abortCheckpoint(checkpointId: CheckpointId, reason: AlignmentAbort): void;
}

/**
 * Alignment of exactly-once barriers (Flink: SingleCheckpointBarrierHandler with WaitingForFirstBarrier and
 * CollectingBarriers).
 *
 * A barrier blocks its channel until the barrier of the same checkpoint arrived on every channel. A newer
 * barrier gives the older alignment up; barriers and cancellations of checkpoints already completed or
 * cancelled change nothing, except that their channel is not left blocked.
 */
export class AlignedBarrierHandler {
  readonly #channelCount: number;
  readonly #actions: BarrierActions;
  readonly #aligned: boolean[];
  #alignedCount = 0;
  #currentCheckpointId: CheckpointId = -1;
  #lastCancelledOrCompleted: CheckpointId = -1;

  constructor(channelCount: number, actions: BarrierActions) {
    invariant(channelCount > 0, "a task with barriers has input channels");
    this.#channelCount = channelCount;
    this.#actions = actions;
    this.#aligned = new Array<boolean>(channelCount).fill(false);
  }

  barrier(channel: number, checkpointId: CheckpointId): void {
    invariant(channel >= 0 && channel < this.#channelCount, "a barrier comes from a channel of the gate");
    const isObsolete =
      checkpointId < this.#currentCheckpointId || (checkpointId === this.#currentCheckpointId && !this.isPending);
    if (isObsolete) {
      if (!this.#aligned[channel]) this.#actions.unblockChannel(channel);
      return;
    }
    if (checkpointId > this.#currentCheckpointId) this.#begin(checkpointId);
    invariant(!this.#aligned[channel], "one channel carries the barrier of a checkpoint once");
    this.#aligned[channel] = true;
    this.#alignedCount += 1;
    this.#actions.blockChannel(channel);
    if (this.#alignedCount < this.#channelCount) return;
    this.#actions.triggerCheckpoint(checkpointId);
    this.#lastCancelledOrCompleted = checkpointId;
    this.#clear();
    this.#actions.unblockAll();
  }

  /** A cancellation came down the stream instead of the barrier. */
  cancel(checkpointId: CheckpointId): void {
    const concerns =
      checkpointId > this.#currentCheckpointId ||
      (checkpointId === this.#currentCheckpointId && this.#alignedCount > 0);
    if (!concerns) return;
    if (checkpointId > this.#currentCheckpointId && this.isPending) {
      this.#actions.abortCheckpoint(this.#currentCheckpointId, ALIGNMENT_ABORTS.subsumed);
    }
    this.#currentCheckpointId = checkpointId;
    this.#lastCancelledOrCompleted = checkpointId;
    this.#clear();
    this.#actions.unblockAll();
    this.#actions.abortCheckpoint(checkpointId, ALIGNMENT_ABORTS.cancelled);
  }

  /** True while barriers of the current checkpoint are awaited. */
  get isPending(): boolean {
    return this.#currentCheckpointId >= 0 && this.#currentCheckpointId !== this.#lastCancelledOrCompleted;
  }

  get currentCheckpointId(): CheckpointId {
    return this.#currentCheckpointId;
  }

  /** Channels whose barrier arrived. */
  alignedChannels(): readonly number[] {
    const channels: number[] = [];
    for (let i = 0; i < this.#channelCount; i += 1) if (this.#aligned[i]) channels.push(i);
    return channels;
  }

  #begin(checkpointId: CheckpointId): void {
    if (this.isPending) {
      const given = this.#currentCheckpointId;
      this.#clear();
      this.#actions.unblockAll();
      this.#lastCancelledOrCompleted = given;
      this.#actions.abortCheckpoint(given, ALIGNMENT_ABORTS.subsumed);
    }
    this.#currentCheckpointId = checkpointId;
  }

  #clear(): void {
    this.#aligned.fill(false);
    this.#alignedCount = 0;
  }
}
