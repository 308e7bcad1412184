import { invariant, present } from "../../engine/base/assert.ts";
import type {
  LogReply,
  ProducerSession,
  TransactionInfo,
  TransactionStatus,
} from "../../engine/ports/external-log.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, SimProcess } from "../world/kernel.ts";
import type { Decidable } from "./log-partition.ts";
import { LogPartition } from "./log-partition.ts";
import type { AbortReason, LogObserver } from "./service-observers.ts";

/** A transaction as a person sees it in a paused World. */
export interface TransactionSnapshot extends TransactionInfo {
  readonly producerId: string;
  /** Epoch of the producer that began it. */
  readonly epoch: number;
  readonly records: number;
}

interface Transaction {
  readonly transactionId: string;
  readonly epoch: number;
  readonly partitions: Set<LogPartition>;
  status: TransactionStatus;
  records: number;
  timeout: number;
}

interface Producer {
  readonly producerId: string;
  readonly subject: number;
  epoch: number;
  /** In the order in which they began; decided ones stay, so that deciding again is answered rightly. */
  readonly transactions: Map<string, Transaction>;
}

/** A producer as it was: it goes on in another World. */
export interface KeptProducer {
  readonly producerId: string;
  readonly epoch: number;
  readonly transactions: readonly KeptTransaction[];
}

interface KeptTransaction extends Decidable {
  readonly epoch: number;
  readonly partitions: readonly LogPartition[];
  readonly records: number;
}

const OK: LogReply<null> = { ok: true, value: null };

/** The effects of the calls on producers and their transactions, each in one step. */
export class LogTransactions {
  readonly #kernel: Kernel;
  readonly #timeoutUs: number;
  readonly #observers: readonly LogObserver[];
  readonly #producers: Map<string, Producer> = new Map();

  constructor(kernel: Kernel, timeoutUs: number, observers: readonly LogObserver[]) {
    invariant(timeoutUs > 0, "an open transaction has some time");
    this.#kernel = kernel;
    this.#timeoutUs = timeoutUs;
    this.#observers = observers;
  }

  open(process: SimProcess, producerId: string): LogReply<ProducerSession> {
    const producer = this.#producer(producerId);
    producer.epoch += 1;
    const session = { producerId, epoch: producer.epoch };
    for (const observer of this.#observers) observer.onProducerOpened?.(process, session);
    for (const transaction of producer.transactions.values()) {
      if (transaction.status === "open") this.#abort(process, producer, transaction, "fenced");
    }
    return { ok: true, value: session };
  }

  append(
    process: SimProcess,
    session: ProducerSession,
    transactionId: string,
    partition: LogPartition,
    records: readonly Uint8Array[],
    timedOut: boolean,
  ): LogReply<null> {
    const producer = this.#producer(session.producerId);
    if (this.#isFenced(producer, session)) return { ok: false, code: "fenced" };
    const transaction = producer.transactions.get(transactionId) ?? this.#begin(producer, session, transactionId);
    if (timedOut && transaction.status === "open") this.#timeOut(producer, transaction);
    if (transaction.status === "aborted") return { ok: false, code: "aborted" };
    // Preparing was the last word of the producer on this transaction.
    if (transaction.status !== "open") return { ok: false, code: "fenced" };
    const firstOffset = partition.append(transaction, records);
    transaction.partitions.add(partition);
    transaction.records += records.length;
    for (const bytes of records) this.#kernel.foldBytes(bytes);
    for (const observer of this.#observers) {
      observer.onAppend?.(
        process,
        session,
        transactionId,
        partition.topic,
        partition.partition,
        firstOffset,
        records,
      );
    }
    return OK;
  }

  prepare(process: SimProcess, session: ProducerSession, transactionId: string): LogReply<null> {
    const producer = this.#producer(session.producerId);
    if (this.#isFenced(producer, session)) return { ok: false, code: "fenced" };
    const transaction = producer.transactions.get(transactionId);
    if (transaction === undefined) return { ok: false, code: "absent" };
    if (transaction.status === "aborted") return { ok: false, code: "aborted" };
    if (transaction.status !== "open") return OK;
    this.#kernel.cancel(transaction.timeout);
    transaction.status = "prepared";
    for (const observer of this.#observers) observer.onPrepare?.(process, session, transactionId);
    return OK;
  }

  /** "absent" also for a transaction that was never prepared. */
  commit(process: SimProcess, producerId: string, transactionId: string): LogReply<null> {
    const transaction = this.#producer(producerId).transactions.get(transactionId);
    if (transaction === undefined || transaction.status === "open") return { ok: false, code: "absent" };
    if (transaction.status === "aborted") return { ok: false, code: "aborted" };
    if (transaction.status === "committed") return OK;
    transaction.status = "committed";
    for (const observer of this.#observers) observer.onCommit?.(process, producerId, transactionId);
    this.#decided(transaction);
    return OK;
  }

  /** "absent" for a transaction that was committed: there is nothing left to abort. */
  abort(process: SimProcess, producerId: string, transactionId: string): LogReply<null> {
    const producer = this.#producer(producerId);
    const transaction = producer.transactions.get(transactionId);
    if (transaction === undefined || transaction.status === "aborted") return OK;
    if (transaction.status === "committed") return { ok: false, code: "absent" };
    this.#abort(process, producer, transaction, "requested");
    return OK;
  }

  pending(producerId: string): readonly TransactionInfo[] {
    const found: TransactionInfo[] = [];
    for (const { transactionId, status } of this.#producer(producerId).transactions.values()) {
      if (status === "open" || status === "prepared") found.push({ transactionId, status });
    }
    return found;
  }

  /** What is known now, for a log that goes on from there. */
  keep(): readonly KeptProducer[] {
    return [...this.#producers.values()].map(({ producerId, epoch, transactions }) => {
      return { producerId, epoch, transactions: [...transactions.values()].map((one) => ({ ...one, partitions: [...one.partitions] })) };
    });
  }

  /** Before anything happened. Returns what finds a transaction of the new log by its id. */
  load(producers: readonly KeptProducer[], partitionOf: (partition: LogPartition) => LogPartition): (transactionId: string) => Decidable {
    const byId = new Map<string, Transaction>();
    for (const { producerId, epoch, transactions } of producers) {
      const producer = this.#producer(producerId);
      producer.epoch = epoch;
      for (const kept of transactions) {
        const transaction: Transaction = { ...kept, partitions: new Set(kept.partitions.map(partitionOf)), timeout: 0 };
        if (transaction.status === "open") {
          transaction.timeout = this.#kernel.schedule(null, this.#timeoutUs, () => this.#timeOut(producer, transaction));
        }
        producer.transactions.set(transaction.transactionId, transaction);
        byId.set(transaction.transactionId, transaction);
      }
    }
    return (transactionId) => present(byId.get(transactionId), "a segment belongs to a transaction");
  }

  inspect(): readonly TransactionSnapshot[] {
    const found: TransactionSnapshot[] = [];
    for (const { producerId, transactions } of this.#producers.values()) {
      for (const { transactionId, status, epoch, records } of transactions.values()) {
        found.push({ producerId, transactionId, status, epoch, records });
      }
    }
    return found;
  }

  #producer(producerId: string): Producer {
    let producer = this.#producers.get(producerId);
    if (producer === undefined) {
      const subject = this.#kernel.intern(producerId);
      producer = { producerId, subject, epoch: 0, transactions: new Map() };
      this.#producers.set(producerId, producer);
    }
    return producer;
  }

  #isFenced(producer: Producer, session: ProducerSession): boolean {
    invariant(session.epoch >= 1 && session.epoch <= producer.epoch, "a producer session was opened before");
    return session.epoch < producer.epoch;
  }

  #begin(producer: Producer, session: ProducerSession, transactionId: string): Transaction {
    const transaction: Transaction = {
      transactionId,
      epoch: session.epoch,
      partitions: new Set(),
      status: "open",
      records: 0,
      timeout: 0,
    };
    transaction.timeout = this.#kernel.schedule(null, this.#timeoutUs, () => this.#timeOut(producer, transaction));
    producer.transactions.set(transactionId, transaction);
    return transaction;
  }

  #timeOut(producer: Producer, transaction: Transaction): void {
    invariant(transaction.status === "open", "only open transactions run into the timeout");
    this.#kernel.point(null, PORT_TRACE.transactionTimedOut, producer.subject, 0, transaction.records);
    this.#abort(null, producer, transaction, "timeout");
  }

  #abort(process: SimProcess | null, producer: Producer, transaction: Transaction, reason: AbortReason): void {
    this.#kernel.cancel(transaction.timeout);
    transaction.status = "aborted";
    for (const observer of this.#observers) {
      observer.onAbort?.(process, producer.producerId, transaction.transactionId, reason);
    }
    this.#decided(transaction);
  }

  #decided(transaction: Transaction): void {
    for (const partition of transaction.partitions) {
      partition.advance((firstOffset, records, transactionId) => {
        for (const observer of this.#observers) {
          observer.onVisible?.(partition.topic, partition.partition, firstOffset, records, transactionId);
        }
      });
    }
  }
}

/** The partitions of the output topics. */
export class OutputPartitions {
  readonly #topics: Map<string, readonly LogPartition[]> = new Map();

  add(topic: string, partitions: number): void {
    invariant(!this.#topics.has(topic), `topic ${topic} is declared once`);
    this.#topics.set(
      topic,
      Array.from({ length: partitions }, (_, partition) => new LogPartition(topic, partition)),
    );
  }

  count(topic: string): number | null {
    return this.#topics.get(topic)?.length ?? null;
  }

  at(topic: string, partition: number): LogPartition {
    return present(this.#topics.get(topic)?.[partition], "the output partition exists");
  }

  all(): readonly LogPartition[] {
    return Array.from(this.#topics.values()).flat();
  }
}
