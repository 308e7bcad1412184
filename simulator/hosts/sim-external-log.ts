import { invariant, present } from "../../engine/base/assert.ts";
import type { ExternalLog } from "../../engine/ports/external-log.ts";
import type { ArrivingRecord, InputTopic, OutputTopic } from "../scenario.ts";
import type { Kernel, Latency, SimProcess } from "../world/kernel.ts";
import { ExternalLogPort } from "./external-log-port.ts";
import type { KeptPartition, LogPartition, VisibleRecord } from "./log-partition.ts";
import type { KeptProducer, TransactionSnapshot } from "./log-transactions.ts";
import { LogTransactions, OutputPartitions } from "./log-transactions.ts";
import type { LogObserver } from "./service-observers.ts";

export interface ExternalLogOptions {
  readonly inputs: readonly InputTopic[];
  readonly outputs: readonly OutputTopic[];
  /** After this long, counted from its first append, an open transaction is aborted. */
  readonly transactionTimeoutUs: number;
}

/** The output topics as they were: they go on in another World. */
export interface KeptLog {
  readonly producers: readonly KeptProducer[];
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly contents: KeptPartition }[];
}

export interface LogSnapshot {
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly lastStableOffset: number;
    readonly endOffset: number;
  }[];
  readonly transactions: readonly TransactionSnapshot[];
}

/**
 * The simulated external log: one for the whole World, never down for good, forgets nothing.
 *
 * Input topics are given whole, each record with the time at which it can be read; a partition is closed
 * once its last record can be. A fetch looks at its partition when its reply arrives, and waits for the first
 * record with that one event. Calls that change the log take effect half-way through their latency, as steps
 * of the outside world, even if the caller is dead by then; those of one process for one producer id in the
 * order in which they were made (a producer has one connection), all others in any order.
 *
 * What may go wrong: a call is turned away (log-error, unavailable); it is done but reported as unknown
 * (log-error, unknown); it is slow (log-slow); an open transaction runs into the timeout, in time or just
 * before an append (transaction-timeout). What stays true: offsets of a partition are dense and never change;
 * records become visible in offset order, those of a transaction in one partition together, and only when
 * everything before them is decided; what is visible stays so; no producer appends or prepares after a later
 * one of its id was opened; a prepared transaction is decided by a call and by nothing else; a living caller
 * gets exactly one reply.
 */
export class SimExternalLog {
  readonly #kernel: Kernel;
  readonly #inputs: Map<string, readonly InputPartition[]> = new Map();
  readonly #outputs: OutputPartitions = new OutputPartitions();
  readonly #transactions: LogTransactions;
  readonly #observers: readonly LogObserver[];

  constructor(kernel: Kernel, options: ExternalLogOptions, observers: readonly LogObserver[]) {
    this.#kernel = kernel;
    this.#observers = observers;
    this.#transactions = new LogTransactions(kernel, options.transactionTimeoutUs, observers);
    for (const { topic, partitions } of options.inputs) {
      invariant(!this.#inputs.has(topic), `topic ${topic} is declared once`);
      const inputs = partitions.map((records, index) => ({ latency: kernel.latency("logFetch", `${topic}[${index}]`), records }));
      this.#inputs.set(topic, inputs);
    }
    for (const { topic, partitions } of options.outputs) {
      invariant(!this.#inputs.has(topic), `topic ${topic} is read or written, not both`);
      this.#outputs.add(topic, partitions);
    }
  }

  portFor(process: SimProcess): ExternalLog {
    return new ExternalLogPort(this.#kernel, this, this.#transactions, process, this.#observers);
  }

  partitionCount(topic: string): number {
    return present(this.#inputs.get(topic)?.length ?? this.#outputs.count(topic), `topic ${topic} exists`);
  }

  inputPartition(topic: string, partition: number): InputPartition {
    return present(this.#inputs.get(topic)?.[partition], "the input partition exists");
  }

  outputPartition(topic: string, partition: number): LogPartition {
    return this.#outputs.at(topic, partition);
  }

  /** All that a read-committed consumer of a partition sees now; for oracles, without a trace. */
  readCommitted(topic: string, partition: number): readonly VisibleRecord[] {
    return this.#outputs.at(topic, partition).readCommitted();
  }

  /** The output topics as they are now, for a log that goes on from there. */
  keep(): KeptLog {
    const partitions = this.#outputs.all().map((one) => ({ topic: one.topic, partition: one.partition, contents: one.keep() }));
    return { producers: this.#transactions.keep(), partitions };
  }

  /** Before anything happened: begins with what another one held. */
  load({ producers, partitions }: KeptLog): void {
    const transactionOf = this.#transactions.load(producers, ({ topic, partition }) => this.#outputs.at(topic, partition));
    for (const { topic, partition, contents } of partitions) {
      this.#outputs.at(topic, partition).load(contents, ({ transactionId }) => transactionOf(transactionId));
    }
  }

  /** For inspection: the partitions of the output topics. */
  outputPartitions(): readonly LogPartition[] {
    return this.#outputs.all();
  }

  inspect(): LogSnapshot {
    const partitions = this.#outputs.all().map(({ topic, partition, lastStableOffset, endOffset }) => ({
      topic,
      partition,
      lastStableOffset,
      endOffset,
    }));
    return { partitions, transactions: this.#transactions.inspect() };
  }
}

export interface InputPartition {
  /** Of a fetch. */
  readonly latency: Latency;
  readonly records: readonly ArrivingRecord[];
}
