import { invariant } from "../base/assert.ts";
import { NO_TIMESTAMP, US_PER_MS } from "../base/units.ts";
import type { LogRecord } from "../ports/external-log.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import type { Source, SourceBatch, SourceReader, SourceReaderContext } from "../api/source.ts";

/** A list of elements as a source of one partition, available at once or paced over virtual time. */
export class ElementsSource<T> implements Source<T> {
  readonly name = "elements";
  readonly bounded = true;
  readonly #elements: readonly T[];
  /** Null: everything is available at once, without timestamps. */
  readonly #everyMs: number | null;

  constructor(elements: readonly T[], everyMs: number | null) {
    invariant(everyMs === null || (Number.isSafeInteger(everyMs) && everyMs > 0), "elements are paced by whole milliseconds");
    this.#elements = elements;
    this.#everyMs = everyMs;
  }

  partitionCount(_ports: ProcessPorts): number {
    return 1;
  }

  createReader(context: SourceReaderContext): SourceReader {
    return new ElementsReader(this.#elements, this.#everyMs, context);
  }
}

class ElementsReader implements SourceReader {
  readonly #elements: readonly unknown[];
  readonly #everyMs: number | null;
  readonly #context: SourceReaderContext;
  /** The next element; null until the one partition was started (another subtask may have it). */
  #next: number | null = null;
  #endReported: boolean = false;
  #timer: TimerHandle | null = null;

  constructor(elements: readonly unknown[], everyMs: number | null, context: SourceReaderContext) {
    this.#elements = elements;
    this.#everyMs = everyMs;
    this.#context = context;
  }

  start(partition: number, offset: number): void {
    invariant(partition === 0 && this.#next === null, "a list of elements is one partition, started once");
    invariant(offset >= 0 && offset <= this.#elements.length, "the offset lies in the list");
    this.#next = offset;
  }

  poll(limit: number): SourceBatch | null {
    if (this.#next === null || this.#endReported) return null;
    const offset = this.#next;
    // What a checkpoint says was read is available, also where this host's clock stands earlier.
    const end = Math.max(offset, Math.min(this.#available(), offset + limit));
    if (end === offset && end < this.#elements.length) {
      this.#wakeWhenDue(offset);
      return null;
    }
    const records: LogRecord[] = [];
    for (let index = offset; index < end; index++) {
      const timestampMs = this.#everyMs === null ? NO_TIMESTAMP : index * this.#everyMs;
      records.push({ value: this.#elements[index], timestampMs });
    }
    this.#next = end;
    this.#endReported = end === this.#elements.length;
    return { partition: 0, offset, records, ended: this.#endReported };
  }

  ended(): boolean {
    return this.#next === null || this.#endReported;
  }

  close(): void {
    if (this.#timer !== null) this.#context.ports.scheduler.cancel(this.#timer);
    this.#timer = null;
  }

  /** How many elements have become available by now. */
  #available(): number {
    if (this.#everyMs === null) return this.#elements.length;
    const nowUs = this.#context.ports.clock.nowUs();
    return Math.min(this.#elements.length, Math.floor(nowUs / (this.#everyMs * US_PER_MS)) + 1);
  }

  #wakeWhenDue(index: number): void {
    if (this.#everyMs === null || this.#timer !== null) return;
    const delayUs = index * this.#everyMs * US_PER_MS - this.#context.ports.clock.nowUs();
    this.#timer = this.#context.ports.scheduler.after(Math.max(0, delayUs), () => {
      this.#timer = null;
      this.#context.onAvailable();
    });
  }
}
