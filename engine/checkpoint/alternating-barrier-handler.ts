import { present } from "../base/assert.ts";
import type { CheckpointId, TimeUs } from "../base/units.ts";
import { BarrierCount } from "./barrier-count.ts";
import type { AlignmentAbort, Barrier, BarrierHandler, OvertakingActions } from "./barrier-handler.ts";
import { ALIGNMENT_ABORTS } from "./barrier-handler.ts";

/**
 * Barriers of unaligned checkpoints, with and without a timeout (Flink: SingleCheckpointBarrierHandler with the
 * Alternating* states).
 *
 * A checkpoint begins aligned, as with AlignedBarrierHandler. It turns unaligned at the first barrier that
 * comes ahead of its data, or when `timeoutUs` have passed since it was triggered (looked at from its first
 * barrier or announcement on): the snapshot is taken at once, blocked channels run again, barriers that wait in
 * their queues count as arrived, and until the last one is there, what arrives before them is persisted. When
 * the last barrier comes in time, or as the last one too late, the checkpoint stays aligned.
 */
export class AlternatingBarrierHandler implements BarrierHandler {
  readonly #actions: OvertakingActions;
  readonly #count: BarrierCount;
  readonly #timeoutUs: number;
  /** Its barrier waits in the channel's queue. */
  readonly #announced: boolean[];
  /** The first barrier of the pending checkpoint. */
  #barrier: Barrier | null = null;
  /** The snapshot of the pending checkpoint was taken; what is in flight is being persisted. */
  #overtaking = false;
  #hasTimer = false;

  constructor(channelCount: number, timeoutUs: number, actions: OvertakingActions) {
    this.#actions = actions;
    this.#count = new BarrierCount(channelCount);
    this.#timeoutUs = timeoutUs;
    this.#announced = new Array<boolean>(channelCount).fill(false);
  }

  barrier(channel: number, barrier: Barrier): void {
    const count = this.#count;
    if (count.isObsolete(barrier.checkpointId)) {
      if (!count.hasArrived(channel)) this.#actions.unblockChannel(channel);
      return;
    }
    if (barrier.checkpointId > count.currentCheckpointId) this.#begin(barrier);
    this.#arrive(channel);
    if (this.#overtaking) this.#finishIfComplete();
    else if (barrier.alignment === "unaligned") this.#overtake();
    else {
      this.#actions.blockChannel(channel);
      if (count.isComplete) this.#complete();
      else if (barrier.alignment === "timed" && this.#leftUs(barrier) === 0) this.timeOut(barrier.checkpointId);
    }
  }

  announced(channel: number, barrier: Barrier): void {
    const count = this.#count;
    if (count.isObsolete(barrier.checkpointId)) return;
    if (barrier.checkpointId > count.currentCheckpointId) this.#begin(barrier);
    this.#announced[channel] = true;
    if (!this.#overtaking) return;
    this.#takeAnnounced();
    this.#finishIfComplete();
  }

  /** The time for the alignment of that checkpoint is over. */
  timeOut(checkpointId: CheckpointId): void {
    const count = this.#count;
    if (!count.isPending || checkpointId !== count.currentCheckpointId || this.#overtaking) return;
    this.#actions.timedOut(checkpointId);
    this.#overtake();
  }

  cancel(_channel: number, checkpointId: CheckpointId): void {
    const count = this.#count;
    // Also where a barrier is only announced: it is late by the time its turn comes.
    const concerns = checkpointId > count.currentCheckpointId || (checkpointId === count.currentCheckpointId && count.isPending);
    if (!concerns) return;
    if (checkpointId > count.currentCheckpointId && count.isPending) this.#giveUp(ALIGNMENT_ABORTS.subsumed);
    this.#settle(checkpointId);
    this.#actions.abortCheckpoint(checkpointId, ALIGNMENT_ABORTS.cancelled);
  }

  endOfPartition(channel: number): void {
    const count = this.#count;
    if (!count.close(channel)) return;
    this.#actions.unblockChannel(channel);
    if (!count.isPending) return;
    if (!count.hasArrived(channel)) this.#arrive(channel);
    if (this.#overtaking) this.#finishIfComplete();
    else if (count.isComplete) this.#complete();
  }

  get isPending(): boolean {
    return this.#count.isPending;
  }

  get currentCheckpointId(): CheckpointId {
    return this.#count.currentCheckpointId;
  }

  alignedChannels(): readonly number[] {
    return this.#count.arrivedChannels();
  }

  #begin(barrier: Barrier): void {
    if (this.#count.isPending) this.#giveUp(ALIGNMENT_ABORTS.subsumed);
    this.#count.begin(barrier.checkpointId);
    this.#barrier = barrier;
    if (barrier.alignment !== "timed") return;
    this.#hasTimer = true;
    this.#actions.startTimer(this.#leftUs(barrier), barrier.checkpointId);
  }

  #arrive(channel: number): void {
    this.#announced[channel] = false;
    this.#count.arrive(channel);
  }

  #leftUs(barrier: Barrier): TimeUs {
    return Math.max(this.#timeoutUs - (this.#actions.nowUs() - barrier.triggeredAtUs), 0);
  }

  #overtake(): void {
    const barrier = present(this.#barrier, "a pending checkpoint had a barrier");
    this.#overtaking = true;
    this.#stopTimer();
    this.#actions.unblockAll();
    if (!this.#actions.startPersisting(barrier.checkpointId)) {
      this.#giveUp(ALIGNMENT_ABORTS.subsumed);
      return;
    }
    this.#actions.triggerCheckpoint({ ...barrier, alignment: "unaligned" });
    this.#takeAnnounced();
    this.#finishIfComplete();
  }

  #takeAnnounced(): void {
    const { currentCheckpointId } = this.#count;
    for (let channel = 0; channel < this.#announced.length; channel += 1) {
      if (!this.#announced[channel]) continue;
      this.#actions.takeQueuedBarrier(channel, currentCheckpointId);
      this.#arrive(channel);
    }
  }

  /** Every barrier arrived in its order: nothing is in flight. */
  #complete(): void {
    const barrier = present(this.#barrier, "a pending checkpoint had a barrier");
    this.#stopTimer();
    this.#actions.triggerCheckpoint({ ...barrier, alignment: "aligned" });
    this.#settle(barrier.checkpointId);
  }

  #finishIfComplete(): void {
    if (!this.#count.isComplete) return;
    this.#actions.finishPersisting(this.#count.currentCheckpointId);
    this.#settle(this.#count.currentCheckpointId);
  }

  #giveUp(reason: AlignmentAbort): void {
    const given = this.#count.currentCheckpointId;
    this.#settle(given);
    this.#actions.abortCheckpoint(given, reason);
  }

  #settle(checkpointId: CheckpointId): void {
    this.#count.settle(checkpointId);
    this.#announced.fill(false);
    this.#overtaking = false;
    this.#stopTimer();
    this.#actions.stopPersisting(checkpointId);
    this.#actions.unblockAll();
  }

  #stopTimer(): void {
    if (this.#hasTimer) this.#actions.stopTimer();
    this.#hasTimer = false;
  }
}
