import { invariant, present } from "../base/assert.ts";
import { ValueEncoder } from "../base/codec.ts";
import { APPEND_RECORDS_LIMIT } from "../base/limits.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import { NO_CHECKPOINT } from "../base/units.ts";
import type { Sink, SinkWriter, SinkWriterContext, WriterTransaction } from "../api/sink.ts";
import { LogRetry } from "./log-retry.ts";
import type { SinkTransaction } from "./sink-transaction.ts";
import { committableOf, SinkTransactionIds } from "./sink-transaction.ts";
import { TransactionCommitter } from "./transaction-committer.ts";
import { TransactionRecovery } from "./transaction-recovery.ts";
import { TransactionWriter } from "./transaction-writer.ts";

export interface TransactionalLogSinkOptions<T> {
  /** The topic must exist. */
  readonly topic: string;
  /** Partition of a value, 0 … partitions-1; all in partition 0 where not given. */
  readonly partitionOf?: (value: T, partitions: number) => number;
  /** Unique among the jobs that write into the same log; the topic where not given. */
  readonly transactionalIdPrefix?: string;
}

/**
 * Writes into the external log exactly once: one transaction an interval between checkpoints (none where
 * nothing was written), prepared before the ack, committed when the checkpoint is complete. Values are
 * encoded by the structural codec.
 */
export class TransactionalLogSink<T> implements Sink<T> {
  readonly name: string;
  readonly topic: string;
  readonly #options: TransactionalLogSinkOptions<T>;

  constructor(options: TransactionalLogSinkOptions<T>) {
    this.name = options.topic;
    this.topic = options.topic;
    this.#options = options;
  }

  createWriter(context: SinkWriterContext): SinkWriter<T> {
    return new TransactionalLogWriter(this.#options, context);
  }
}

class TransactionalLogWriter<T> implements SinkWriter<T> {
  readonly #encoder = new ValueEncoder();
  readonly #topic: string;
  readonly #partitionOf: ((value: T, partitions: number) => number) | null;
  readonly #context: SinkWriterContext;
  #partitions: number = 0;
  readonly #ids: SinkTransactionIds;
  readonly #retry: LogRetry;
  readonly #writer: TransactionWriter;
  readonly #committer: TransactionCommitter;
  readonly #recovery: TransactionRecovery;
  /** The transaction of this interval, once something was written. */
  #current: SinkTransaction | null = null;
  /** Records of the current transaction that wait to be appended, by partition. */
  readonly #buffers: Uint8Array[][] = [];
  /** Closed at a checkpoint and not yet committed, in checkpoint order. */
  readonly #uncommitted: SinkTransaction[] = [];

  constructor(options: TransactionalLogSinkOptions<T>, context: SinkWriterContext) {
    this.#topic = options.topic;
    this.#partitionOf = options.partitionOf ?? null;
    this.#context = context;
    const producerIds = producerIdsOf(options.transactionalIdPrefix ?? options.topic, context);
    const own = present(producerIds[0], "a subtask has a producer");
    this.#ids = new SinkTransactionIds(own, context.attempt, context.restoredCheckpointId ?? NO_CHECKPOINT);
    this.#retry = new LogRetry(context.ports.scheduler);
    this.#writer = new TransactionWriter(options.topic, context, this.#retry);
    this.#committer = new TransactionCommitter(context, this.#retry, this.#uncommitted);
    this.#recovery = new TransactionRecovery(context, this.#retry, this.#ids, producerIds);
  }

  restore(committables: readonly unknown[], done: (error: string | null) => void): void {
    this.#partitions = this.#context.ports.log.partitionCount(this.#topic);
    invariant(this.#partitions > 0, `topic ${this.#topic} has partitions`);
    for (let partition = 0; partition < this.#partitions; partition++) this.#buffers.push([]);
    this.#recovery.run(committables, (outcome) => {
      if (outcome.ok) this.#writer.begin(outcome.session);
      done(outcome.ok ? null : outcome.reason);
    });
  }

  write(value: T, _timestampMs: TimestampMs): void {
    this.#current ??= this.#ids.next();
    const partition = this.#partitionOf === null ? 0 : this.#partitionOf(value, this.#partitions);
    const buffer = this.#buffers[partition];
    if (buffer === undefined) {
      throw new Error(`partitionOf of the sink into ${this.#topic} gave ${partition} of ${this.#partitions} partitions`);
    }
    buffer.push(this.#encoder.encode(value));
    if (buffer.length === APPEND_RECORDS_LIMIT) this.#flush(this.#current, partition);
  }

  prepareSnapshot(checkpointId: CheckpointId): readonly unknown[] {
    const closed = this.#current;
    if (closed !== null) {
      for (let partition = 0; partition < this.#partitions; partition++) this.#flush(closed, partition);
      closed.checkpointId = checkpointId;
      this.#uncommitted.push(closed);
      this.#current = null;
    }
    this.#ids.closedBy(checkpointId);
    return this.#uncommitted.map(committableOf);
  }

  prepare(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#writer.prepare(checkpointId, this.#uncommitted, done);
  }

  commit(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#committer.commit(checkpointId, done);
  }

  close(): void {
    this.#retry.stop();
  }

  inspect(): readonly WriterTransaction[] {
    const current = this.#current;
    const all = current === null ? this.#uncommitted : [...this.#uncommitted, current];
    const buffered = this.#buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    return all.map((transaction) => {
      const { transactionId, checkpointId, state } = transaction;
      const waitingRecords = this.#writer.queuedRecordsOf(transaction) + (transaction === current ? buffered : 0);
      return { transactionId, closedBy: checkpointId === NO_CHECKPOINT ? null : checkpointId, state, waitingRecords };
    });
  }

  #flush(transaction: SinkTransaction, partition: number): void {
    const records = present(this.#buffers[partition], "every partition has a buffer");
    if (records.length === 0) return;
    this.#buffers[partition] = [];
    this.#writer.append(transaction, partition, records);
  }
}

/** The subtask's own, then those of subtasks beyond the parallelism that there once were, shared out in turn. */
function producerIdsOf(prefix: string, { operatorId, subtaskIndex, parallelism, highestParallelism }: SinkWriterContext): readonly string[] {
  const ids: string[] = [];
  for (let subtask = subtaskIndex; subtask < Math.max(parallelism, highestParallelism); subtask += parallelism) {
    ids.push(`${prefix}/${operatorId}-${subtask}`);
  }
  return ids;
}
