import { invariant, present, unreachable } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import type { JobEdge } from "../graph/job-graph.ts";
import type { EdgeWriter } from "../operators/operator-chain.ts";
import type { KeySelector } from "../api/functions.ts";
import { keyGroupOf, subtaskOfKeyGroup } from "../stream/key-groups.ts";
import type { OutputChannel } from "./output-channel.ts";

/** The writer that partitions the records of one job edge over its channels (one a downstream subtask). */
export function createRecordWriter(
  edge: JobEdge,
  channels: readonly OutputChannel[],
  subtaskIndex: number,
  maxParallelism: number,
): EdgeWriter {
  switch (edge.partitioning) {
    case "forward":
      return new ForwardWriter(present(channels[0], "a forward edge has one channel"));
    case "rebalance":
      return new RebalanceWriter(channels, subtaskIndex);
    case "broadcast":
      return new BroadcastWriter(channels);
    case "hash":
      // With one owner of all key groups nobody needs to know the key here.
      if (channels.length === 1) return new ForwardWriter(present(channels[0], "an edge has channels"));
      return new HashWriter(channels, present(edge.keySelector, "a hash edge has a key selector"), maxParallelism);
    default:
      return unreachable(edge.partitioning, "createRecordWriter");
  }
}

class ForwardWriter implements EdgeWriter {
  readonly #channel: OutputChannel;
  constructor(channel: OutputChannel) {
    this.#channel = channel;
  }
  write(value: unknown, timestampMs: TimestampMs): void {
    this.#channel.write(value, timestampMs);
  }
}

/** Round robin; each upstream subtask begins at another channel, as Flink's random start does on average. */
class RebalanceWriter implements EdgeWriter {
  readonly #channels: readonly OutputChannel[];
  #next: number;
  constructor(channels: readonly OutputChannel[], subtaskIndex: number) {
    invariant(channels.length > 0, "an edge has channels");
    this.#channels = channels;
    this.#next = subtaskIndex % channels.length;
  }
  write(value: unknown, timestampMs: TimestampMs): void {
    (this.#channels[this.#next] as OutputChannel).write(value, timestampMs);
    this.#next = this.#next + 1 === this.#channels.length ? 0 : this.#next + 1;
  }
}

class BroadcastWriter implements EdgeWriter {
  readonly #channels: readonly OutputChannel[];
  constructor(channels: readonly OutputChannel[]) {
    this.#channels = channels;
  }
  write(value: unknown, timestampMs: TimestampMs): void {
    for (const channel of this.#channels) channel.write(value, timestampMs);
  }
}

/** By key group, so that a record lands where the state of its key lives. */
class HashWriter implements EdgeWriter {
  readonly #keySelector: KeySelector<any>;
  readonly #maxParallelism: number;
  /** Channel of each key group, so that the hot path divides nothing. */
  readonly #channelOfKeyGroup: readonly OutputChannel[];

  constructor(channels: readonly OutputChannel[], keySelector: KeySelector<any>, maxParallelism: number) {
    this.#keySelector = keySelector;
    this.#maxParallelism = maxParallelism;
    const owners: OutputChannel[] = [];
    for (let keyGroup = 0; keyGroup < maxParallelism; keyGroup += 1) {
      const subtask = subtaskOfKeyGroup(keyGroup, maxParallelism, channels.length);
      owners.push(present(channels[subtask], "every key group has an owner"));
    }
    this.#channelOfKeyGroup = owners;
  }

  write(value: unknown, timestampMs: TimestampMs): void {
    const keySelector = this.#keySelector;
    const keyGroup = keyGroupOf(keySelector(value), this.#maxParallelism);
    (this.#channelOfKeyGroup[keyGroup] as OutputChannel).write(value, timestampMs);
  }
}
