import type { Sink, SinkWriter, SinkWriterContext, WriterTransaction } from "../../engine/api/sink.ts";
import type { Source, SourceBatch, SourceReader, SourceReaderContext } from "../../engine/api/source.ts";
import type { CheckpointId, TimestampMs } from "../../engine/base/units.ts";
import type { ProcessPorts } from "../../engine/ports/process-ports.ts";
import type { UserCodeGate } from "./graph-rewriting-gate.ts";
import type { RecordIds, SourceIds, Tagged } from "./graph-rewriting-ids.ts";

/** A source whose records carry their ids. */
export class TaggingSource implements Source<Tagged> {
  readonly name: string;
  readonly bounded: boolean;
  readonly defaultTimestampMs?: TimestampMs;
  readonly #source: Source<unknown>;
  readonly #uid: string;
  readonly #ids: RecordIds;
  readonly #gate: UserCodeGate;

  constructor(source: Source<unknown>, uid: string, ids: RecordIds, gate: UserCodeGate) {
    this.name = source.name;
    this.bounded = source.bounded;
    if (source.defaultTimestampMs !== undefined) this.defaultTimestampMs = source.defaultTimestampMs;
    this.#source = source;
    this.#uid = uid;
    this.#ids = ids;
    this.#gate = gate;
  }

  partitionCount(ports: ProcessPorts): number {
    return this.#source.partitionCount(ports);
  }

  createReader(context: SourceReaderContext): SourceReader {
    return new TaggingReader(this.#source.createReader(context), this.#ids.ofSource(this.#uid), this.#gate);
  }
}

interface ReusedRecord {
  value: unknown;
  timestampMs: TimestampMs;
}

class TaggingReader implements SourceReader {
  readonly #reader: SourceReader;
  readonly #ofSource: SourceIds;
  readonly #gate: UserCodeGate;
  /** A batch is good until the next one is asked for: its records are used again. */
  readonly #records: ReusedRecord[] = [];

  constructor(reader: SourceReader, ofSource: SourceIds, gate: UserCodeGate) {
    this.#reader = reader;
    this.#ofSource = ofSource;
    this.#gate = gate;
  }

  start(partition: number, offset: number): void {
    this.#reader.start(partition, offset);
  }

  poll(limit: number): SourceBatch | null {
    const batch = this.#reader.poll(limit);
    if (batch === null) return null;
    const { partition, offset, records } = batch;
    const firstId = (this.#ofSource.firstIds[partition] as number) + offset;
    const reused = this.#records;
    while (reused.length < records.length) reused.push({ value: null, timestampMs: 0 });
    reused.length = records.length;
    for (let i = 0; i < records.length; i++) {
      const { value, timestampMs } = records[i] as ReusedRecord;
      const record = reused[i] as ReusedRecord;
      record.value = { id: firstId + i, value };
      record.timestampMs = timestampMs;
      this.#gate.received(value);
    }
    return { partition, offset, records: reused, ended: batch.ended };
  }

  ended(): boolean {
    return this.#reader.ended();
  }

  close(): void {
    this.#reader.close();
  }
}

/** A sink that writes the values without their ids. */
export class UntaggingSink implements Sink<Tagged> {
  readonly name: string;
  readonly commits: boolean;
  readonly #sink: Sink<unknown>;

  constructor(sink: Sink<unknown>) {
    this.name = sink.name;
    this.commits = sink.commits ?? true;
    this.#sink = sink;
  }

  createWriter(context: SinkWriterContext): SinkWriter<Tagged> {
    return new UntaggingWriter(this.#sink.createWriter(context));
  }
}

class UntaggingWriter implements SinkWriter<Tagged> {
  readonly #writer: SinkWriter<unknown>;

  constructor(writer: SinkWriter<unknown>) {
    this.#writer = writer;
  }

  restore(committables: readonly unknown[], done: (error: string | null) => void): void {
    this.#writer.restore(committables, done);
  }

  write(record: Tagged, timestampMs: TimestampMs): void {
    this.#writer.write(record.value, timestampMs);
  }

  prepareSnapshot(checkpointId: CheckpointId): readonly unknown[] {
    return this.#writer.prepareSnapshot(checkpointId);
  }

  prepare(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#writer.prepare(checkpointId, done);
  }

  commit(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#writer.commit(checkpointId, done);
  }

  close(): void {
    this.#writer.close();
  }

  inspect(): readonly WriterTransaction[] {
    return this.#writer.inspect?.() ?? [];
  }
}
