import { invariant, present } from "../base/assert.ts";
import { Fifo } from "../base/fifo.ts";
import { CHANNEL_CREDIT } from "../base/limits.ts";
import type { InputIndex } from "../graph/stream-graph.ts";
import type { Connection } from "../ports/network.ts";
import type { Buffer, StreamFrame } from "./buffer.ts";
import { creditFrame } from "./buffer.ts";

/** The receiving end of one channel. */
export class InputChannel {
  readonly index: number;
  readonly edge: number;
  readonly fromSubtask: number;
  /** Which input of the task's head it belongs to. */
  readonly input: InputIndex;
  connection: Connection<StreamFrame> | null = null;
  /** While blocked (its barrier came first) its buffers wait. */
  blocked = false;
  /** The sender's input ended: no record follows. */
  ended = false;
  /** Waits in the gate's ready queue. */
  queued = false;
  readonly #buffers = new Fifo<Buffer>();
  #creditOwed = 0;

  constructor(index: number, edge: number, fromSubtask: number, input: InputIndex = 0) {
    this.index = index;
    this.edge = edge;
    this.fromSubtask = fromSubtask;
    this.input = input;
  }

  push(buffer: Buffer): void {
    invariant(this.#buffers.size < CHANNEL_CREDIT, "a sender never exceeds its credit");
    this.#buffers.push(buffer);
  }

  take(): Buffer {
    const buffer = present(this.#buffers.shift(), "only a channel with buffers is taken from");
    this.#returnCredit();
    return buffer;
  }

  get isEmpty(): boolean {
    return this.#buffers.size === 0;
  }

  /** For inspection: what waits, oldest first. */
  waiting(): readonly Buffer[] {
    const buffers: Buffer[] = [];
    for (let i = 0; i < this.#buffers.size; i += 1) buffers.push(this.#buffers.at(i) as Buffer);
    return buffers;
  }

  /** Credit goes back in halves of the window, so that it costs few messages. */
  #returnCredit(): void {
    this.#creditOwed += 1;
    if (this.#creditOwed * 2 < CHANNEL_CREDIT) return;
    const owed = this.#creditOwed;
    this.#creditOwed = 0;
    this.connection?.send(creditFrame(owed));
  }
}

/**
 * All input channels of a task. Channels with buffers are served in the order in which they became ready,
 * one buffer at a time.
 */
export class InputGate {
  readonly channels: readonly InputChannel[];
  readonly #ready = new Fifo<InputChannel>();

  constructor(channels: readonly InputChannel[]) {
    this.channels = channels;
  }

  /** By channel: the input that it belongs to. */
  inputs(): readonly InputIndex[] {
    return this.channels.map(({ input }) => input);
  }

  receive(channel: InputChannel, buffer: Buffer): void {
    channel.push(buffer);
    this.#enqueue(channel);
  }

  /** The channel to take the next buffer from, or null where all are empty or blocked. */
  nextChannel(): InputChannel | null {
    let channel = this.#ready.shift();
    while (channel !== undefined) {
      channel.queued = false;
      if (!channel.blocked && !channel.isEmpty) return channel;
      channel = this.#ready.shift();
    }
    return null;
  }

  /** After a buffer was taken: the channel queues again if it has more. */
  requeue(channel: InputChannel): void {
    if (!channel.isEmpty) this.#enqueue(channel);
  }

  get hasReady(): boolean {
    for (let i = 0; i < this.#ready.size; i += 1) {
      const channel = this.#ready.at(i) as InputChannel;
      if (!channel.blocked && !channel.isEmpty) return true;
    }
    return false;
  }

  block(index: number): void {
    present(this.channels[index], "a barrier comes from a channel of the gate").blocked = true;
  }

  unblock(index: number): void {
    const channel = present(this.channels[index], "a barrier comes from a channel of the gate");
    if (!channel.blocked) return;
    channel.blocked = false;
    if (!channel.isEmpty) this.#enqueue(channel);
  }

  unblockAll(): void {
    for (let i = 0; i < this.channels.length; i += 1) this.unblock(i);
  }

  #enqueue(channel: InputChannel): void {
    if (channel.queued || channel.blocked) return;
    channel.queued = true;
    this.#ready.push(channel);
  }
}
