import type { World } from "../../../simulator/world/world.ts";
import type { ChannelState } from "./channel-contents.ts";
import { channelsInto, channelsOutOf, channelState } from "./channel-contents.ts";
import { liveTasks, operatorIn, wires } from "./live-tasks.ts";
import type { OperatorPlace } from "./operator-names.ts";

/** Channels into the task of an operator, where that is its head; and out of it, where its output leaves it. */
export interface OperatorChannels {
  readonly inputs: readonly ChannelState[];
  readonly outputs: readonly ChannelState[];
}

/** By `channelsKey`. */
export type TaskChannels = ReadonlyMap<string, OperatorChannels>;

export function channelsKey(uid: string, { process, subtask, attempt }: { readonly process: string; readonly subtask: number; readonly attempt: number }): string {
  return `${subtask}:${attempt}:${process}:${uid}`;
}

/** Of every task of every operator of a place. */
export function channelsOf(world: World, { graph, vertex, nodes, subtask }: OperatorPlace): TaskChannels {
  const tasks = liveTasks(world);
  const wire = wires(world);
  const found = new Map<string, OperatorChannels>();
  for (const live of tasks) {
    const { id } = live.task;
    if (subtask !== null && id.subtask !== subtask) continue;
    for (const node of nodes) {
      if (operatorIn(live, node.uid) === null) continue;
      const inputs = vertex.chain[0]?.uid === node.uid ? channelsInto(live, graph, tasks) : [];
      const outputs = channelsOutOf(live, graph, tasks).filter(({ edge }) => edge.fromNode === node.id);
      const states = (ends: typeof inputs): readonly ChannelState[] => ends.map((one) => channelState(one, graph, wire));
      const key = channelsKey(node.uid, { process: live.process.name, subtask: id.subtask, attempt: id.attempt });
      found.set(key, { inputs: states(inputs), outputs: states(outputs) });
    }
  }
  return found;
}
