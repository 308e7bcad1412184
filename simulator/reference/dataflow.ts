import { invariant, present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import type { NodeId, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";

/** Emits from one node, to every edge that leaves it. */
export interface Emitter {
  collect(value: unknown, timestampMs: TimestampMs): void;
  collectSide(tag: string, value: unknown, timestampMs: TimestampMs): void;
}

/** What the reference does at a node with state, timers or an end: anything but a source and the stateless ones. */
export interface ReferenceOperator {
  process(value: unknown, timestampMs: TimestampMs): void;
}

export type StatefulNode = Extract<StreamNode, { readonly kind: "reduce" | "process" | "window" | "sink" }>;

interface Target {
  readonly sideOutput: string | null;
  readonly to: NodeId;
}

/**
 * The job as plain function calls: a record goes depth first through everything downstream before the next
 * one is touched. Parallelism and partitioning do not exist here.
 */
export class Dataflow {
  readonly #nodes: readonly StreamNode[];
  readonly #targets: readonly (readonly Target[])[];
  readonly #operators: (ReferenceOperator | null)[];

  constructor(graph: StreamGraph, createOperator: (node: StatefulNode, emitter: Emitter) => ReferenceOperator) {
    const targets: Target[][] = graph.nodes.map(() => []);
    for (const node of graph.nodes) {
      for (const edge of node.inputs) {
        invariant(edge.from < node.id, "nodes are in topological order");
        targets[edge.from]?.push({ sideOutput: edge.sideOutput, to: node.id });
      }
    }
    this.#nodes = graph.nodes;
    this.#targets = targets;
    this.#operators = graph.nodes.map((node) => (isStateful(node) ? createOperator(node, this.emitterOf(node.id)) : null));
  }

  emitterOf(id: NodeId): Emitter {
    return {
      collect: (value, timestampMs) => this.#emit(id, null, value, timestampMs),
      collectSide: (tag, value, timestampMs) => this.#emit(id, tag, value, timestampMs),
    };
  }

  #emit(from: NodeId, sideOutput: string | null, value: unknown, timestampMs: TimestampMs): void {
    for (const target of this.#targets[from] ?? []) {
      if (target.sideOutput === sideOutput) this.#process(target.to, value, timestampMs);
    }
  }

  #process(id: NodeId, value: unknown, timestampMs: TimestampMs): void {
    const node = present(this.#nodes[id], "an edge leads to a node");
    switch (node.kind) {
      case "map":
        return this.#emit(id, null, node.fn(value), timestampMs);
      case "flatMap":
        return node.fn(value, (out) => this.#emit(id, null, out, timestampMs));
      case "filter":
        return node.fn(value) ? this.#emit(id, null, value, timestampMs) : undefined;
      case "reduce":
      case "process":
      case "window":
      case "sink":
        return present(this.#operators[id], "a stateful node has an operator").process(value, timestampMs);
      case "source":
        throw new Error("nothing flows into a source");
      default:
        return unreachable(node, "Dataflow");
    }
  }
}

function isStateful(node: StreamNode): node is StatefulNode {
  return node.kind === "reduce" || node.kind === "process" || node.kind === "window" || node.kind === "sink";
}
