import { invariant, present } from "../../engine/base/assert.ts";
import type { SourceReader } from "../../engine/api/source.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { NO_TIMESTAMP, US_PER_MS } from "../../engine/base/units.ts";
import type { SourceNode } from "../../engine/graph/stream-graph.ts";
import type { LogRecord } from "../../engine/ports/external-log.ts";
import type { ProcessPorts } from "../../engine/ports/process-ports.ts";
import type { ArrivingRecord, InputTopic } from "../scenario.ts";

/** More than any source of a scenario holds. */
const RECORDS_LIMIT = 10_000_000;

/** What one partition of a source will ever emit, by offset. */
export interface PartitionRecords {
  readonly length: number;
  value(offset: number): unknown;
  /** The timestamp that it came with. */
  timestampMs(offset: number): TimestampMs;
}

/** Everything a source will ever emit, by partition, with its time of arrival and the timestamp it came with. */
export function recordsOfSource(
  node: SourceNode,
  inputs: readonly InputTopic[],
): readonly (readonly ArrivingRecord[])[] {
  const input = inputOf(node, inputs);
  if (input !== null) return input.partitions;
  const partitions: ArrivingRecord[][] = [];
  for (let partition = 0; partition < partitionCount(node); partition++) {
    const records: ArrivingRecord[] = [];
    readToItsEnd(node, partition, (batch) => {
      for (const record of batch) records.push(arriving(record));
    });
    partitions.push(records);
  }
  return partitions;
}

/** The same without times of arrival, and without keeping what the source holds anyway. */
export function partitionsOfSource(node: SourceNode, inputs: readonly InputTopic[]): readonly PartitionRecords[] {
  const input = inputOf(node, inputs);
  if (input !== null) return input.partitions.map((records) => new TopicRecords(records));
  const partitions: PartitionRecords[] = [];
  for (let partition = 0; partition < partitionCount(node); partition++) {
    let length = 0;
    readToItsEnd(node, partition, (batch) => void (length += batch.length));
    partitions.push(new HeldRecords(node, partition, length));
  }
  return partitions;
}

/** Null for a source without a topic: it holds its own records. */
function inputOf(node: SourceNode, inputs: readonly InputTopic[]): InputTopic | null {
  const { topic } = node.source as { readonly topic?: unknown };
  if (typeof topic !== "string") return null;
  const input = inputs.find((candidate) => candidate.topic === topic);
  return present(input, `the workload has the topic "${topic}" that source "${node.uid}" reads`);
}

class TopicRecords implements PartitionRecords {
  readonly length: number;
  readonly #records: readonly ArrivingRecord[];

  constructor(records: readonly ArrivingRecord[]) {
    this.length = records.length;
    this.#records = records;
  }

  value(offset: number): unknown {
    return present(this.#records[offset], IN_PARTITION).value;
  }

  timestampMs(offset: number): TimestampMs {
    return present(this.#records[offset], IN_PARTITION).timestampMs;
  }
}

/** Reads on where the last one asked for was, or anew: there may be a million, and they are asked for in order. */
class HeldRecords implements PartitionRecords {
  readonly length: number;
  readonly #node: SourceNode;
  readonly #partition: number;
  #reader: SourceReader | null = null;
  /** The batch read last, and the offset of its first record. */
  #records: readonly LogRecord[] = [];
  #offset = 0;

  constructor(node: SourceNode, partition: number, length: number) {
    this.length = length;
    this.#node = node;
    this.#partition = partition;
  }

  value(offset: number): unknown {
    return this.#record(offset).value;
  }

  timestampMs(offset: number): TimestampMs {
    return this.#record(offset).timestampMs;
  }

  #record(offset: number): LogRecord {
    return this.#records[offset - this.#offset] ?? this.#read(offset);
  }

  #read(offset: number): LogRecord {
    invariant(offset >= 0 && offset < this.length, IN_PARTITION);
    if (this.#reader === null || offset !== this.#offset + this.#records.length) {
      this.#reader?.close();
      this.#reader = readerOf(this.#node, this.#partition, offset);
    }
    this.#records = nextBatch(this.#reader, this.#node);
    this.#offset = offset;
    return present(this.#records[0], IN_PARTITION);
  }
}

const IN_PARTITION = "a record lies within its partition";

/**
 * A source without a topic is read by the contract of sources (replayable from any offset), at the end of
 * time, when all of its records are available.
 */
function readToItsEnd(node: SourceNode, partition: number, visit: (batch: readonly LogRecord[]) => void): void {
  const reader = readerOf(node, partition, 0);
  for (let read = 0; !reader.ended() && read < RECORDS_LIMIT; ) {
    const batch = nextBatch(reader, node);
    visit(batch);
    read += batch.length;
  }
  reader.close();
}

function partitionCount({ source, uid }: SourceNode): number {
  invariant(source.bounded, `source "${uid}" ends`);
  return source.partitionCount(endOfTime(uid));
}

function readerOf({ source, uid }: SourceNode, partition: number, offset: number): SourceReader {
  const reader = source.createReader({
    ports: endOfTime(uid),
    subtaskIndex: 0,
    subject: 0,
    onAvailable: () => undefined,
    onError: (message) => invariant(false, `source "${uid}" can be read: ${message}`),
  });
  reader.start(partition, offset);
  return reader;
}

function nextBatch(reader: SourceReader, { uid }: SourceNode): readonly LogRecord[] {
  return present(reader.poll(1024), `source "${uid}" needs nothing but time`).records;
}

/** A timestamp is its time of arrival. */
function arriving({ value, timestampMs }: LogRecord): ArrivingRecord {
  const arrivesAtUs = timestampMs === NO_TIMESTAMP ? 0 : Math.max(0, timestampMs) * US_PER_MS;
  return { arrivesAtUs, timestampMs, value };
}

/** Ports of a world in which it is late and nothing else exists. */
function endOfTime(uid: string): ProcessPorts {
  const nowUs = Number.MAX_SAFE_INTEGER;
  const none = new Proxy({}, { get: (_, port) => invariant(false, `source "${uid}" reads a topic (it asked for ${String(port)})`) });
  const clock = { nowUs: () => nowUs, processingTimeMs: () => Math.floor(nowUs / US_PER_MS) };
  return new Proxy({ clock } as unknown as ProcessPorts, {
    get: (ports, name) => (name === "clock" ? ports.clock : none),
  });
}
