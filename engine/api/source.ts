import type { TimestampMs } from "../base/units.ts";
import type { LogRecord } from "../ports/external-log.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

/**
 * Records of one partition that are ready to be emitted. Good until the next call to the reader, which may
 * use the objects again (the values never change).
 */
export interface SourceBatch {
  readonly partition: number;
  /** Offset of the first record of `records`. */
  readonly offset: number;
  readonly records: readonly LogRecord[];
  /** Nothing follows these in this partition (`records` may be empty then). */
  readonly ended: boolean;
}

/**
 * Reads the partitions assigned to one source subtask. Offsets are the caller's: it asks for what follows
 * `nextOffset` of each partition, and stores in its snapshot the offset of the first record not emitted.
 */
export interface SourceReader {
  /** Begins (or goes on) reading a partition from an offset. Called once a partition. */
  start(partition: number, offset: number): void;
  /** The next batch of at most `limit` records, or null where none is ready (`onAvailable` follows). */
  poll(limit: number): SourceBatch | null;
  /** True once every partition ended and was polled to its end. */
  ended(): boolean;
  /** Cancels what it waits for and reports nothing any more. */
  close(): void;
}

export interface SourceReaderContext {
  readonly ports: ProcessPorts;
  readonly subtaskIndex: number;
  /** Interned name of the subtask, for trace points. */
  readonly subject: number;
  /** To be called (from a fresh callback) when a poll that gave null may now give more. */
  onAvailable(): void;
  /** To be called when reading failed for good; fails the task. */
  onError(message: string): void;
}

/**
 * A replayable partitioned source: reading partition p from offset o always gives the same records.
 * A partition p belongs to subtask p % parallelism.
 */
export interface Source<T> {
  readonly name: string;
  readonly bounded: boolean;
  partitionCount(ports: ProcessPorts): number;
  createReader(context: SourceReaderContext): SourceReader;
  /** Exists only for the compiler. */
  readonly shape?: T;
  /** Timestamp used where the strategy assigns none and the record carries none. */
  readonly defaultTimestampMs?: TimestampMs;
}
