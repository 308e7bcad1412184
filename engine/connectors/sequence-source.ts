import { invariant } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { Source, SourceBatch, SourceReader, SourceReaderContext } from "../api/source.ts";

/**
 * `fn(0)`, `fn(1)` … `fn(count - 1)`, dealt out to the partitions in turn and all available at once. Element
 * `index` has the timestamp `index` (ms). Made for measuring: the source itself costs next to nothing.
 */
export class SequenceSource<T> implements Source<T> {
  readonly name = "sequence";
  readonly bounded = true;
  readonly #count: number;
  readonly #fn: (index: number) => T;
  readonly #partitions: number;

  constructor(count: number, fn: (index: number) => T, partitions: number = 1) {
    invariant(Number.isSafeInteger(count) && count >= 0, "a sequence has a whole number of elements");
    invariant(Number.isSafeInteger(partitions) && partitions > 0, "a sequence has at least one partition");
    this.#count = count;
    this.#fn = fn;
    this.#partitions = partitions;
  }

  partitionCount(_ports: ProcessPorts): number {
    return this.#partitions;
  }

  createReader(_context: SourceReaderContext): SourceReader {
    return new SequenceReader(this.#count, this.#fn, this.#partitions);
  }
}

interface Cursor {
  readonly partition: number;
  readonly size: number;
  offset: number;
  ended: boolean;
}

interface ReusedRecord {
  value: unknown;
  timestampMs: TimestampMs;
}

class SequenceReader implements SourceReader {
  readonly #count: number;
  readonly #fn: (index: number) => unknown;
  readonly #partitions: number;
  readonly #cursors: Cursor[] = [];
  #turn: number = 0;
  /** The records of every batch, used again for the next. */
  readonly #records: ReusedRecord[] = [];

  constructor(count: number, fn: (index: number) => unknown, partitions: number) {
    this.#count = count;
    this.#fn = fn;
    this.#partitions = partitions;
  }

  start(partition: number, offset: number): void {
    invariant(partition < this.#partitions, `the sequence has no partition ${partition}`);
    const size = Math.ceil((this.#count - partition) / this.#partitions);
    invariant(offset >= 0 && offset <= Math.max(0, size), "the offset lies in the partition");
    this.#cursors.push({ partition, size: Math.max(0, size), offset, ended: false });
  }

  poll(limit: number): SourceBatch | null {
    const count = this.#cursors.length;
    for (let tried = 0; tried < count; tried++) {
      const cursor = this.#cursors[this.#turn] as Cursor;
      this.#turn = this.#turn + 1 === count ? 0 : this.#turn + 1;
      if (!cursor.ended) return this.#take(cursor, limit);
    }
    return null;
  }

  ended(): boolean {
    return this.#cursors.every((cursor) => cursor.ended);
  }

  close(): void {}

  #take(cursor: Cursor, limit: number): SourceBatch {
    const length = Math.min(limit, cursor.size - cursor.offset);
    const records = this.#recordsOf(length);
    const { partition, offset } = cursor;
    const partitions = this.#partitions;
    const fn = this.#fn;
    for (let i = 0; i < length; i++) {
      const index = (offset + i) * partitions + partition;
      const record = records[i] as ReusedRecord;
      record.value = fn(index);
      record.timestampMs = index;
    }
    cursor.offset += length;
    cursor.ended = cursor.offset === cursor.size;
    return { partition, offset, records, ended: cursor.ended };
  }

  #recordsOf(length: number): ReusedRecord[] {
    const records = this.#records;
    while (records.length < length) records.push({ value: null, timestampMs: 0 });
    // Setting the length is slow even where it stays what it is.
    if (records.length !== length) records.length = length;
    return records;
  }
}
