import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";

/**
 * Which barriers of the current checkpoint arrived, and of which channels they are awaited: of those that were
 * open when its first barrier came.
 */
export class BarrierCount {
  /** The latest that a barrier or a cancellation spoke of. */
  currentCheckpointId: CheckpointId = -1;
  /** The latest that needs nothing more: triggered and complete, or given up. */
  #settledId: CheckpointId = -1;
  readonly #arrived: boolean[];
  readonly #open: boolean[];
  #openCount: number;
  #arrivedCount = 0;
  #awaited = 0;

  constructor(channelCount: number) {
    invariant(channelCount > 0, "a task with barriers has input channels");
    this.#arrived = new Array<boolean>(channelCount).fill(false);
    this.#open = new Array<boolean>(channelCount).fill(true);
    this.#openCount = channelCount;
  }

  get isPending(): boolean {
    return this.currentCheckpointId >= 0 && this.currentCheckpointId !== this.#settledId;
  }

  get isComplete(): boolean {
    return this.#arrivedCount >= this.#awaited;
  }

  /** True where a barrier of that checkpoint changes nothing any more. */
  isObsolete(checkpointId: CheckpointId): boolean {
    return checkpointId < this.currentCheckpointId || (checkpointId === this.currentCheckpointId && !this.isPending);
  }

  hasArrived(channel: number): boolean {
    invariant(channel >= 0 && channel < this.#arrived.length, "a barrier comes from a channel of the gate");
    return this.#arrived[channel] as boolean;
  }

  begin(checkpointId: CheckpointId): void {
    invariant(checkpointId > this.currentCheckpointId && !this.isPending, "one checkpoint is aligned after the other");
    this.currentCheckpointId = checkpointId;
    this.#awaited = this.#openCount;
  }

  arrive(channel: number): void {
    invariant(!this.hasArrived(channel), "one channel carries the barrier of a checkpoint once");
    this.#arrived[channel] = true;
    this.#arrivedCount += 1;
  }

  /** Nothing more is awaited for this checkpoint, nor for any before it. */
  settle(checkpointId: CheckpointId): void {
    this.currentCheckpointId = Math.max(this.currentCheckpointId, checkpointId);
    this.#settledId = Math.max(this.#settledId, checkpointId);
    this.#arrived.fill(false);
    this.#arrivedCount = 0;
    this.#awaited = 0;
  }

  /** False if it was closed before. */
  close(channel: number): boolean {
    if (!this.#open[channel]) return false;
    this.#open[channel] = false;
    this.#openCount -= 1;
    return true;
  }

  arrivedChannels(): readonly number[] {
    const channels: number[] = [];
    for (let i = 0; i < this.#arrived.length; i += 1) if (this.#arrived[i]) channels.push(i);
    return channels;
  }
}
