import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { NO_CHECKPOINT } from "../base/units.ts";

/** One transaction of a sink: the records between two checkpoints. */
export interface SinkTransaction {
  readonly producerId: string;
  readonly transactionId: string;
  /** The checkpoint that closed it; NO_CHECKPOINT while it is written. */
  checkpointId: CheckpointId;
  /** "preparing": the request is queued or under way. */
  state: "written" | "preparing" | "prepared";
}

/** What a snapshot says of a transaction: enough to commit it from any subtask. */
export interface Committable {
  readonly producerId: string;
  readonly transactionId: string;
  readonly checkpointId: CheckpointId;
}

export function committableOf(transaction: SinkTransaction): Committable {
  const { producerId, transactionId, checkpointId } = transaction;
  invariant(checkpointId !== NO_CHECKPOINT, "only a closed transaction goes into a snapshot");
  return { producerId, transactionId, checkpointId };
}

/** Makes transaction ids that no other attempt makes, and tells whose one is. */
export class SinkTransactionIds {
  readonly producerId: string;
  readonly attempt: number;
  readonly #restoredId: CheckpointId;
  /** The last checkpoint that closed a transaction of this attempt, or the restored one. */
  #closedBy: CheckpointId;
  #counter: number = 0;

  /** `restoredId`: the checkpoint that the attempt starts from, or NO_CHECKPOINT. */
  constructor(producerId: string, attempt: number, restoredId: CheckpointId) {
    this.producerId = producerId;
    this.attempt = attempt;
    this.#restoredId = restoredId;
    this.#closedBy = restoredId;
  }

  /** What is begun from here on belongs to a later checkpoint. */
  closedBy(checkpointId: CheckpointId): void {
    this.#closedBy = checkpointId;
  }

  next(): SinkTransaction {
    this.#counter += 1;
    const transactionId = `${this.producerId}/${this.attempt}-${this.#closedBy}-${this.#counter}`;
    return { producerId: this.producerId, transactionId, checkpointId: NO_CHECKPOINT, state: "written" };
  }

  /**
   * True for a transaction of an earlier attempt that was begun behind the restored checkpoint, so that no
   * completed one knows it. One begun before it was closed by it at the latest, and whoever got its committable
   * commits it: after a change of parallelism that may be another subtask. False for those of later attempts,
   * which only a zombie gets to see.
   */
  isLeftOver(transactionId: string): boolean {
    const [attempt = "", closedBy = ""] = transactionId.slice(transactionId.lastIndexOf("/") + 1).split(/-(?=-?\d)/);
    return Number(attempt) < this.attempt && Number(closedBy) >= this.#restoredId;
  }
}

/**
 * For inspection: the attempt that began a transaction, and the checkpoint that it was begun behind (NO_CHECKPOINT:
 * none); null for an id that no SinkTransactionIds made.
 */
export function transactionOrigin(transactionId: string): { readonly attempt: number; readonly behind: CheckpointId } | null {
  const found = /\/(\d+)-(-?\d+)-\d+$/.exec(transactionId);
  return found === null ? null : { attempt: Number(found[1]), behind: Number(found[2]) };
}
