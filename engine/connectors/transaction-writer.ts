import { invariant, present, unreachable } from "../base/assert.ts";
import { SINK_QUEUE_RECORDS_LIMIT } from "../base/limits.ts";
import type { CheckpointId } from "../base/units.ts";
import type { LogReply, ProducerSession } from "../ports/external-log.ts";
import { TRACE } from "../ports/tracer.ts";
import type { SinkWriterContext } from "../api/sink.ts";
import type { LogRetry } from "./log-retry.ts";
import type { SinkTransaction } from "./sink-transaction.ts";

type Request =
  | {
      readonly kind: "append";
      readonly transaction: SinkTransaction;
      readonly partition: number;
      readonly records: readonly Uint8Array[];
    }
  | { readonly kind: "prepare"; readonly transaction: SinkTransaction };

/** Somebody waits until all transactions up to a checkpoint are prepared. */
interface Waiter {
  readonly checkpointId: CheckpointId;
  readonly transactions: readonly SinkTransaction[];
  readonly done: (error: string | null) => void;
}

/**
 * Appends and prepares, one request at a time and in the order given, so that a transaction is prepared
 * after its last append. An append whose outcome is unknown cannot be repeated (the records might be there
 * twice): it fails the task, and with it the transaction.
 */
export class TransactionWriter {
  readonly #topic: string;
  readonly #context: SinkWriterContext;
  readonly #retry: LogRetry;
  #session: ProducerSession | null = null;
  readonly #requests: Request[] = [];
  #queuedRecords: number = 0;
  #busy: boolean = false;
  #waiters: Waiter[] = [];
  /** Why nothing will be written any more. */
  #failure: string | null = null;

  constructor(topic: string, context: SinkWriterContext, retry: LogRetry) {
    this.#topic = topic;
    this.#context = context;
    this.#retry = retry;
  }

  begin(session: ProducerSession): void {
    invariant(this.#session === null, "a writer begins once");
    this.#session = session;
  }

  append(transaction: SinkTransaction, partition: number, records: readonly Uint8Array[]): void {
    invariant(transaction.state === "written", "nothing is appended to a transaction that is being prepared");
    this.#queuedRecords += records.length;
    if (this.#queuedRecords > SINK_QUEUE_RECORDS_LIMIT) {
      throw new Error(`the sink into ${this.#topic} holds ${this.#queuedRecords} records that the log does not take`);
    }
    this.#requests.push({ kind: "append", transaction, partition, records });
    this.#next();
  }

  /** For inspection: what waits to be appended, or is being appended. */
  queuedRecordsOf(transaction: SinkTransaction): number {
    let count = 0;
    for (const one of this.#requests) if (one.transaction === transaction && one.kind === "append") count += one.records.length;
    return count;
  }

  /** `done(null)` once every transaction closed by that checkpoint or an earlier one is prepared. */
  prepare(
    checkpointId: CheckpointId,
    uncommitted: readonly SinkTransaction[],
    done: (error: string | null) => void,
  ): void {
    const transactions = uncommitted.filter((transaction) => transaction.checkpointId <= checkpointId);
    for (const transaction of transactions) {
      if (transaction.state !== "written") continue;
      transaction.state = "preparing";
      this.#requests.push({ kind: "prepare", transaction });
    }
    this.#waiters.push({ checkpointId, transactions, done });
    this.#next();
    this.#settle();
  }

  #next(): void {
    if (this.#busy || this.#failure !== null) return;
    const request = this.#requests.shift();
    if (request === undefined) return;
    this.#busy = true;
    switch (request.kind) {
      case "append":
        this.#append(request.transaction, request.partition, request.records);
        return;
      case "prepare":
        this.#prepare(request.transaction);
        return;
      default:
        unreachable(request, "TransactionWriter.next");
    }
  }

  #append(transaction: SinkTransaction, partition: number, records: readonly Uint8Array[]): void {
    const session = present(this.#session, "a producer is open before anything is written");
    const { log } = this.#context.ports;
    this.#retry.run<null>(
      "when-unavailable",
      (reply) => log.append(session, transaction.transactionId, this.#topic, partition, records, reply),
      (reply) => {
        this.#busy = false;
        this.#queuedRecords -= records.length;
        if (!reply.ok) this.#fail(`appending to ${transaction.transactionId} failed: ${reply.code}`);
        this.#next();
      },
    );
  }

  #prepare(transaction: SinkTransaction): void {
    const session = present(this.#session, "a producer is open before anything is prepared");
    const { log } = this.#context.ports;
    this.#retry.run<null>(
      "when-unavailable-or-unknown",
      (reply) => log.prepare(session, transaction.transactionId, reply),
      (reply) => {
        this.#busy = false;
        this.#prepared(transaction, reply);
        this.#settle();
        this.#next();
      },
    );
  }

  #prepared(transaction: SinkTransaction, reply: LogReply<null>): void {
    if (reply.ok) {
      transaction.state = "prepared";
      const { ports, subject } = this.#context;
      ports.tracer.point(TRACE.transactionPrepared, subject, transaction.checkpointId, 1);
      return;
    }
    const message = `preparing ${transaction.transactionId} failed: ${reply.code}`;
    if (reply.code !== "unavailable" && reply.code !== "unknown") {
      this.#fail(message);
      return;
    }
    // The records are safe in the log: this checkpoint is declined, the next one tries again.
    transaction.state = "written";
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => !waiter.transactions.includes(transaction));
    for (const waiter of waiting) if (waiter.transactions.includes(transaction)) waiter.done(message);
  }

  #settle(): void {
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => this.#failure === null && !isPrepared(waiter));
    for (const waiter of waiting) {
      if (this.#failure !== null) waiter.done(this.#failure);
      else if (isPrepared(waiter)) waiter.done(null);
    }
  }

  /** The records of a transaction are lost: only going back to the last checkpoint brings them again. */
  #fail(message: string): void {
    if (this.#failure !== null) return;
    this.#failure = message;
    this.#requests.length = 0;
    this.#settle();
    this.#context.onError(message);
  }
}

function isPrepared(waiter: Waiter): boolean {
  return waiter.transactions.every((transaction) => transaction.state === "prepared");
}
