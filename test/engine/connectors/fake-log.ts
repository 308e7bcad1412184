import { decode } from "#whitewater/engine/base/codec.js";
import type {
  ExternalLog,
  LogError,
  LogRecord,
  LogReply,
  ProducerSession,
  TransactionStatus,
} from "#whitewater/engine/ports/external-log.js";

type Call = "fetch" | "openProducer" | "append" | "prepare" | "commit" | "abort" | "pending";
type After = (delayUs: number, callback: () => void) => number;

interface Transaction {
  readonly producerId: string;
  status: TransactionStatus;
  readonly records: { readonly topic: string; readonly partition: number; readonly value: unknown }[];
}

const LATENCY_US = 1000;

/** An external log in memory. A test tells which of the next calls fail, and whether they still take effect. */
export class FakeLog {
  readonly topics: Readonly<Record<string, readonly (readonly LogRecord[])[]>>;
  readonly transactions: Map<string, Transaction> = new Map();
  readonly calls: Call[] = [];
  /** What read-committed consumers see, in the order in which it was committed. */
  readonly committed: { readonly topic: string; readonly partition: number; readonly value: unknown }[] = [];
  readonly #epochs: Map<string, number> = new Map();
  readonly #failures: Partial<Record<Call, { readonly code: LogError; readonly applied: boolean }[]>> = {};

  constructor(topics: Readonly<Record<string, readonly (readonly LogRecord[])[]>>) {
    this.topics = topics;
  }

  /** The next `times` calls of this kind fail; "unknown" ones take effect all the same if `applied`. */
  fail(call: Call, code: LogError, times: number = 1, applied: boolean = false): void {
    const list = (this.#failures[call] ??= []);
    for (let i = 0; i < times; i++) list.push({ code, applied });
  }

  count(call: Call): number {
    return this.calls.filter((one) => one === call).length;
  }

  portFor(after: After): ExternalLog {
    const serve = <T>(call: Call, effect: () => LogReply<T>, done: (reply: LogReply<T>) => void): void => {
      this.calls.push(call);
      const failure = this.#failures[call]?.shift();
      const reply = failure === undefined || failure.applied ? effect() : null;
      const answer: LogReply<T> =
        failure === undefined && reply !== null ? reply : { ok: false, code: failure?.code ?? "unavailable" };
      after(LATENCY_US, () => done(answer));
    };
    return {
      partitionCount: (topic) => this.topics[topic]?.length ?? 0,
      fetch: (topic, partition, offset, limit, _waitUs, done) =>
        serve("fetch", () => this.#fetch(topic, partition, offset, limit), done),
      openProducer: (id, done) => serve("openProducer", () => this.#open(id), done),
      append: (session, id, topic, partition, records, done) =>
        serve("append", () => this.#append(session, id, topic, partition, records), done),
      prepare: (session, id, done) => serve("prepare", () => this.#prepare(session, id), done),
      commit: (_producer, id, done) => serve("commit", () => this.#commit(id), done),
      abort: (_producer, id, done) => serve("abort", () => this.#abort(id), done),
      pending: (producerId, done) => serve("pending", () => this.#pending(producerId), done),
    };
  }

  statusOf(transactionId: string): TransactionStatus | null {
    return this.transactions.get(transactionId)?.status ?? null;
  }

  #fetch(topic: string, partition: number, offset: number, limit: number): LogReply<never> | LogReply<any> {
    const all = this.topics[topic]?.[partition] ?? [];
    const records = all.slice(offset, offset + limit);
    const nextOffset = offset + records.length;
    return { ok: true, value: { records, nextOffset, ended: nextOffset === all.length } };
  }

  #open(producerId: string): LogReply<ProducerSession> {
    const epoch = (this.#epochs.get(producerId) ?? 0) + 1;
    this.#epochs.set(producerId, epoch);
    for (const transaction of this.transactions.values()) {
      if (transaction.producerId === producerId && transaction.status === "open") transaction.status = "aborted";
    }
    return { ok: true, value: { producerId, epoch } };
  }

  #append(
    session: ProducerSession,
    id: string,
    topic: string,
    partition: number,
    records: readonly Uint8Array[],
  ): LogReply<null> {
    if (session.epoch !== this.#epochs.get(session.producerId)) return { ok: false, code: "fenced" };
    let transaction = this.transactions.get(id);
    if (transaction === undefined) {
      transaction = { producerId: session.producerId, status: "open", records: [] };
      this.transactions.set(id, transaction);
    }
    if (transaction.status !== "open") return { ok: false, code: "aborted" };
    for (const bytes of records) transaction.records.push({ topic, partition, value: decode(bytes) });
    return { ok: true, value: null };
  }

  #prepare(session: ProducerSession, id: string): LogReply<null> {
    if (session.epoch !== this.#epochs.get(session.producerId)) return { ok: false, code: "fenced" };
    const transaction = this.transactions.get(id);
    if (transaction === undefined) return { ok: false, code: "absent" };
    if (transaction.status === "aborted") return { ok: false, code: "aborted" };
    if (transaction.status === "open") transaction.status = "prepared";
    return { ok: true, value: null };
  }

  #commit(id: string): LogReply<null> {
    const transaction = this.transactions.get(id);
    if (transaction === undefined) return { ok: false, code: "absent" };
    if (transaction.status === "aborted") return { ok: false, code: "aborted" };
    if (transaction.status !== "committed") this.committed.push(...transaction.records);
    transaction.status = "committed";
    return { ok: true, value: null };
  }

  #abort(id: string): LogReply<null> {
    const transaction = this.transactions.get(id);
    if (transaction !== undefined) transaction.status = "aborted";
    return { ok: true, value: null };
  }

  #pending(producerId: string): LogReply<any> {
    const value = [...this.transactions]
      .filter(([, one]) => one.producerId === producerId && (one.status === "open" || one.status === "prepared"))
      .map(([transactionId, { status }]) => ({ transactionId, status }));
    return { ok: true, value };
  }
}
