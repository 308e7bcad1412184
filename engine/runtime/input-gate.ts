import { present } from "../base/assert.ts";
import { Fifo } from "../base/fifo.ts";
import type { InputIndex } from "../graph/stream-graph.ts";
import type { Buffer } from "./buffer.ts";
import type { InputChannel } from "./input-channel.ts";

/**
 * All input channels of a task. Channels with buffers are served in the order in which they became ready,
 * one buffer at a time; but what was restored from a checkpoint comes first, of all channels: with another
 * parallelism, something new may come over another channel than what is older.
 */
export class InputGate {
  readonly channels: readonly InputChannel[];
  readonly #ready = new Fifo<InputChannel>();
  /** Some channel may hold restored buffers. */
  #restoring = false;

  constructor(channels: readonly InputChannel[]) {
    this.channels = channels;
  }

  /** By channel: the input that it belongs to. */
  inputs(): readonly InputIndex[] {
    return this.channels.map(({ input }) => input);
  }

  /** Before the task runs: its channels have been given what they get back. */
  restored(): void {
    this.#restoring = true;
    for (const channel of this.channels) this.requeue(channel);
  }

  receive(channel: InputChannel, buffer: Buffer): void {
    channel.push(buffer);
    this.#enqueue(channel);
  }

  /** The channel to take the next buffer from, or null where all are empty or blocked. */
  nextChannel(): InputChannel | null {
    if (this.#restoring) {
      const restoring = this.channels.find((one) => one.holdsRestored);
      if (restoring !== undefined) return restoring;
      this.#restoring = false;
    }
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
