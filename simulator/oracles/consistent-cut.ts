import { present } from "../../engine/base/assert.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { JobGraph, JobVertex, VertexId } from "../../engine/graph/job-graph.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { NetworkObserver, ObservedConnection } from "../hosts/service-observers.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import type { TaskAttempt } from "./task-attempts.ts";
import { TaskAttempts } from "./task-attempts.ts";

/** Records over one channel before each barrier. The last few checkpoints of an attempt are kept. */
interface CutsOfChannel {
  readonly ids: CheckpointId[];
  readonly counts: number[];
}

interface Sender extends CutsOfChannel {
  sent: number;
}

/** One receiving subtask of one attempt: what it has consumed so far, by channel, and at its snapshots. */
interface Receiver {
  readonly consumed: number[];
  readonly ids: CheckpointId[];
  readonly counts: (readonly number[])[];
}

const CUTS_KEPT = 16;

/**
 * Consistent cut: at each completed checkpoint, over every channel of its attempt, the receiver had consumed
 * exactly the records before its snapshot that the sender had sent before its barrier. (With aligned barriers
 * nothing is in flight across the cut.)
 *
 * Seen from frames as they are sent (records, and the barrier that ends a frame), from the points
 * bufferConsumed and snapshotTaken of the receiving task, and from the record in Coordination. Channels of a
 * task are numbered edge by edge and upstream subtask by subtask. Not seen: which records they are (the data
 * oracles see that), and whether the state of the snapshot is that of its moment (so do they).
 *
 * Allowed for: everything that befalls checkpoints that never complete; broken connections and lost frames,
 * which end an attempt: each attempt counts anew. A job graph rewritten for other oracles must keep its
 * channels.
 */
export const consistentCutOracle: OracleKind = {
  name: "consistent cut",
  create: (context) => (context.graph.config.checkpoint === null ? null : new ConsistentCut(context)),
};

class ConsistentCut implements Oracle, RecordListener, NetworkObserver<ControlMessage, StreamFrame> {
  readonly name: string = consistentCutOracle.name;
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  /** By number of the connection. */
  readonly #senders: (Sender | undefined)[] = [];
  /** By number of the task attempt. */
  readonly #receivers: (Receiver | undefined)[] = [];
  /** By attempt: numbers of its connections, by `channelKey`. */
  readonly #channels: Map<number, Map<number, number>> = new Map();

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    this.#tasks = TaskAttempts.of(world, graph);
    CheckpointRecords.of(world).listen(this);
    world.networkObservers.push(this);
    world.kernel.on(TRACE.bufferConsumed, (process, subject, channel, records) => {
      const task = this.#tasks.find(process, subject);
      if (task === null || records === 0) return;
      const { consumed } = this.#receiver(task);
      while (consumed.length <= channel) consumed.push(0);
      consumed[channel] = (consumed[channel] as number) + records;
    });
    world.kernel.on(TRACE.snapshotTaken, (process, subject, checkpointId) => {
      const task = this.#tasks.find(process, subject);
      if (task === null) return;
      const receiver = this.#receiver(task);
      keep(receiver.ids, receiver.counts, checkpointId, receiver.consumed.slice());
    });
  }

  onConnectionOpened(connection: ObservedConnection<ControlMessage>): void {
    const { hello, number } = connection;
    if (hello.kind !== "open-channel") return;
    let channels = this.#channels.get(hello.attempt);
    if (channels === undefined) {
      channels = new Map();
      this.#channels.set(hello.attempt, channels);
    }
    // A request that was repeated may deploy a dead attempt once more, elsewhere: the first one counts.
    const key = channelKey(hello.edge, hello.fromSubtask, hello.toSubtask);
    if (channels.has(key)) return;
    channels.set(key, number);
    this.#senders[number] = { sent: 0, ids: [], counts: [] };
  }

  onFrameSent(connection: ObservedConnection<ControlMessage>, forward: boolean, frame: StreamFrame): void {
    if (!forward) return;
    const sender = this.#senders[connection.number];
    if (sender === undefined) return;
    sender.sent += frame.recordCount;
    if (frame.checkpointId !== NO_CHECKPOINT) keep(sender.ids, sender.counts, frame.checkpointId, sender.sent);
  }

  recordWritten({ checkpointId, metadata }: CheckpointRecord): void {
    if (metadata === null) return;
    const { attempt } = metadata;
    for (const key of this.#channels.keys()) if (key < attempt) this.#channels.delete(key);
    const graph = this.#tasks.graphOf(attempt);
    for (const vertex of graph.vertices) {
      if (vertex.inputs.length === 0) continue;
      for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) this.#check(checkpointId, attempt, graph, vertex, subtask);
    }
  }

  finish(): void {}

  #check(checkpointId: CheckpointId, attempt: number, graph: JobGraph, vertex: JobVertex, subtask: number): void {
    const { report } = this.#context;
    const consumed = this.#consumedBefore(checkpointId, attempt, vertex.id, subtask);
    if (consumed === null) {
      report(`checkpoint ${checkpointId} completed, but ${vertex.name}[${subtask}] took no snapshot for it in attempt ${attempt}`);
      return;
    }
    let channel = 0;
    for (const edge of vertex.inputs) {
      const upstream = present(graph.vertices[edge.from], "edges connect vertices");
      const forward = edge.partitioning === "forward";
      const end = forward ? subtask + 1 : upstream.parallelism;
      for (let from = forward ? subtask : 0; from < end; from += 1) {
        const sent = this.#sentBefore(checkpointId, attempt, edge.id, from, subtask);
        const received = consumed[channel] ?? 0;
        channel += 1;
        if (sent === received) continue;
        const where = `from ${upstream.name}[${from}] to ${vertex.name}[${subtask}] in attempt ${attempt}`;
        if (sent === null) report(`checkpoint ${checkpointId} completed without a barrier ${where}`);
        else report(`checkpoint ${checkpointId} cuts through ${where}: ${sent} records sent before the barrier, ${received} received before the snapshot`);
      }
    }
  }

  #sentBefore(checkpointId: CheckpointId, attempt: number, edge: number, from: number, to: number): number | null {
    const number = this.#channels.get(attempt)?.get(channelKey(edge, from, to));
    const sender = number === undefined ? undefined : this.#senders[number];
    if (sender === undefined) return null;
    const cut = sender.ids.lastIndexOf(checkpointId);
    return cut < 0 ? null : (sender.counts[cut] as number);
  }

  #receiver(task: TaskAttempt): Receiver {
    let receiver = this.#receivers[task.number];
    if (receiver === undefined) {
      receiver = { consumed: [], ids: [], counts: [] };
      this.#receivers[task.number] = receiver;
    }
    return receiver;
  }

  #consumedBefore(checkpointId: CheckpointId, attempt: number, vertex: VertexId, subtask: number): readonly number[] | null {
    const { all } = this.#tasks;
    for (let i = all.length - 1; i >= 0; i -= 1) {
      const task = all[i] as TaskAttempt;
      if (task.attempt !== attempt || task.vertex.id !== vertex || task.subtask !== subtask) continue;
      const receiver = this.#receivers[i];
      const cut = receiver === undefined ? -1 : receiver.ids.lastIndexOf(checkpointId);
      if (receiver !== undefined && cut >= 0) return receiver.counts[cut] as readonly number[];
    }
    return null;
  }
}

/** Subtasks are below the maximum parallelism, 2^15. */
function channelKey(edge: number, from: number, to: number): number {
  return (edge * 32_768 + from) * 32_768 + to;
}

function keep<T>(ids: CheckpointId[], counts: T[], checkpointId: CheckpointId, count: T): void {
  ids.push(checkpointId);
  counts.push(count);
  if (ids.length > CUTS_KEPT) {
    ids.shift();
    counts.shift();
  }
}
