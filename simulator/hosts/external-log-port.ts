import { invariant, present } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type {
  ExternalLog,
  FetchedRecords,
  LogReply,
  ProducerSession,
  TransactionInfo,
} from "../../engine/ports/external-log.ts";
import type { InteractionFault } from "../faults/fault.ts";
import type { ArrivingRecord } from "../scenario.ts";
import { LOG_CALLS, PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, Latency, SimProcess } from "../world/kernel.ts";
import { effectAfterUs, failureOf, slownessUs } from "./call-fate.ts";
import type { LogTransactions } from "./log-transactions.ts";
import type { LogObserver } from "./service-observers.ts";
import type { SimExternalLog } from "./sim-external-log.ts";

/** Calls of one process for one producer id: they take effect in the order in which they were made. */
class ProducerLane {
  readonly subject: number;
  readonly #kernel: Kernel;
  readonly #effects: (() => void)[] = [];
  readonly #runNext: () => void = () => this.#run();
  #lastUs: TimeUs = 0;

  constructor(kernel: Kernel, producerId: string) {
    this.#kernel = kernel;
    this.subject = kernel.intern(producerId);
  }

  /** One event for each effect; each runs the oldest, so no tie between them can reorder them. */
  add(delayUs: number, effect: () => void): void {
    const nowUs = this.#kernel.nowUs;
    this.#lastUs = Math.max(this.#lastUs, nowUs + delayUs);
    this.#effects.push(effect);
    this.#kernel.schedule(null, this.#lastUs - nowUs, this.#runNext);
  }

  #run(): void {
    const effect = present(this.#effects.shift(), "each event of a lane finds its effect");
    effect();
  }
}

/** A call that changes the log, or reads what such calls changed. */
interface ProducerCall<T> {
  readonly call: number;
  readonly producerId: string;
  /** Empty where the call concerns none. */
  readonly transactionId: string;
  readonly records: number;
  readonly bytes: number;
  readonly apply: (fault: InteractionFault | null) => LogReply<T>;
}

/** What `y` of a reply's trace point says where it is not a number of records. */
export const LOG_REPLIES = { unavailable: -1, unknown: -2, fenced: -3, aborted: -4, absent: -5 } as const;

/** The external log as one process sees it: latency, faults and trace points of every call. */
export class ExternalLogPort implements ExternalLog {
  readonly #kernel: Kernel;
  readonly #log: SimExternalLog;
  readonly #transactions: LogTransactions;
  readonly #process: SimProcess;
  readonly #observers: readonly LogObserver[];
  readonly #lanes: Map<string, ProducerLane> = new Map();
  readonly #appendLatency: Latency;
  readonly #transactionLatency: Latency;

  constructor(
    kernel: Kernel,
    log: SimExternalLog,
    transactions: LogTransactions,
    process: SimProcess,
    observers: readonly LogObserver[],
  ) {
    this.#kernel = kernel;
    this.#log = log;
    this.#transactions = transactions;
    this.#process = process;
    this.#observers = observers;
    this.#appendLatency = kernel.latency("logAppend", process.name);
    this.#transactionLatency = kernel.latency("logTransaction", process.name);
  }

  partitionCount(topic: string): number {
    return this.#log.partitionCount(topic);
  }

  fetch(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
    waitUs: number,
    done: (reply: LogReply<FetchedRecords>) => void,
  ): void {
    const { latency, records } = this.#log.inputPartition(topic, partition);
    invariant(offset >= 0 && offset <= records.length, "a partition is read from an offset that it has");
    invariant(limit >= 1 && waitUs >= 0, "a fetch asks for something and waits for some time");
    const kernel = this.#kernel;
    const process = this.#process;
    const subject = kernel.intern(topic);
    const fault = kernel.enter(process, PORT_TRACE.logIssued, subject, LOG_CALLS.fetch, 0);
    const latencyUs = latency.us(0, fault) + slownessUs(fault);
    const failure = failureOf(fault);
    const arrivesAtUs = records[offset]?.arrivesAtUs ?? 0;
    const idleUs = Math.max(0, Math.min(arrivesAtUs - kernel.nowUs - latencyUs, waitUs));
    kernel.schedule(process, failure === null ? latencyUs + idleUs : latencyUs, () => {
      const reply: LogReply<FetchedRecords> =
        failure === null
          ? { ok: true, value: readable(records, offset, limit, kernel.nowUs) }
          : { ok: false, code: failure === "unknown" ? "unknown" : "unavailable" };
      const y = reply.ok ? reply.value.records.length : LOG_REPLIES[reply.code];
      kernel.point(process, PORT_TRACE.logReplied, subject, LOG_CALLS.fetch, y);
      done(reply);
    });
    kernel.leave(process);
  }

  openProducer(producerId: string, done: (reply: LogReply<ProducerSession>) => void): void {
    const apply = (): LogReply<ProducerSession> => this.#transactions.open(this.#process, producerId);
    const call = { call: LOG_CALLS.open, producerId, transactionId: "", records: 0, bytes: 0, apply };
    this.#submit(this.#transactionLatency, call, done);
  }

  append(
    producer: ProducerSession,
    transactionId: string,
    topic: string,
    partition: number,
    records: readonly Uint8Array[],
    done: (reply: LogReply<null>) => void,
  ): void {
    const target = this.#log.outputPartition(topic, partition);
    // The caller may go on to fill its batch; the bytes of a record are the log's from here on.
    const batch = records.slice();
    let bytes = 0;
    for (const record of batch) bytes += record.length;
    const apply = (fault: InteractionFault | null): LogReply<null> => {
      const timedOut = fault !== null && fault.kind === "transaction-timeout";
      return this.#transactions.append(this.#process, producer, transactionId, target, batch, timedOut);
    };
    const { producerId } = producer;
    const call = { call: LOG_CALLS.append, producerId, transactionId, records: batch.length, bytes, apply };
    this.#submit(this.#appendLatency, call, done);
  }

  prepare(producer: ProducerSession, transactionId: string, done: (reply: LogReply<null>) => void): void {
    const apply = (): LogReply<null> => this.#transactions.prepare(this.#process, producer, transactionId);
    const { producerId } = producer;
    const call = { call: LOG_CALLS.prepare, producerId, transactionId, records: 0, bytes: 0, apply };
    this.#submit(this.#transactionLatency, call, done);
  }

  commit(producerId: string, transactionId: string, done: (reply: LogReply<null>) => void): void {
    const apply = (): LogReply<null> => this.#transactions.commit(this.#process, producerId, transactionId);
    const call = { call: LOG_CALLS.commit, producerId, transactionId, records: 0, bytes: 0, apply };
    this.#submit(this.#transactionLatency, call, done);
  }

  abort(producerId: string, transactionId: string, done: (reply: LogReply<null>) => void): void {
    const apply = (): LogReply<null> => this.#transactions.abort(this.#process, producerId, transactionId);
    const call = { call: LOG_CALLS.abort, producerId, transactionId, records: 0, bytes: 0, apply };
    this.#submit(this.#transactionLatency, call, done);
  }

  pending(producerId: string, done: (reply: LogReply<readonly TransactionInfo[]>) => void): void {
    const apply = (): LogReply<readonly TransactionInfo[]> => ({
      ok: true,
      value: this.#transactions.pending(producerId),
    });
    const call = { call: LOG_CALLS.pending, producerId, transactionId: "", records: 0, bytes: 0, apply };
    this.#submit(this.#transactionLatency, call, done);
  }

  #submit<T>(latency: Latency, request: ProducerCall<T>, done: (reply: LogReply<T>) => void): void {
    const kernel = this.#kernel;
    const process = this.#process;
    const { call, records } = request;
    const lane = this.#lane(request.producerId);
    const fault = kernel.enter(process, PORT_TRACE.logIssued, lane.subject, call, records);
    const latencyUs = latency.us(request.bytes, fault) + slownessUs(fault);
    const failure = failureOf(fault);
    const reply = (outcome: LogReply<T>): void => {
      const y = outcome.ok ? records : LOG_REPLIES[outcome.code];
      kernel.point(process, PORT_TRACE.logReplied, lane.subject, call, y);
      done(outcome);
    };
    if (failure === "refused") {
      kernel.schedule(process, latencyUs, () => reply({ ok: false, code: "unavailable" }));
    } else {
      const effectUs = effectAfterUs(latencyUs);
      lane.add(effectUs, () => {
        kernel.point(null, PORT_TRACE.logApplied, lane.subject, call, records);
        const outcome = this.#apply(request, fault);
        kernel.schedule(process, latencyUs - effectUs, () =>
          reply(failure === "unknown" ? { ok: false, code: "unknown" } : outcome),
        );
      });
    }
    kernel.leave(process);
  }

  #apply<T>(request: ProducerCall<T>, fault: InteractionFault | null): LogReply<T> {
    const outcome = request.apply(fault);
    if (outcome.ok) {
      // Which transaction was decided is nowhere else in the digest.
      this.#kernel.foldText(request.transactionId);
    } else {
      const { call, producerId, transactionId } = request;
      for (const observer of this.#observers) {
        observer.onRefused?.(this.#process, call, producerId, transactionId, outcome.code);
      }
    }
    return outcome;
  }

  #lane(producerId: string): ProducerLane {
    let lane = this.#lanes.get(producerId);
    if (lane === undefined) {
      lane = new ProducerLane(this.#kernel, producerId);
      this.#lanes.set(producerId, lane);
    }
    return lane;
  }
}

/** The records from `offset` on that can be read by now, at most `limit`. */
function readable(
  records: readonly ArrivingRecord[],
  offset: number,
  limit: number,
  nowUs: TimeUs,
): FetchedRecords {
  let nextOffset = offset;
  const end = Math.min(records.length, offset + limit);
  while (nextOffset < end && present(records[nextOffset], "offsets are dense").arrivesAtUs <= nowUs) nextOffset += 1;
  return { records: records.slice(offset, nextOffset), nextOffset, ended: nextOffset === records.length };
}
