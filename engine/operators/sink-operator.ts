import type { SinkWriter, WriterTransaction } from "../api/sink.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import type { SinkNode } from "../graph/stream-graph.ts";
import type { OperatorListState } from "../state/keyed-backend.ts";
import type { OperatorContext } from "./operator.ts";
import { StatelessOperator } from "./stateless-operator.ts";

/** Name of the list state that holds what is prepared but not known to be committed. */
export const COMMITTABLES_STATE = "committables";

/**
 * Drives a sink writer through its two phases: committables go into the snapshot, they are prepared before
 * the ack, and committed once the checkpoint is complete. An aborted checkpoint changes nothing: the next
 * one that completes commits its transactions too.
 */
export class SinkOperator extends StatelessOperator {
  readonly #writer: SinkWriter<unknown>;
  readonly #lists: OperatorListState;

  constructor(node: SinkNode, context: OperatorContext) {
    super();
    this.#lists = context.lists;
    this.#writer = node.sink.createWriter({
      ports: context.ports,
      operatorId: context.uid,
      subtaskIndex: context.subtaskIndex,
      parallelism: context.parallelism,
      attempt: context.attempt,
      restoredCheckpointId: context.restoredCheckpointId,
      highestParallelism: context.highestParallelism,
      subject: context.subject,
      onError: (message) => context.fail(message),
    });
  }

  override restoreExternal(done: (error: string | null) => void): void {
    this.#writer.restore(this.#lists.get(COMMITTABLES_STATE), done);
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    this.#writer.write(value, timestampMs);
  }

  override snapshotState(checkpointId: CheckpointId): void {
    this.#lists.update(COMMITTABLES_STATE, this.#writer.prepareSnapshot(checkpointId));
  }

  override prepareCommit(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#writer.prepare(checkpointId, done);
  }

  override notifyComplete(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#writer.commit(checkpointId, done);
  }

  override dispose(): void {
    this.#writer.close();
  }

  /** For inspection: transactions that are not committed, as far as the writer tells. */
  inspectTransactions(): readonly WriterTransaction[] {
    return this.#writer.inspect?.() ?? [];
  }
}
