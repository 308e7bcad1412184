import { present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { BarrierCount } from "./barrier-count.ts";
import type { Barrier, BarrierActions, BarrierHandler } from "./barrier-handler.ts";
import { ALIGNMENT_ABORTS } from "./barrier-handler.ts";

/**
 * Alignment of exactly-once barriers (Flink: SingleCheckpointBarrierHandler with WaitingForFirstBarrier and
 * CollectingBarriers).
 *
 * A barrier blocks its channel until the barrier of the same checkpoint arrived on every channel. A newer
 * barrier gives the older alignment up; barriers and cancellations of checkpoints already completed or
 * cancelled change nothing, except that their channel is not left blocked.
 */
export class AlignedBarrierHandler implements BarrierHandler {
  readonly #actions: BarrierActions;
  readonly #count: BarrierCount;
  /** The first barrier of the pending checkpoint. */
  #barrier: Barrier | null = null;

  constructor(channelCount: number, actions: BarrierActions) {
    this.#actions = actions;
    this.#count = new BarrierCount(channelCount);
  }

  barrier(channel: number, barrier: Barrier): void {
    const count = this.#count;
    const { checkpointId } = barrier;
    if (count.isObsolete(checkpointId)) {
      if (!count.hasArrived(channel)) this.#actions.unblockChannel(channel);
      return;
    }
    if (checkpointId > count.currentCheckpointId) this.#begin(barrier);
    count.arrive(channel);
    this.#actions.blockChannel(channel);
    if (count.isComplete) this.#complete();
  }

  /** Nothing to do before its turn comes. */
  announced(): void {}

  cancel(_channel: number, checkpointId: CheckpointId): void {
    const count = this.#count;
    const concerns = checkpointId > count.currentCheckpointId || (checkpointId === count.currentCheckpointId && count.isPending);
    if (!concerns) return;
    if (checkpointId > count.currentCheckpointId && count.isPending) {
      this.#actions.abortCheckpoint(count.currentCheckpointId, ALIGNMENT_ABORTS.subsumed);
    }
    count.settle(checkpointId);
    this.#actions.unblockAll();
    this.#actions.abortCheckpoint(checkpointId, ALIGNMENT_ABORTS.cancelled);
  }

  endOfPartition(channel: number): void {
    const count = this.#count;
    if (!count.close(channel)) return;
    this.#actions.unblockChannel(channel);
    if (!count.isPending) return;
    if (!count.hasArrived(channel)) count.arrive(channel);
    if (count.isComplete) this.#complete();
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
    const count = this.#count;
    if (count.isPending) {
      const given = count.currentCheckpointId;
      count.settle(given);
      this.#actions.unblockAll();
      this.#actions.abortCheckpoint(given, ALIGNMENT_ABORTS.subsumed);
    }
    count.begin(barrier.checkpointId);
    this.#barrier = barrier;
  }

  #complete(): void {
    const barrier = present(this.#barrier, "a pending checkpoint had a barrier");
    this.#actions.triggerCheckpoint({ ...barrier, alignment: "aligned" });
    this.#count.settle(barrier.checkpointId);
    this.#actions.unblockAll();
  }
}
