import { invariant, present } from "../base/assert.ts";
import { FETCH_RECORDS_LIMIT, FETCH_WAIT_US } from "../base/limits.ts";
import type { FetchedRecords, LogRecord } from "../ports/external-log.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { Source, SourceBatch, SourceReader, SourceReaderContext } from "../api/source.ts";
import { LogRetry } from "./log-retry.ts";

/** Reads a topic of the external log, from its first record to the end of its closed partitions. */
export class LogSource<T> implements Source<T> {
  readonly name: string;
  readonly bounded = true;
  readonly topic: string;

  constructor(topic: string) {
    this.name = topic;
    this.topic = topic;
  }

  partitionCount(ports: ProcessPorts): number {
    return ports.log.partitionCount(this.topic);
  }

  createReader(context: SourceReaderContext): SourceReader {
    return new LogReader(this.topic, context);
  }
}

interface PartitionQueue {
  readonly partition: number;
  /** Fetched, oldest first; the first `taken` records of the first batch have been polled. */
  readonly batches: (readonly LogRecord[])[];
  taken: number;
  queuedRecords: number;
  /** Offset of the next record to poll. */
  offset: number;
  /** Offset of the next record to fetch. */
  fetchOffset: number;
  fetching: boolean;
  /** Everything up to the partition's end is fetched. */
  endFetched: boolean;
  /** The end has been polled. */
  ended: boolean;
}

/**
 * Fetches ahead, one request a partition at a time, while fewer records wait than one fetch may bring. An
 * error is repeated with growing delays (reading changes nothing, so an unknown outcome may be too), then
 * reported.
 */
class LogReader implements SourceReader {
  readonly #topic: string;
  readonly #context: SourceReaderContext;
  readonly #retry: LogRetry;
  readonly #queues: PartitionQueue[] = [];
  /** The partition whose turn it is. */
  #turn: number = 0;
  #closed: boolean = false;

  constructor(topic: string, context: SourceReaderContext) {
    this.#topic = topic;
    this.#context = context;
    this.#retry = new LogRetry(context.ports.scheduler);
  }

  start(partition: number, offset: number): void {
    invariant(!this.#queues.some((queue) => queue.partition === partition), `partition ${partition} is started once`);
    invariant(offset >= 0, "an offset is not negative");
    const queue: PartitionQueue = {
      partition,
      batches: [],
      taken: 0,
      queuedRecords: 0,
      offset,
      fetchOffset: offset,
      fetching: false,
      endFetched: false,
      ended: false,
    };
    this.#queues.push(queue);
    this.#fetch(queue);
  }

  poll(limit: number): SourceBatch | null {
    const count = this.#queues.length;
    for (let tried = 0; tried < count; tried++) {
      const queue = this.#queues[this.#turn] as PartitionQueue;
      this.#turn = this.#turn + 1 === count ? 0 : this.#turn + 1;
      if (queue.queuedRecords > 0) return this.#take(queue, limit);
      if (queue.endFetched && !queue.ended) {
        queue.ended = true;
        return { partition: queue.partition, offset: queue.offset, records: [], ended: true };
      }
    }
    return null;
  }

  ended(): boolean {
    return this.#queues.every((queue) => queue.ended);
  }

  close(): void {
    this.#closed = true;
    this.#retry.stop();
  }

  #take(queue: PartitionQueue, limit: number): SourceBatch {
    const batch = present(queue.batches[0], "queued records lie in a batch");
    const end = Math.min(batch.length, queue.taken + limit);
    const records = queue.taken === 0 && end === batch.length ? batch : batch.slice(queue.taken, end);
    const offset = queue.offset;
    queue.taken = end;
    queue.offset += records.length;
    queue.queuedRecords -= records.length;
    if (end === batch.length) {
      queue.batches.shift();
      queue.taken = 0;
    }
    queue.ended = queue.endFetched && queue.queuedRecords === 0;
    this.#fetch(queue);
    return { partition: queue.partition, offset, records, ended: queue.ended };
  }

  #fetch(queue: PartitionQueue): void {
    if (queue.fetching || queue.endFetched || this.#closed || queue.queuedRecords >= FETCH_RECORDS_LIMIT) return;
    queue.fetching = true;
    const { log } = this.#context.ports;
    this.#retry.run<FetchedRecords>(
      "when-unavailable-or-unknown",
      (reply) =>
        log.fetch(this.#topic, queue.partition, queue.fetchOffset, FETCH_RECORDS_LIMIT, FETCH_WAIT_US, reply),
      (reply) => {
        queue.fetching = false;
        if (reply.ok) this.#fetched(queue, reply.value);
        else this.#context.onError(`reading ${this.#topic}/${queue.partition} at ${queue.fetchOffset} failed: ${reply.code}`);
      },
    );
  }

  #fetched(queue: PartitionQueue, fetched: FetchedRecords): void {
    const { records, nextOffset, ended } = fetched;
    invariant(nextOffset === queue.fetchOffset + records.length, "records of a partition have consecutive offsets");
    queue.fetchOffset = nextOffset;
    queue.endFetched = ended;
    if (records.length > 0) {
      queue.batches.push(records);
      queue.queuedRecords += records.length;
    }
    this.#fetch(queue);
    if (records.length > 0 || ended) this.#context.onAvailable();
  }
}
