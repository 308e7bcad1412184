import { BARRIERS_TRACKED_LIMIT } from "../base/limits.ts";
import type { CheckpointId } from "../base/units.ts";
import type { Barrier, BarrierActions, BarrierHandler } from "./barrier-handler.ts";
import { ALIGNMENT_ABORTS } from "./barrier-handler.ts";

/** A checkpoint whose barriers are being counted. */
interface TrackedCheckpoint {
  readonly checkpointId: CheckpointId;
  /** Null: a cancellation was the first that was heard of it. */
  readonly barrier: Barrier | null;
  readonly arrived: boolean[];
  arrivedCount: number;
  readonly awaited: number;
  isAborted: boolean;
}

/**
 * Barriers of at-least-once jobs (Flink: CheckpointBarrierTracker): counts them and blocks nothing, so that
 * what comes behind a barrier may be in the snapshot, and come again after a restore. Several checkpoints are
 * tracked side by side: a newer barrier does not abort an older checkpoint. A complete one drops all older
 * ones, which cannot be wanted any more.
 */
export class BarrierTracker implements BarrierHandler {
  readonly #actions: Pick<BarrierActions, "triggerCheckpoint" | "abortCheckpoint">;
  readonly #open: boolean[];
  #openCount: number;
  /** Ascending. */
  #tracked: TrackedCheckpoint[] = [];
  #latestId: CheckpointId = -1;

  constructor(channelCount: number, actions: Pick<BarrierActions, "triggerCheckpoint" | "abortCheckpoint">) {
    this.#actions = actions;
    this.#open = new Array<boolean>(channelCount).fill(true);
    this.#openCount = channelCount;
  }

  barrier(channel: number, barrier: Barrier): void {
    let tracked = this.#find(barrier.checkpointId);
    if (tracked === undefined) {
      if (barrier.checkpointId <= this.#latestId) return;
      tracked = this.#track(barrier.checkpointId, barrier);
    }
    this.#arrive(tracked, channel);
  }

  announced(): void {}

  cancel(channel: number, checkpointId: CheckpointId): void {
    // Whatever is older can not complete: this channel will not bring its barrier any more.
    for (const older of this.#tracked.filter((one) => one.checkpointId < checkpointId)) this.#abort(older);
    this.#tracked = this.#tracked.filter((one) => one.checkpointId >= checkpointId);
    let tracked = this.#find(checkpointId);
    if (tracked === undefined) {
      if (checkpointId <= this.#latestId) return;
      tracked = this.#track(checkpointId, null);
    }
    this.#abort(tracked);
    this.#arrive(tracked, channel);
  }

  endOfPartition(channel: number): void {
    if (!this.#open[channel]) return;
    this.#open[channel] = false;
    this.#openCount -= 1;
    for (const tracked of this.#tracked) mark(tracked, channel);
    const complete = this.#tracked.findLast(isComplete);
    if (complete !== undefined) this.#complete(complete);
  }

  get isPending(): boolean {
    return this.#tracked.some((one) => !one.isAborted);
  }

  get currentCheckpointId(): CheckpointId {
    return this.#latestId;
  }

  /** Of the oldest that is pending. */
  alignedChannels(): readonly number[] {
    const oldest = this.#tracked.find((one) => !one.isAborted);
    return oldest === undefined ? [] : [...oldest.arrived.keys()].filter((channel) => oldest.arrived[channel]);
  }

  #find(checkpointId: CheckpointId): TrackedCheckpoint | undefined {
    return this.#tracked.find((one) => one.checkpointId === checkpointId);
  }

  #track(checkpointId: CheckpointId, barrier: Barrier | null): TrackedCheckpoint {
    const arrived = this.#open.map(() => false);
    const tracked = { checkpointId, barrier, arrived, arrivedCount: 0, awaited: this.#openCount, isAborted: false };
    this.#latestId = checkpointId;
    this.#tracked.push(tracked);
    if (this.#tracked.length > BARRIERS_TRACKED_LIMIT) this.#tracked.shift();
    return tracked;
  }

  #arrive(tracked: TrackedCheckpoint, channel: number): void {
    mark(tracked, channel);
    if (isComplete(tracked)) this.#complete(tracked);
  }

  #complete({ checkpointId, barrier, isAborted }: TrackedCheckpoint): void {
    this.#tracked = this.#tracked.filter((one) => one.checkpointId > checkpointId);
    if (!isAborted && barrier !== null) this.#actions.triggerCheckpoint({ ...barrier, alignment: "aligned" });
  }

  #abort(tracked: TrackedCheckpoint): void {
    if (tracked.isAborted) return;
    tracked.isAborted = true;
    this.#actions.abortCheckpoint(tracked.checkpointId, ALIGNMENT_ABORTS.cancelled);
  }
}

function mark(tracked: TrackedCheckpoint, channel: number): void {
  if (tracked.arrived[channel]) return;
  tracked.arrived[channel] = true;
  tracked.arrivedCount += 1;
}

function isComplete({ arrivedCount, awaited }: TrackedCheckpoint): boolean {
  return arrivedCount >= awaited;
}
