import type { CoProcessNode, ProcessNode, ReduceNode, StreamNode, WindowNode } from "./stream-graph.ts";

/** A node that keeps state by key. */
export type KeyedNode = ReduceNode | ProcessNode | CoProcessNode | WindowNode;

export function isKeyed(node: StreamNode): node is KeyedNode {
  return node.kind === "reduce" || node.kind === "window" || runsProcessFunction(node);
}

/** True where state and timers are up to a function of the user. */
export function runsProcessFunction(node: StreamNode): node is ProcessNode | CoProcessNode {
  return node.kind === "process" || node.kind === "coProcess";
}
