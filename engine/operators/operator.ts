import type { CheckpointId, TimestampMs } from "../base/units.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { KeyedBackend, OperatorStateStore } from "../state/keyed-backend.ts";

/** Where an operator emits: the next operator of its chain, or the channels that leave the task. */
export interface Output {
  collect(value: unknown, timestampMs: TimestampMs): void;
  collectSide(tag: string, value: unknown, timestampMs: TimestampMs): void;
}

export interface OperatorContext {
  readonly ports: ProcessPorts;
  readonly uid: string;
  readonly name: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Unique among all attempts of the job, and greater for later ones. */
  readonly attempt: number;
  /** The checkpoint whose state of this operator the attempt starts from; null: it starts from nothing. */
  readonly restoredCheckpointId: CheckpointId | null;
  /** The most subtasks that the job ever had. */
  readonly highestParallelism: number;
  /** Interned name of the operator's subtask ("sum[1]"), for trace points. */
  readonly subject: number;
  readonly output: Output;
  /** Present for keyed operators; already restored when `open` runs. */
  readonly keyed: KeyedBackend | null;
  /** Already restored when `open` runs. */
  readonly lists: OperatorStateStore;
  /** Fails the task, from a callback outside any task step. Inside a step, throw instead. */
  fail(message: string): void;
}

/**
 * One operator of a chain in one subtask attempt.
 *
 * The task promises: `open` first, then `restoreExternal`, and nothing else before that is done; then
 * elements, watermarks, timers and snapshots one at a time, never
 * re-entered; after `advanceWatermark` returned false, nothing else until it returned true; `endInput` once,
 * after the watermark MAX; `close` last, and only on an orderly end (a crash closes nothing). The operator
 * promises: it emits only inside these calls; what user code throws goes through unchanged.
 */
export interface StreamOperator {
  open(): void;
  /**
   * Settles with the outside world what earlier attempts left there (a sink commits and aborts their
   * transactions). `done` gets null, or why the task cannot begin; it may be called at once.
   */
  restoreExternal(done: (error: string | null) => void): void;
  /** A record of the input; of the first one, where the operator has two. */
  processElement(value: unknown, timestampMs: TimestampMs): void;
  /** A record of the second input of an operator that has two. */
  processElement2(value: unknown, timestampMs: TimestampMs): void;
  /**
   * Sets the watermark, then fires due event-time timers, at most `timerBudget`. True: all fired (the chain
   * then forwards the watermark). False: call again with the same watermark.
   */
  advanceWatermark(watermarkMs: TimestampMs, timerBudget: number): boolean;
  /** Fires due processing-time timers (timestamp <= nowMs), at most `timerBudget`; false: call again. */
  advanceProcessingTime(nowMs: TimestampMs, timerBudget: number): boolean;
  /** Timestamp of the earliest processing-time timer, or null. */
  nextProcessingTimerMs(): TimestampMs | null;
  /** Synchronous part of a snapshot: brings list state up to date. The task then snapshots the backends. */
  snapshotState(checkpointId: CheckpointId): void;
  /** Asynchronous part before the ack (a sink prepares its transactions). `done` may be called at once. */
  prepareCommit(checkpointId: CheckpointId, done: (error: string | null) => void): void;
  /** The checkpoint completed. `done` when its external effects are in place. */
  notifyComplete(checkpointId: CheckpointId, done: (error: string | null) => void): void;
  notifyAborted(checkpointId: CheckpointId): void;
  /** All inputs ended (after the watermark MAX): flush what is left. */
  endInput(): void;
  /** Ends user code, then does what `dispose` does. */
  close(): void;
  /**
   * The attempt is over in a process that lives on (cancelled or failed): stops waiting, retrying and
   * reporting. Calls no user code and settles nothing. Idempotent.
   */
  dispose(): void;
}

/**
 * The head of a source task. Beyond StreamOperator: it is asked to emit, and it makes the watermark.
 */
export interface SourceOperator extends StreamOperator {
  /** Before `open`: what to call when `emitNext` said "nothing" and there may be more now. */
  onAvailable: () => void;
  /**
   * Emits at most `limit` records. "more": call again when there is room; "nothing": wait for onAvailable;
   * "ended": every partition ended, nothing will ever follow. The offsets it has in list state after a
   * snapshot name the first record not emitted.
   */
  emitNext(limit: number): "more" | "nothing" | "ended";
  /** Minimum over the partitions that are not idle; MIN_WATERMARK where nothing is known. */
  watermarkMs(): TimestampMs;
  /** False for a subtask that has nothing to read: more subtasks than partitions. */
  hasPartitions(): boolean;
  /** True while every partition is idle (or there is none): downstream then does not wait for this subtask. */
  isIdle(): boolean;
}
