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
  #counter: number = 0;

  constructor(producerId: string, attempt: number) {
    this.producerId = producerId;
    this.attempt = attempt;
  }

  next(): SinkTransaction {
    this.#counter += 1;
    const transactionId = `${this.producerId}/${this.attempt}-${this.#counter}`;
    return { producerId: this.producerId, transactionId, checkpointId: NO_CHECKPOINT, state: "written" };
  }

  /** False for transactions of attempts after this one, which only a zombie gets to see. */
  isEarlier(transactionId: string): boolean {
    const suffix = transactionId.slice(transactionId.lastIndexOf("/") + 1);
    const attempt = Number.parseInt(suffix, 10);
    return !(attempt >= this.attempt);
  }
}
