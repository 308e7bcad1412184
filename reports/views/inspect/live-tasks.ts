import type { JobGraph } from "../../../engine/graph/job-graph.ts";
import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import type { ChainedOperator } from "../../../engine/operators/operator-chain.ts";
import type { StreamFrame } from "../../../engine/runtime/buffer.ts";
import type { Task } from "../../../engine/runtime/task.ts";
import type { Process } from "../../../simulator/world/sim-process.ts";
import type { World } from "../../../simulator/world/world.ts";

/** A task in a living process. */
export interface LiveTask {
  readonly task: Task;
  readonly process: Process;
}

/** All tasks that living workers know, in order of worker: those that are over among them, and those of old attempts. */
export function liveTasks(world: World): readonly LiveTask[] {
  return world.processes.flatMap((living) => (living.kind === "worker" ? living.engine.tasks.map((task) => ({ task, process: living.process })) : []));
}

export function operatorIn({ task }: LiveTask, uid: string): ChainedOperator | null {
  return task.chain.operators.find(({ node }) => node.uid === uid) ?? null;
}

/** A task that is over keeps no state: its backends are disposed of. */
export function isOver({ state }: Task): boolean {
  return state === "finished" || state === "failed" || state === "cancelled";
}

/** The tasks that run an operator, of each of so many subtasks the latest attempt. Ascending. */
export function currentTasksOf(tasks: readonly LiveTask[], uid: string, parallelism: number): readonly LiveTask[] {
  const bySubtask = new Map<number, LiveTask>();
  for (const live of tasks) {
    const { subtask, attempt } = live.task.id;
    if (subtask >= parallelism || operatorIn(live, uid) === null) continue;
    const known = bySubtask.get(subtask);
    if (known === undefined || known.task.id.attempt < attempt) bySubtask.set(subtask, live);
  }
  return [...bySubtask.values()].sort((left, right) => left.task.id.subtask - right.task.id.subtask);
}

/** The operator itself, and all that records reach it through, by uid. */
export function upstreamOf(uid: string, { vertices }: JobGraph): ReadonlySet<string> {
  const nodes = new Map(vertices.flatMap(({ chain }) => chain.map((node) => [node.id, node] as const)));
  const found = new Set<string>();
  const visit = (node: StreamNode | undefined): void => {
    if (node === undefined || found.has(node.uid)) return;
    found.add(node.uid);
    for (const { from } of node.inputs) visit(nodes.get(from));
  };
  visit([...nodes.values()].find((node) => node.uid === uid));
  return found;
}

/** Frames under way to the receiving end of each channel, the next to arrive first; by `wireKey`. */
export interface Wire {
  readonly frames: readonly StreamFrame[];
  readonly isBroken: boolean;
}

export function wireKey(attempt: number, edge: number, fromSubtask: number, toSubtask: number): string {
  return `${attempt}:${edge}:${fromSubtask}:${toSubtask}`;
}

export function wires(world: World): ReadonlyMap<string, Wire> {
  const found = new Map<string, Wire>();
  for (const { hello, toAcceptor, status } of world.network.inspect().connections) {
    if (hello.kind !== "open-channel") continue;
    found.set(wireKey(hello.attempt, hello.edge, hello.fromSubtask, hello.toSubtask), { frames: toAcceptor, isBroken: status === "broken" });
  }
  return found;
}
