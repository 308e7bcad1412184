import type { TimestampMs } from "../../engine/base/units.ts";
import type { ChannelContents, ChannelName } from "../../engine/checkpoint/channel-state.ts";
import type { VertexCheckpoint } from "../../engine/checkpoint/checkpoint-metadata.ts";
import type { JobEdge, JobGraph, JobVertex } from "../../engine/graph/job-graph.ts";
import type { Buffer } from "../../engine/runtime/buffer.ts";
import { keyGroupOf, keyGroupRange } from "../../engine/stream/key-groups.ts";
import { sameValue } from "../reference/structural-equality.ts";
import type { CheckpointRecord, CheckpointRecords } from "./checkpoint-records.ts";
import { vertexOf } from "./recorded-state.ts";
import { shown } from "./state-differences.ts";

/** What one channel of a restored task holds before the task runs, oldest first. */
export interface HeldChannel {
  readonly name: ChannelName;
  readonly buffers: readonly Buffer[];
}

/** A restored task: a subtask of the job as its attempt runs it. */
export interface RestoredTask {
  readonly graph: JobGraph;
  readonly vertex: JobVertex;
  readonly subtask: number;
  readonly inputs: readonly HeldChannel[];
  readonly outputs: readonly HeldChannel[];
}

/** Element of a channel: a record with its timestamp, or a watermark. */
type Element = readonly [value: unknown, timestampMs: TimestampMs] | readonly [watermarkMs: TimestampMs];

/** The two ends of an edge as the checkpoint has them, and whether either had another parallelism than now. */
interface OldEnds {
  readonly senders: VertexCheckpoint;
  readonly receivers: VertexCheckpoint;
  readonly isRescaled: boolean;
}

type Side = "inputs" | "outputs";

/**
 * What the channels of a restored task must hold, told a second time from the file of the checkpoint:
 *
 * - where both ends of an edge have the parallelism that they had, each end has its own back, record by record and
 *   watermark by watermark, in the channel where it was;
 * - where either has another one, nothing is left at the sender. A receiver has the records that are its own, without
 *   watermarks: of a hash edge those of its key groups, of a rebalance edge those of the old channels whose number,
 *   counted sender by sender, is its own modulo the parallelism. They lie in the channel of their old sender's number,
 *   modulo the parallelism: first what lay at receivers, then what waited at senders, each in the order of the subtasks.
 *
 * Edges are found by the uids of their ends. What a checkpoint holds of an edge that the job does not have any more is
 * not looked for.
 */
export class RecordedInFlight {
  readonly #records: CheckpointRecords;
  readonly #record: CheckpointRecord;
  /** The record itself, of what the job's channels carry. */
  readonly #valueOf: (carried: unknown) => unknown;

  constructor(records: CheckpointRecords, record: CheckpointRecord, valueOf: (carried: unknown) => unknown) {
    this.#records = records;
    this.#record = record;
    this.#valueOf = valueOf;
  }

  /** The first channel that does not hold what it must, in words; null where there is none, or the bytes are not known any more. */
  difference(task: RestoredTask): string | null {
    for (const held of task.inputs) {
      const edge = task.vertex.inputs.find(({ key }) => key === held.name.edge);
      const recorded = edge === undefined ? [] : this.#atInput(task, edge, held.name);
      const difference = recorded === null ? null : differenceIn("inputs", held, recorded);
      if (difference !== null) return difference;
    }
    for (const held of task.outputs) {
      const edge = task.vertex.outputs.find(({ key }) => key === held.name.edge);
      const recorded = edge === undefined ? [] : this.#atOutput(task, edge, held.name);
      const difference = recorded === null ? null : differenceIn("outputs", held, recorded);
      if (difference !== null) return difference;
    }
    return null;
  }

  #atInput({ graph, subtask }: RestoredTask, edge: JobEdge, name: ChannelName): readonly Element[] | null {
    const ends = this.#endsOf(graph, edge);
    if (ends === null) return [];
    const { senders, receivers, isRescaled } = ends;
    if (!isRescaled) return this.#own(receivers, subtask, "inputs", name);
    const atReceivers = this.#all(receivers, "inputs", edge);
    const atSenders = this.#all(senders, "outputs", edge);
    if (atReceivers === null || atSenders === null) return null;
    const newSenders = graph.vertices[edge.from]?.parallelism ?? 1;
    return [...atReceivers, ...atSenders]
      .filter(({ fromSubtask }) => fromSubtask % newSenders === name.fromSubtask)
      .flatMap((old) => elementsOf(old).filter((one) => one.length === 2 && this.#isOf(graph, edge, receivers, old, one[0]) === subtask));
  }

  #atOutput({ graph, subtask }: RestoredTask, edge: JobEdge, name: ChannelName): readonly Element[] | null {
    const ends = this.#endsOf(graph, edge);
    return ends === null || ends.isRescaled ? [] : this.#own(ends.senders, subtask, "outputs", name);
  }

  /** Number of the new subtask that a record of an old channel belongs to. */
  #isOf({ vertices, config }: JobGraph, edge: JobEdge, receivers: VertexCheckpoint, old: ChannelName, carried: unknown): number {
    const parallelism = vertices[edge.to]?.parallelism ?? 1;
    const { keySelector } = edge;
    if (keySelector === null) return (old.fromSubtask * receivers.subtasks.length + old.toSubtask) % parallelism;
    const keyGroup = keyGroupOf(keySelector(this.#valueOf(carried)), config.maxParallelism);
    const ranges = Array.from({ length: parallelism }, (_, index) => keyGroupRange(config.maxParallelism, parallelism, index));
    return ranges.findIndex(({ start, end }) => keyGroup >= start && keyGroup <= end);
  }

  /** Null: one end is new in the job, so that nothing was in flight. */
  #endsOf({ vertices }: JobGraph, { from, fromNode, to }: JobEdge): OldEnds | null {
    const sender = vertices[from];
    const receiver = vertices[to];
    const senders = vertexOf(this.#record, sender?.chain.find(({ id }) => id === fromNode)?.uid ?? "");
    const receivers = vertexOf(this.#record, receiver?.chain[0]?.uid ?? "");
    if (senders === null || receivers === null) return null;
    const isRescaled = senders.subtasks.length !== sender?.parallelism || receivers.subtasks.length !== receiver?.parallelism;
    return { senders, receivers, isRescaled };
  }

  #own(vertex: VertexCheckpoint, subtask: number, side: Side, { edge, fromSubtask, toSubtask }: ChannelName): readonly Element[] | null {
    const channels = this.#of(vertex, subtask, side);
    return channels === null ? null : channels.filter((one) => one.edge === edge && one.fromSubtask === fromSubtask && one.toSubtask === toSubtask).flatMap(elementsOf);
  }

  #all(vertex: VertexCheckpoint, side: Side, { key }: JobEdge): readonly ChannelContents[] | null {
    const found: ChannelContents[] = [];
    for (let subtask = 0; subtask < vertex.subtasks.length; subtask += 1) {
      const channels = this.#of(vertex, subtask, side);
      if (channels === null) return null;
      found.push(...channels.filter(({ edge }) => edge === key));
    }
    return found;
  }

  /** As a restore finds it: by what the subtask acknowledged, then in its file. Null: its bytes are not known any more. */
  #of({ subtasks }: VertexCheckpoint, subtask: number, side: Side): readonly ChannelContents[] | null {
    const state = subtasks[subtask] ?? null;
    if (state === null || state.file === null || state.inFlight === null) return [];
    const snapshot = this.#records.snapshotOf(this.#record, state.file.key);
    return snapshot === null ? null : (snapshot.channels?.[side] ?? []);
  }
}

function differenceIn(side: Side, { name, buffers }: HeldChannel, recorded: readonly Element[]): string | null {
  const held = buffers.flatMap(({ values, timestamps, event }) => {
    return elementsIn(values, timestamps, event !== null && event.kind === "watermark" ? event.watermarkMs : null);
  });
  const at = Array.from({ length: Math.max(held.length, recorded.length) }).findIndex((_, i) => !sameValue(held[i], recorded[i]));
  if (at < 0) return null;
  const where = `the channel ${name.edge} from ${name.fromSubtask} to ${name.toSubtask}, at the ${side === "inputs" ? "receiver" : "sender"}`;
  return `${where}: element ${at} of ${held.length} is ${elementText(held[at])}, recorded is ${elementText(recorded[at])} of ${recorded.length}`;
}

function elementsOf({ buffers }: ChannelContents): Element[] {
  return buffers.flatMap(({ values, timestamps, watermarkMs }) => elementsIn(values, timestamps, watermarkMs));
}

function elementsIn(values: readonly unknown[], timestamps: readonly TimestampMs[], watermarkMs: TimestampMs | null): Element[] {
  const records: Element[] = values.map((value, i) => [value, timestamps[i] as TimestampMs]);
  return watermarkMs === null ? records : [...records, [watermarkMs]];
}

function elementText(element: Element | undefined): string {
  if (element === undefined) return "none";
  return element.length === 1 ? `the watermark ${element[0]}` : `${shown(element[0])} at ${element[1]}`;
}
