import { invariant, present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { isKeyed } from "../../engine/graph/keyed-node.ts";
import type { NodeId, StreamEdge, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";

/** Emits from one node, to every edge that leaves it. */
export interface Emitter {
  collect(value: unknown, timestampMs: TimestampMs): void;
  collectSide(tag: string, value: unknown, timestampMs: TimestampMs): void;
}

/** What the reference does at a node with state, timers or an end: anything but a source and the stateless ones. */
export interface ReferenceOperator {
  process(value: unknown, timestampMs: TimestampMs): void;
  /** A record of the second input, where there are two. */
  process2?(value: unknown, timestampMs: TimestampMs): void;
}

export type StatefulNode = Extract<StreamNode, { readonly kind: "reduce" | "process" | "coProcess" | "window" | "sink" }>;
/** Stands in an edge, in front of its target: may keep back what comes along, and let it go later. */
export type EdgeGate = (edge: StreamEdge, target: ReferenceOperator) => ReferenceOperator;
type StatelessNode = Extract<StreamNode, { readonly kind: "map" | "flatMap" | "filter" }>;

/**
 * The job as plain function calls: a record goes depth first through everything downstream before the next
 * one is touched. Parallelism and partitioning do not exist here.
 */
export class Dataflow {
  readonly #emitters: readonly NodeEmitter[];

  /** `createOperator`: null where nothing happens at a node and nothing comes of it. `gate`: null where every edge is open. */
  constructor(
    graph: StreamGraph,
    createOperator: (node: StatefulNode, emitter: Emitter) => ReferenceOperator | null,
    gate: EdgeGate | null = null,
  ) {
    this.#emitters = graph.nodes.map(() => new NodeEmitter());
    for (const node of graph.nodes) {
      if (node.kind === "source") continue;
      const emitter = this.#emitter(node.id);
      const operator = isStateful(node) ? createOperator(node, emitter) : statelessOperator(node, emitter);
      if (operator === null) continue;
      for (const edge of node.inputs) {
        invariant(edge.from < node.id, "nodes are in topological order");
        const target = edge.input === 0 ? operator : secondInputOf(operator);
        this.#emitter(edge.from).addTarget(edge.sideOutput, gate === null ? target : gate(edge, target));
      }
    }
  }

  emitterOf(id: NodeId): Emitter {
    return this.#emitter(id);
  }

  #emitter(id: NodeId): NodeEmitter {
    return present(this.#emitters[id], "an edge leads to a node");
  }
}

class NodeEmitter implements Emitter {
  readonly #targets: ReferenceOperator[] = [];
  /** By tag. */
  readonly #sides: Map<string, ReferenceOperator[]> = new Map();

  addTarget(sideOutput: string | null, target: ReferenceOperator): void {
    if (sideOutput === null) this.#targets.push(target);
    else this.#sides.set(sideOutput, [...(this.#sides.get(sideOutput) ?? []), target]);
  }

  collect(value: unknown, timestampMs: TimestampMs): void {
    const targets = this.#targets;
    for (let i = 0; i < targets.length; i++) (targets[i] as ReferenceOperator).process(value, timestampMs);
  }

  collectSide(tag: string, value: unknown, timestampMs: TimestampMs): void {
    for (const target of this.#sides.get(tag) ?? []) target.process(value, timestampMs);
  }
}

function statelessOperator(node: StatelessNode, emitter: Emitter): ReferenceOperator {
  switch (node.kind) {
    case "map":
      return { process: (value, timestampMs) => emitter.collect(node.fn(value), timestampMs) };
    case "flatMap":
      return { process: (value, timestampMs) => node.fn(value, (out) => emitter.collect(out, timestampMs)) };
    case "filter":
      return {
        process: (value, timestampMs) => {
          if (node.fn(value)) emitter.collect(value, timestampMs);
        },
      };
    default:
      return unreachable(node, "Dataflow");
  }
}

function isStateful(node: StatefulNode | StatelessNode): node is StatefulNode {
  return isKeyed(node) || node.kind === "sink";
}

function secondInputOf(operator: ReferenceOperator): ReferenceOperator {
  return { process: (value, timestampMs) => operator.process2?.(value, timestampMs) };
}
