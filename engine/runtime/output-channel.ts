import { invariant } from "../base/assert.ts";
import { CHANNEL_CREDIT, OVERDRAFT_BUFFERS_LIMIT } from "../base/limits.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import type { Barrier } from "../checkpoint/barrier-handler.ts";
import type { ChannelName, InFlightBuffer } from "../checkpoint/channel-state.ts";
import type { ChannelStateWriter } from "../checkpoint/channel-state-writer.ts";
import type { Connection } from "../ports/network.ts";
import type { Buffer, ChannelEvent, StreamFrame } from "./buffer.ts";
import { eventBuffer, inFlightOf, overtakingBarrier, recordsBuffer, restoredBuffer, withoutEvent } from "./buffer.ts";

/** A barrier that waits in the backlog and may yet overtake it. */
interface TimedBarrier {
  readonly barrier: Barrier;
  readonly writer: ChannelStateWriter;
}

/**
 * The sending end of one channel: collects records into buffers and sends them while the receiver has
 * credit. What one step produces beyond the credit waits in `backlog`; the task does not run again before
 * the backlog is gone (`hasRoom`).
 */
export class OutputChannel {
  readonly edge: number;
  readonly toSubtask: number;
  readonly name: ChannelName;
  /** Barriers may overtake what waits here. */
  readonly mayOvertake: boolean;
  readonly #bufferElements: number;
  /** What is collected: the first `#collected` places. A buffer gets copies, of the size it needs. */
  readonly #values: unknown[] = [];
  readonly #timestamps: TimestampMs[] = [];
  #collected = 0;
  #backlog: Buffer[] = [];
  /** Their barriers are in the backlog, in this order. */
  #timed: TimedBarrier[] = [];
  #credit = CHANNEL_CREDIT;
  #connection: Connection<StreamFrame> | null = null;

  constructor(edge: number, name: ChannelName, bufferElements: number, mayOvertake: boolean) {
    this.edge = edge;
    this.name = name;
    this.toSubtask = name.toSubtask;
    this.mayOvertake = mayOvertake;
    this.#bufferElements = bufferElements;
  }

  /** What was restored leaves first. */
  attach(connection: Connection<StreamFrame>): void {
    invariant(this.#connection === null, "a channel is connected once an attempt");
    this.#connection = connection;
    this.#drain();
  }

  /** Before the task runs: what a checkpoint had in flight here goes out ahead of everything new. */
  restore(buffers: readonly InFlightBuffer[]): void {
    invariant(this.#connection === null && this.#backlog.length === 0, "in-flight data is restored before a task runs");
    this.#backlog = buffers.map(restoredBuffer);
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

  /** Sends a barrier ahead of all that waits here, which belongs to the checkpoint. */
  overtake(barrier: Barrier, writer: ChannelStateWriter): void {
    for (const buffer of this.#backlog) this.#persist(buffer, writer);
    const count = this.#collected;
    if (count > 0) this.#persist(recordsBuffer(this.#values.slice(0, count), this.#timestamps.slice(0, count)), writer);
    this.#transmitAhead(barrier);
  }

  /** Sends a barrier in its order; where it has to wait, the checkpoint waits for it, and it may overtake yet. */
  sendTimed(barrier: Barrier, writer: ChannelStateWriter): void {
    this.sendEvent({ kind: "barrier", ...barrier });
    if (this.#backlog.length === 0) return;
    this.#timed.push({ barrier, writer });
    writer.awaitOutput();
  }

  /** The barrier of that checkpoint has waited long enough: if it is still here, it overtakes. */
  timeOut(checkpointId: CheckpointId): void {
    const timed = this.#timed.find(({ barrier }) => barrier.checkpointId === checkpointId);
    if (timed === undefined) return;
    const at = this.#backlog.findIndex((buffer) => barrierIn(buffer) === checkpointId);
    const holder = this.#backlog[at];
    invariant(holder !== undefined, "a timed barrier waits in the backlog");
    for (const buffer of this.#backlog.slice(0, at + 1)) this.#persist(buffer, timed.writer);
    this.#backlog.splice(at, 1, ...(holder.recordCount === 0 ? [] : [withoutEvent(holder)]));
    this.#timed = this.#timed.filter((one) => one !== timed);
    this.#transmitAhead({ ...timed.barrier, alignment: "unaligned" });
    timed.writer.finishOutput();
  }

  /** The receiver grants more buffers. */
  addCredit(buffers: number): void {
    invariant(buffers > 0, "credit is positive");
    this.#credit += buffers;
    this.#drain();
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

  #drain(): void {
    let sent = 0;
    while (sent < this.#backlog.length && this.#credit > 0) {
      this.#transmit(this.#backlog[sent] as Buffer);
      sent += 1;
    }
    if (sent === 0) return;
    const left = this.#backlog.slice(0, sent);
    this.#backlog = this.#backlog.slice(sent);
    if (this.#timed.length > 0) for (const buffer of left) this.#barrierLeft(barrierIn(buffer));
  }

  /** In its order, in time. */
  #barrierLeft(checkpointId: CheckpointId | null): void {
    const timed = this.#timed.find(({ barrier }) => barrier.checkpointId === checkpointId);
    if (timed === undefined) return;
    this.#timed = this.#timed.filter((one) => one !== timed);
    timed.writer.finishOutput();
  }

  #persist(buffer: Buffer, writer: ChannelStateWriter): void {
    const inFlight = inFlightOf(buffer);
    if (inFlight !== null) writer.addOutput(this.name, inFlight);
  }

  #transmit(buffer: Buffer): void {
    invariant(this.#connection !== null, "a running task has all its channels connected");
    this.#credit -= 1;
    this.#connection.send(buffer);
  }

  #transmitAhead(barrier: Barrier): void {
    invariant(this.#connection !== null, "a running task has all its channels connected");
    this.#connection.send(overtakingBarrier(barrier));
  }
}

function barrierIn({ event }: Buffer): CheckpointId | null {
  return event !== null && event.kind === "barrier" ? event.checkpointId : null;
}

/** Copies the first items; most buffers hold a single record, for which a literal is cheaper than a slice. */
function firstOf<T>(items: readonly T[], count: number): readonly T[] {
  return count === 1 ? [items[0] as T] : items.slice(0, count);
}
