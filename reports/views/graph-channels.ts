import { CHANNEL_CREDIT } from "../../engine/base/limits.ts";
import { present } from "../../engine/base/assert.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { InputChannel } from "../../engine/runtime/input-channel.ts";
import type { Task } from "../../engine/runtime/task.ts";
import type { World } from "../../simulator/world/world.ts";
import type { Amount, BarrierFacts, InputFacts, OutputFacts } from "./graph-facts.ts";

type Connection = ReturnType<World["network"]["inspect"]>["connections"][number];

/** Tasks and connections of a World, by what a channel is found by. */
export class ChannelMap {
  readonly #tasks = new Map<string, Task>();
  readonly #connections = new Map<string, Connection>();

  constructor({ processes, network }: World) {
    for (const one of processes) {
      if (one.kind !== "worker") continue;
      for (const task of one.engine.tasks) this.#tasks.set(taskKey(task.id.attempt, task.id.vertex, task.id.subtask), task);
    }
    for (const connection of network.inspect().connections) {
      const { hello } = connection;
      if (hello.kind === "open-channel") this.#connections.set(channelKey(hello.attempt, hello.edge, hello.fromSubtask, hello.toSubtask), connection);
    }
  }

  /** Input channels of a task, with what is under way to them; `key` is the task's. */
  inputsOf(task: Task, key: string): readonly InputFacts[] {
    const { input } = task;
    if (input === null) return [];
    const { handler } = input.barriers;
    const aligned = new Set(handler.isPending ? handler.alignedChannels() : []);
    return input.gate.channels.map((channel) => this.#inputOf(task, channel, key, aligned.has(channel.index) ? handler.currentCheckpointId : null));
  }

  #inputOf(task: Task, channel: InputChannel, key: string, aligned: number | null): InputFacts {
    const { attempt, subtask } = task.id;
    const { edge, fromSubtask } = channel;
    const { from } = present(task.graph.edges[edge], "a channel belongs to an edge");
    const connection = this.#connections.get(channelKey(attempt, edge, fromSubtask, subtask));
    const sender = this.#tasks.get(taskKey(attempt, from, fromSubtask));
    const output = sender?.output.channels.find((one) => one.edge === edge && one.toSubtask === subtask);
    const waiting = channel.waiting();
    const network = connection?.toAcceptor ?? [];
    const backlog = output?.inspect().backlog ?? [];
    return {
      key: `${key}<${edge}:${fromSubtask}`,
      edge,
      from: operatorName(task, from),
      fromSubtask,
      connection: connection?.status ?? "none",
      queue: amountOf(waiting),
      restored: amountOf(channel.restored()),
      capacity: CHANNEL_CREDIT,
      network: amountOf(network),
      backlog: amountOf(backlog),
      barriers: [...barriersIn(waiting, "queue"), ...barriersIn(network, "network"), ...barriersIn(backlog, "backlog")],
      isBlocked: channel.blocked,
      aligned,
      hasEnded: channel.ended,
      hasFinished: channel.finished,
    };
  }
}

export function outputsOf(task: Task): readonly OutputFacts[] {
  return task.output.channels.map((channel) => {
    const { credit, backlog, collecting } = channel.inspect();
    const { to } = present(task.graph.edges[channel.edge], "a channel belongs to an edge");
    return { edge: channel.edge, to: operatorName(task, to), toSubtask: channel.toSubtask, credit, backlog: amountOf(backlog), collecting: collecting.length };
  });
}

function operatorName({ graph }: Task, vertex: number): string {
  return present(graph.vertices[vertex], "edges connect vertices of the graph").name;
}

/** Barriers that overtake, and credit, are no buffers. */
function amountOf(frames: readonly StreamFrame[]): Amount {
  let buffers = 0;
  let records = 0;
  for (const frame of frames) {
    if (frame.kind !== "buffer") continue;
    buffers += 1;
    records += frame.recordCount;
  }
  return { buffers, records };
}

function barriersIn(frames: readonly StreamFrame[], place: BarrierFacts["place"]): readonly BarrierFacts[] {
  const found: BarrierFacts[] = [];
  let behind = 0;
  for (const frame of frames) {
    const hasMore = frame.kind === "buffer" && (frame.recordCount > 0 || frame.event?.kind !== "barrier");
    if (hasMore) behind += 1;
    const barrier = frame.kind === "barrier" ? frame.barrier : frame.kind === "buffer" && frame.event?.kind === "barrier" ? frame.event : null;
    if (barrier === null) continue;
    const { checkpointId, alignment, isSavepoint } = barrier;
    found.push({ checkpointId, place, behind, alignment, isSavepoint });
  }
  return found;
}

function taskKey(attempt: number, vertex: number, subtask: number): string {
  return `${attempt}/${vertex}/${subtask}`;
}

function channelKey(attempt: number, edge: number, fromSubtask: number, toSubtask: number): string {
  return `${attempt}/${edge}/${fromSubtask}/${toSubtask}`;
}
