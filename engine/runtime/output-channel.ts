import { invariant } from "../base/assert.ts";
import { CHANNEL_CREDIT, OVERDRAFT_BUFFERS_LIMIT } from "../base/limits.ts";
import type { TimestampMs } from "../base/units.ts";
import type { Connection } from "../ports/network.ts";
import type { Buffer, ChannelEvent, StreamFrame } from "./buffer.ts";
import { eventBuffer, recordsBuffer } from "./buffer.ts";

/**
 * The sending end of one channel: collects records into buffers and sends them while the receiver has
 * credit. What one step produces beyond the credit waits in `backlog`; the task does not run again before
 * the backlog is gone (`hasRoom`).
 */
export class OutputChannel {
  readonly edge: number;
  readonly toSubtask: number;
  readonly #bufferElements: number;
  /** What is collected: the first `#collected` places. A buffer gets copies, of the size it needs. */
  readonly #values: unknown[] = [];
  readonly #timestamps: TimestampMs[] = [];
  #collected = 0;
  #backlog: Buffer[] = [];
  #credit = CHANNEL_CREDIT;
  #connection: Connection<StreamFrame> | null = null;

  constructor(edge: number, toSubtask: number, bufferElements: number) {
    this.edge = edge;
    this.toSubtask = toSubtask;
    this.#bufferElements = bufferElements;
  }

  attach(connection: Connection<StreamFrame>): void {
    invariant(this.#connection === null, "a channel is connected once an attempt");
    this.#connection = connection;
  }

  write(value: unknown, timestampMs: TimestampMs): void {
    const index = this.#collected;
    this.#values[index] = value;
    this.#timestamps[index] = timestampMs;
    this.#collected = index + 1;
    if (this.#collected >= this.#bufferElements) this.flush();
  }

  /** Sends what is collected, if anything. */
  flush(): void {
    const count = this.#collected;
    if (count === 0) return;
    this.#collected = 0;
    this.#send(recordsBuffer(firstOf(this.#values, count), firstOf(this.#timestamps, count)));
  }

  /** Sends an event behind all records written so far, in the same buffer. */
  sendEvent(event: ChannelEvent): void {
    const count = this.#collected;
    this.#collected = 0;
    if (count === 0) this.#send(eventBuffer(event));
    else this.#send(eventBuffer(event, firstOf(this.#values, count), firstOf(this.#timestamps, count)));
  }

  /** The receiver grants more buffers. */
  addCredit(buffers: number): void {
    invariant(buffers > 0, "credit is positive");
    this.#credit += buffers;
    let sent = 0;
    while (sent < this.#backlog.length && this.#credit > 0) {
      this.#transmit(this.#backlog[sent] as Buffer);
      sent += 1;
    }
    if (sent > 0) this.#backlog = this.#backlog.slice(sent);
  }

  /** Records wait for their buffer to be full, or for a flush. */
  get isCollecting(): boolean {
    return this.#collected > 0;
  }

  get hasRoom(): boolean {
    return this.#credit > 0 && this.#backlog.length === 0;
  }

  close(): void {
    this.#connection?.close();
  }

  /** For inspection. */
  inspect(): { readonly credit: number; readonly backlog: readonly Buffer[]; readonly collecting: readonly unknown[] } {
    return { credit: this.#credit, backlog: this.#backlog, collecting: this.#values.slice(0, this.#collected) };
  }

  #send(buffer: Buffer): void {
    if (this.#credit > 0 && this.#backlog.length === 0) {
      this.#transmit(buffer);
      return;
    }
    invariant(this.#backlog.length < OVERDRAFT_BUFFERS_LIMIT, "one step overdraws its channels only within the overdraft");
    this.#backlog.push(buffer);
  }

  #transmit(buffer: Buffer): void {
    invariant(this.#connection !== null, "a running task has all its channels connected");
    this.#credit -= 1;
    this.#connection.send(buffer);
  }
}

/** Copies the first items; most buffers hold a single record, for which a literal is cheaper than a slice. */
function firstOf<T>(items: readonly T[], count: number): readonly T[] {
  return count === 1 ? [items[0] as T] : items.slice(0, count);
}
