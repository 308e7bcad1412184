import { NO_CHECKPOINT } from "../base/units.ts";
import type { CheckpointId } from "../base/units.ts";

/**
 * - "completed": no barrier is awaited: the checkpoint last seen is over for this channel;
 * - "pending": a checkpoint is under way, and its barrier has yet to arrive here;
 * - "received": its barrier arrived.
 */
export type PersisterStatus = "completed" | "pending" | "received";

/**
 * Decides for one input channel which of its buffers belong to an unaligned checkpoint (Flink:
 * ChannelStatePersister): those that waited when it began and lie before its barrier, and those that arrive
 * until the barrier does. Every status belongs to one checkpoint, `lastSeenId`: a barrier of the next one
 * neither ends nor lengthens what is persisted for this one by mistake.
 */
export class ChannelStatePersister<Data> {
  status: PersisterStatus = "completed";
  lastSeenId: CheckpointId = NO_CHECKPOINT;
  readonly #persist: (checkpointId: CheckpointId, data: Data) => void;

  constructor(persist: (checkpointId: CheckpointId, data: Data) => void) {
    this.#persist = persist;
  }

  /**
   * The task began a checkpoint; `known` is what waits before its barrier. False if the barrier of a newer one
   * is here already: what belongs to this one can not be told any more.
   */
  startPersisting(checkpointId: CheckpointId, known: readonly Data[]): boolean {
    if (this.status === "received" && this.lastSeenId > checkpointId) return false;
    if (this.lastSeenId < checkpointId) {
      this.status = "pending";
      this.lastSeenId = checkpointId;
    }
    for (const data of known) this.#persist(checkpointId, data);
    return true;
  }

  /** The checkpoint, or a later one, is over for this task. */
  stopPersisting(checkpointId: CheckpointId): void {
    if (checkpointId < this.lastSeenId) return;
    this.status = "completed";
    this.lastSeenId = checkpointId;
  }

  /** Something arrives that is no barrier. */
  maybePersist(data: Data): void {
    if (this.status === "pending") this.#persist(this.lastSeenId, data);
  }

  /** A barrier arrives, in its order or ahead of it. False if it is of a checkpoint that is over. */
  barrierArrived(checkpointId: CheckpointId): boolean {
    const expected = this.status === "completed" ? this.lastSeenId + 1 : this.lastSeenId;
    if (checkpointId < expected) return false;
    this.status = "received";
    this.lastSeenId = checkpointId;
    return true;
  }
}
