import type { CheckpointId, TimestampMs } from "../base/units.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

/**
 * A writer with two-phase commit, driven by its sink operator (after Flink's TwoPhaseCommitSinkFunction).
 * Calls come in this order: `restore`, then any of `write`, `prepare`, `commit`; `done(null)` reports
 * success, `done(message)` failure, which fails the task (prepare: declines the checkpoint).
 */
export interface SinkWriter<T> {
  /** Commits what the restored committables name and aborts everything else that earlier attempts left. */
  restore(committables: readonly unknown[], done: (error: string | null) => void): void;
  write(value: T, timestampMs: TimestampMs): void;
  /**
   * Synchronous part of a snapshot: closes the current transaction. The result lists every committable not
   * yet committed (earlier checkpoints' included): it goes into the snapshot.
   */
  prepareSnapshot(checkpointId: CheckpointId): readonly unknown[];
  /** Asynchronous part: makes the transactions of that checkpoint durable and prepared. Before the ack. */
  prepare(checkpointId: CheckpointId, done: (error: string | null) => void): void;
  /** The checkpoint completed: commits everything prepared for it and for earlier ones, idempotently. */
  commit(checkpointId: CheckpointId, done: (error: string | null) => void): void;
  close(): void;
  /** For inspection: transactions that this writer began or took over and that are not committed, the oldest first. */
  inspect?(): readonly WriterTransaction[];
}

/** A transaction of a sink as its writer knows it. */
export interface WriterTransaction {
  readonly transactionId: string;
  /** The checkpoint that closed it; null while it is written. */
  readonly closedBy: CheckpointId | null;
  readonly state: "written" | "preparing" | "prepared";
  /** Records that the writer has not handed over yet. */
  readonly waitingRecords: number;
}

export interface SinkWriterContext {
  readonly ports: ProcessPorts;
  readonly operatorId: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  /** Unique among all attempts of the job, and greater for later ones. */
  readonly attempt: number;
  /** The checkpoint that the attempt starts from; null: from nothing. */
  readonly restoredCheckpointId: CheckpointId | null;
  /** The most subtasks that the job ever had: what those that are gone left behind is to be settled too. */
  readonly highestParallelism: number;
  readonly subject: number;
  /** To be called when writing failed for good; fails the task. */
  onError(message: string): void;
}

export interface Sink<T> {
  readonly name: string;
  /** False: nothing becomes final by a commit (`restore`, `prepare` and `commit` have nothing to do). Absent: it may. */
  readonly commits?: boolean;
  createWriter(context: SinkWriterContext): SinkWriter<T>;
}
