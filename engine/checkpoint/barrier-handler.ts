import type { CheckpointId, TimeUs } from "../base/units.ts";

/**
 * How a barrier travels through its channel:
 *
 * - "aligned": behind every record sent before it, for good (aligned jobs, savepoints, forward and broadcast
 *   edges);
 * - "timed": likewise, until the aligned checkpoint timeout is over;
 * - "unaligned": ahead of everything that waits. What it overtakes belongs to the checkpoint.
 */
export type BarrierAlignment = "aligned" | "timed" | "unaligned";

/** The mark that divides what belongs to a checkpoint from what comes after it. */
export interface Barrier {
  readonly checkpointId: CheckpointId;
  /** When the checkpoint was triggered, the same in all barriers of it. */
  readonly triggeredAtUs: TimeUs;
  /** A savepoint holds no in-flight data: its barriers are always aligned. */
  readonly isSavepoint: boolean;
  /** The job stops with this savepoint as it stands: nothing of its own accord happens behind it. */
  readonly suspends?: true;
  readonly alignment: BarrierAlignment;
}

/** Why an alignment was given up. Numbers appear in trace points. */
export const ALIGNMENT_ABORTS = { subsumed: 1, cancelled: 2 } as const;
export type AlignmentAbort = (typeof ALIGNMENT_ABORTS)[keyof typeof ALIGNMENT_ABORTS];

/** What every handler asks of its task. */
export interface BarrierActions {
  blockChannel(channel: number): void;
  unblockChannel(channel: number): void;
  unblockAll(): void;
  /** Take the snapshot now. With "unaligned", what `startPersisting` set in motion belongs to it. */
  triggerCheckpoint(barrier: Barrier): void;
  /** Give the checkpoint up, tell the coordinator and everybody downstream. */
  abortCheckpoint(checkpointId: CheckpointId, reason: AlignmentAbort): void;
}

/** What a handler that lets barriers overtake asks besides. */
export interface OvertakingActions extends BarrierActions {
  /**
   * From now on in every channel, what waits before its barrier, and what arrives before it, belongs to the
   * checkpoint. False if a channel has seen the barrier of a newer one: then the checkpoint is lost.
   */
  startPersisting(checkpointId: CheckpointId): boolean;
  /** All its barriers are there: what was persisted is all that was in flight. `stopPersisting` follows. */
  finishPersisting(checkpointId: CheckpointId): void;
  /** Nothing that arrives from now on belongs to it, or to one before: it is complete here, or it was given up. */
  stopPersisting(checkpointId: CheckpointId): void;
  /** Takes the barrier out of the channel's queue, since it counts from now on; what waits before it stays. */
  takeQueuedBarrier(channel: number, checkpointId: CheckpointId): void;
  /** The alignment took too long: the checkpoint goes on unaligned. */
  timedOut(checkpointId: CheckpointId): void;
  /** Calls `timeOut` of the handler after `delayUs` (>= 0); one timer at a time. */
  startTimer(delayUs: number, checkpointId: CheckpointId): void;
  stopTimer(): void;
  nowUs(): TimeUs;
}

/**
 * What a task does with the barriers of its input channels.
 *
 * The task promises: `barrier` when one is taken from its channel in order, or arrives ahead of the queue;
 * `announced` when one of alignment "timed" arrives and has yet to wait in the queue; per channel, barriers
 * and cancellations in ascending order of their ids (except that an unaligned one overtakes); nothing of a
 * channel after `endOfPartition`. The handler promises: a checkpoint is triggered at most once and aborted at most
 * once, never triggered after it was aborted or after a newer one was triggered, and aborted after it was triggered
 * only where that was unaligned and barriers were awaited; no channel stays blocked while no checkpoint is pending.
 */
export interface BarrierHandler {
  barrier(channel: number, barrier: Barrier): void;
  announced(channel: number, barrier: Barrier): void;
  /** A cancellation came down the channel instead of the barrier. */
  cancel(channel: number, checkpointId: CheckpointId): void;
  /** The channel closed: that counts as the barrier of whatever is pending, and nobody waits for it any more. */
  endOfPartition(channel: number): void;
  /** True while barriers of a checkpoint are awaited. */
  readonly isPending: boolean;
  /** The latest that any barrier or cancellation spoke of; -1 before any. */
  readonly currentCheckpointId: CheckpointId;
  /** Channels whose barrier of the pending checkpoint arrived. */
  alignedChannels(): readonly number[];
}
