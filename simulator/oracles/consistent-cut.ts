import { present } from "../../engine/base/assert.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import type { ChannelContents, ChannelState } from "../../engine/checkpoint/channel-state.ts";
import type { JobEdge, JobGraph, JobVertex, VertexId } from "../../engine/graph/job-graph.ts";
import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { NetworkObserver, ObservedConnection } from "../hosts/service-observers.ts";
import { sameValue } from "../reference/structural-equality.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { Cuts, SentRecords } from "./sent-records.ts";
import type { TaskAttempt } from "./task-attempts.ts";
import { TaskAttempts } from "./task-attempts.ts";

/** One receiving subtask of one attempt, by channel: what it got back, and what it has consumed, at its snapshots too. */
interface Receiver {
  restored: readonly (readonly unknown[])[];
  /** It has finished: it takes no snapshot any more. */
  finished: boolean;
  readonly consumed: number[];
  readonly cuts: Cuts<readonly number[]>;
}

/** One channel at a completed checkpoint. */
interface ChannelCut {
  readonly record: CheckpointRecord;
  readonly task: TaskAttempt;
  readonly edge: JobEdge;
  readonly upstream: JobVertex;
  readonly fromSubtask: number;
  /** Of the receiver: what it got back, and how many of that and of what was sent it had consumed. */
  readonly restored: readonly unknown[];
  readonly consumed: number;
}

/** Attempts of which the records sent are kept; of older ones the numbers remain. */
const ATTEMPTS_KEPT = 16;
const NO_STATE: ChannelState = { inputs: [], outputs: [] };

/**
 * Consistent cut: at each completed checkpoint, over every channel of its attempt, what the receiver had consumed
 * before its snapshot and what the checkpoint keeps as in flight at the receiver is together exactly what the
 * receiver got back in its restore and what the sender had sent before its barrier: the same records in the same
 * order, where any are in flight. What it keeps as in flight at the sender is what the sender sends next. With
 * aligned barriers nothing is in flight. At least once: the receiver had consumed at least what was sent before
 * the barrier, so that nothing is lost, and perhaps more, which comes again.
 *
 * Seen from frames as they are sent (records, and the barrier that ends a frame or goes ahead), from the points
 * bufferConsumed, restoredBufferConsumed and snapshotTaken of the receiving task, from the channels of a restored
 * task before it runs, and from the bytes of the completed checkpoint. Channels of a task are numbered edge by edge
 * and upstream subtask by subtask. Not seen: which records they are, where none are in flight, whether the state of
 * the snapshot is that of its moment, and whether a record that the sender had made but not sent is missing (the
 * data oracles see all that); whether what a restore gives back is what the checkpoint has (restore fidelity sees that).
 *
 * A sender that has finished counts as if its barrier came behind all it sent. Not checked: receivers that have
 * finished, before the checkpoint or before their attempt began.
 *
 * Allowed for: everything that befalls checkpoints that never complete; broken connections and lost frames,
 * which end an attempt: each attempt counts anew. A job graph rewritten for other oracles must keep its
 * channels.
 */
export const consistentCutOracle: OracleKind = {
  name: "consistent cut",
  create: (context) => {
    const { checkpoint } = context.graph.config;
    return checkpoint === null ? null : new ConsistentCut(context, checkpoint.mode);
  },
};

class ConsistentCut implements Oracle, RecordListener, NetworkObserver<ControlMessage, StreamFrame> {
  readonly name: string = consistentCutOracle.name;
  readonly #context: OracleContext;
  readonly #mode: CheckpointMode;
  readonly #tasks: TaskAttempts;
  readonly #records: CheckpointRecords;
  /** By number of the connection. */
  readonly #senders: (SentRecords | undefined)[] = [];
  /** By number of the task attempt. */
  readonly #receivers: (Receiver | undefined)[] = [];
  /** By attempt: what was sent over its connections, by `channelKey`. */
  readonly #channels: Map<number, Map<number, SentRecords>> = new Map();

  constructor(context: OracleContext, mode: CheckpointMode) {
    this.#context = context;
    this.#mode = mode;
    const { world, graph } = context;
    this.#tasks = TaskAttempts.of(world, graph);
    this.#records = CheckpointRecords.of(world);
    this.#records.listen(this);
    world.networkObservers.push(this);
    for (const kind of [TRACE.bufferConsumed, TRACE.restoredBufferConsumed]) {
      world.kernel.on(kind, (process, subject, channel, records) => {
        const task = this.#tasks.find(process, subject);
        if (task === null || records === 0) return;
        const { consumed } = this.#receiver(task);
        while (consumed.length <= channel) consumed.push(0);
        consumed[channel] = (consumed[channel] as number) + records;
      });
    }
    world.kernel.on(TRACE.taskFinished, (process, subject) => {
      const task = this.#tasks.find(process, subject);
      if (task !== null) this.#receiver(task).finished = true;
    });
    world.kernel.on(TRACE.taskRestored, (process, subject) => {
      const task = this.#tasks.find(process, subject);
      if (process !== null && task !== null) this.#receiver(task).restored = this.#restoredIn(process, task);
    });
    world.kernel.on(TRACE.snapshotTaken, (process, subject, checkpointId) => {
      const task = this.#tasks.find(process, subject);
      if (task === null) return;
      const { cuts, consumed } = this.#receiver(task);
      cuts.keep(checkpointId, consumed.slice());
    });
  }

  onConnectionOpened(connection: ObservedConnection<ControlMessage>): void {
    const { hello, number } = connection;
    if (hello.kind !== "open-channel") return;
    let channels = this.#channels.get(hello.attempt);
    if (channels === undefined) {
      channels = new Map();
      this.#channels.set(hello.attempt, channels);
      this.#forgetAttempts();
    }
    // A request that was repeated may deploy a dead attempt once more, elsewhere: the first one counts.
    const key = channelKey(hello.edge, hello.fromSubtask, hello.toSubtask);
    if (channels.has(key)) return;
    const { edge, fromSubtask, toSubtask, attempt } = hello;
    const sender = new SentRecords(keepsInFlight(this.#mode), (checkpointId) => {
      const where = `channel ${fromSubtask} to ${toSubtask} of edge ${edge} in attempt ${attempt}`;
      this.#context.report(`checkpoint ${checkpointId} has other records waiting at the sender of ${where} than it sends next`);
    });
    channels.set(key, sender);
    this.#senders[number] = sender;
  }

  onFrameSent(connection: ObservedConnection<ControlMessage>, forward: boolean, frame: StreamFrame): void {
    if (forward) this.#senders[connection.number]?.frame(frame);
  }

  recordWritten(record: CheckpointRecord): void {
    const { metadata } = record;
    if (metadata === null) return;
    const graph = this.#tasks.graphOf(metadata.attempt);
    for (const vertex of graph.vertices) {
      for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) {
        const isFinished = metadata.vertices[vertex.id]?.isFinished === true;
        if (vertex.inputs.length > 0 && !isFinished) this.#check(record, graph, vertex, subtask);
        this.#checkNames(record, graph, vertex, subtask);
      }
    }
  }

  finish(): void {}

  #check(record: CheckpointRecord, graph: JobGraph, vertex: JobVertex, subtask: number): void {
    const { checkpointId } = record;
    const task = this.#taskWithSnapshot(checkpointId, vertex.id, subtask);
    const receiver = task === null ? undefined : this.#receivers[task.number];
    const consumed = receiver?.cuts.at(checkpointId) ?? null;
    if (task === null || receiver === undefined || consumed === null) {
      if (this.#hasFinished(record, vertex.id, subtask)) return;
      this.#context.report(`checkpoint ${checkpointId} completed, but ${vertex.name}[${subtask}] took no snapshot for it`);
      return;
    }
    let channel = 0;
    for (const edge of vertex.inputs) {
      const upstream = present(graph.vertices[edge.from], "edges connect vertices");
      const forward = edge.partitioning === "forward";
      const end = forward ? subtask + 1 : upstream.parallelism;
      for (let fromSubtask = forward ? subtask : 0; fromSubtask < end; fromSubtask += 1) {
        const restored = receiver.restored[channel] ?? [];
        this.#checkChannel({ record, task, edge, upstream, fromSubtask, restored, consumed: consumed[channel] ?? 0 });
        channel += 1;
      }
    }
  }

  #checkChannel(cut: ChannelCut): void {
    const { record, task, edge, upstream, fromSubtask, restored, consumed } = cut;
    const { checkpointId } = record;
    const where = `from ${upstream.name}[${fromSubtask}] to ${task.vertex.name}[${task.subtask}] in attempt ${task.attempt}`;
    const sender = this.#channels.get(task.attempt)?.get(channelKey(edge.id, fromSubtask, task.subtask));
    const sent = sender?.beforeBarrier.at(checkpointId) ?? (sender?.finished === true ? sender.sent : null);
    if (sender === undefined || sent === null) {
      this.#context.report(`checkpoint ${checkpointId} completed without a barrier ${where}`);
      return;
    }
    const isOfChannel = (one: ChannelContents): boolean => {
      return one.edge === edge.key && one.fromSubtask === fromSubtask && one.toSubtask === task.subtask;
    };
    const atReceiver = valuesIn(this.#stateOf(record, task.vertex.id, task.subtask).inputs.filter(isOfChannel));
    const atSender = valuesIn(this.#stateOf(record, upstream.id, fromSubtask).outputs.filter(isOfChannel));
    const known = consumed + atReceiver.length;
    const total = restored.length + sent;
    if (this.#mode === "at-least-once" ? known < total : known !== total) {
      this.#context.report(`checkpoint ${checkpointId} cuts through ${where}: ${countsText(cut, sent, atReceiver.length)}`);
      return;
    }
    if (keepsInFlight(this.#mode)) {
      const back = restored.slice(consumed);
      const isSame = back.every((value, i) => sameValue(value, atReceiver[i]));
      if (!isSame || !sender.matches(Math.max(consumed - restored.length, 0), atReceiver.slice(back.length))) {
        this.#context.report(`checkpoint ${checkpointId} has other records in flight ${where} than those sent and not consumed`);
      }
      sender.expect(checkpointId, sent, atSender);
      sender.forget(consumed - restored.length);
    } else if (atReceiver.length + atSender.length > 0) {
      this.#context.report(`checkpoint ${checkpointId} has records in flight ${where}, in a job with aligned barriers`);
    }
  }

  /** A file may hold in-flight data of its own channels alone. */
  #checkNames(record: CheckpointRecord, graph: JobGraph, vertex: JobVertex, subtask: number): void {
    const { inputs, outputs } = this.#stateOf(record, vertex.id, subtask);
    const isInput = (one: ChannelContents): boolean => {
      const edge = vertex.inputs.find(({ key }) => key === one.edge);
      return edge !== undefined && one.toSubtask === subtask && one.fromSubtask < (graph.vertices[edge.from]?.parallelism ?? 0);
    };
    const isOutput = (one: ChannelContents): boolean => {
      const edge = vertex.outputs.find(({ key }) => key === one.edge);
      return edge !== undefined && one.fromSubtask === subtask && one.toSubtask < (graph.vertices[edge.to]?.parallelism ?? 0);
    };
    const stranger = inputs.find((one) => !isInput(one)) ?? outputs.find((one) => !isOutput(one));
    if (stranger === undefined) return;
    const name = `${stranger.edge} from ${stranger.fromSubtask} to ${stranger.toSubtask}`;
    this.#context.report(`checkpoint ${record.checkpointId}: ${vertex.name}[${subtask}] keeps data of a channel that is not its own: ${name}`);
  }

  /** As a restore finds it: by what the subtask acknowledged, then in its file. */
  #stateOf(record: CheckpointRecord, vertex: VertexId, subtask: number): ChannelState {
    const state = record.metadata?.vertices.find((one) => one.vertex === vertex)?.subtasks[subtask] ?? null;
    if (state === null || state.file === null || state.inFlight === null) return NO_STATE;
    return this.#records.snapshotOf(record, state.file.key)?.channels ?? NO_STATE;
  }

  #forgetAttempts(): void {
    const replaced = [...this.#channels.keys()].filter((attempt) => !this.#tasks.isLatestOfAny(attempt));
    const old = replaced.sort((left, right) => left - right).slice(0, -ATTEMPTS_KEPT);
    for (const attempt of old) for (const sender of this.#channels.get(attempt)?.values() ?? []) sender.forget(Number.MAX_SAFE_INTEGER);
  }

  /** What the channels of a task hold before it runs. */
  #restoredIn(process: SimProcess, { subject, attempt }: TaskAttempt): readonly (readonly unknown[])[] {
    const living = this.#context.world.processNamed(process.name);
    if (living === null || living.kind !== "worker") return [];
    const task = living.engine.tasks.find((one) => one.subject === subject && one.id.attempt === attempt);
    return (task?.input?.gate.channels ?? []).map((channel) => channel.restored().flatMap(({ values }) => values));
  }

  #receiver(task: TaskAttempt): Receiver {
    let receiver = this.#receivers[task.number];
    if (receiver === undefined) {
      receiver = { restored: [], finished: false, consumed: [], cuts: new Cuts() };
      this.#receivers[task.number] = receiver;
    }
    return receiver;
  }

  /** The latest attempt of a subtask has, with those of others going on. */
  #hasFinished({ metadata }: CheckpointRecord, vertex: VertexId, subtask: number): boolean {
    const latest = this.#tasks.all.findLast((task) => task.vertex.id === vertex && task.subtask === subtask);
    if (latest === undefined || metadata === null || latest.attempt > metadata.attempt) return false;
    return this.#receivers[latest.number]?.finished === true;
  }

  /** The attempt of a subtask that took part in a checkpoint. */
  #taskWithSnapshot(checkpointId: CheckpointId, vertex: VertexId, subtask: number): TaskAttempt | null {
    const { all } = this.#tasks;
    for (let i = all.length - 1; i >= 0; i -= 1) {
      const task = all[i] as TaskAttempt;
      if (task.vertex.id !== vertex || task.subtask !== subtask) continue;
      if (this.#receivers[i] !== undefined && this.#receivers[i]?.cuts.at(checkpointId) !== null) return task;
    }
    return null;
  }
}

function countsText({ restored, consumed }: ChannelCut, sent: number, inFlight: number): string {
  const back = restored.length > 0 ? `${restored.length} records given back and ` : "";
  const flying = inFlight > 0 ? `, ${inFlight} in flight` : "";
  return `${back}${sent} records sent before the barrier, ${consumed} received before the snapshot${flying}`;
}

function keepsInFlight(mode: CheckpointMode): boolean {
  return mode === "unaligned" || mode === "aligned-timeout";
}

function valuesIn(channels: readonly ChannelContents[]): readonly unknown[] {
  return channels.flatMap(({ buffers }) => buffers.flatMap(({ values }) => values));
}

/** Subtasks are below the maximum parallelism, 2^15. */
function channelKey(edge: number, from: number, to: number): number {
  return (edge * 32_768 + from) * 32_768 + to;
}
