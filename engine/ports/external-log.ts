import type { TimestampMs } from "../base/units.ts";

/** One record of an input topic. `value` is immutable. */
export interface LogRecord {
  readonly value: unknown;
  readonly timestampMs: TimestampMs;
}

/**
 * "unknown": the effect may or may not have happened. "fenced": a later producer of that id was opened.
 * "aborted": the transaction was aborted (by its timeout, a fence or on request). "absent": never begun.
 */
export type LogError = "unavailable" | "unknown" | "fenced" | "aborted" | "absent";
export type LogReply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: LogError };

export interface FetchedRecords {
  readonly records: readonly LogRecord[];
  /** Offset of the first record after these. */
  readonly nextOffset: number;
  /** The partition is closed and `nextOffset` is its end: nothing will ever follow. */
  readonly ended: boolean;
}

/** A producer as opened: its id and the epoch that fences earlier producers of the same id. */
export interface ProducerSession {
  readonly producerId: string;
  readonly epoch: number;
}

export type TransactionStatus = "open" | "prepared" | "committed" | "aborted";
export interface TransactionInfo {
  readonly transactionId: string;
  readonly status: TransactionStatus;
}

/**
 * A Kafka-like partitioned log with offsets and transactions.
 *
 * Promises: a partition is an append-only sequence; records of a transaction become visible to
 * read-committed consumers all at once when it commits, in offset order, and not before every earlier
 * offset is decided; `commit` and `abort` are idempotent; an open transaction is aborted after the log's
 * timeout, a prepared one never by time. May go wrong: an error; slow; a reply "unknown" although the
 * effect happened. Opening a producer aborts the *open* transactions of earlier producers of that id and
 * fences those producers from append and prepare; prepared transactions stay until somebody decides them.
 */
export interface ExternalLog {
  /** Partitions of a topic; the topic must exist. */
  partitionCount(topic: string): number;
  /** Records from `offset` on, at most `limit`; waits up to `waitUs` for the first to arrive. */
  fetch(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
    waitUs: number,
    done: (reply: LogReply<FetchedRecords>) => void,
  ): void;
  openProducer(producerId: string, done: (reply: LogReply<ProducerSession>) => void): void;
  /** Appends to an open transaction, beginning it where it is absent. */
  append(
    producer: ProducerSession,
    transactionId: string,
    topic: string,
    partition: number,
    records: readonly Uint8Array[],
    done: (reply: LogReply<null>) => void,
  ): void;
  /** After ok, only commit or abort decide it: no timeout, no fence. Preparing twice is ok. */
  prepare(producer: ProducerSession, transactionId: string, done: (reply: LogReply<null>) => void): void;
  /** Commits a prepared transaction, whichever producer prepared it. Committing twice is ok. */
  commit(producerId: string, transactionId: string, done: (reply: LogReply<null>) => void): void;
  /** Aborts an open or prepared transaction. Aborting twice, or what is absent, is ok. */
  abort(producerId: string, transactionId: string, done: (reply: LogReply<null>) => void): void;
  /** Transactions of a producer id that are open or prepared, in the order in which they began. */
  pending(producerId: string, done: (reply: LogReply<readonly TransactionInfo[]>) => void): void;
}
