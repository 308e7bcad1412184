import type { KeySelector } from "../../engine/api/functions.ts";
import type { WatermarkStrategy } from "../../engine/api/watermark-strategy.ts";
import { unreachable } from "../../engine/base/assert.ts";
import type {
  FilterNode,
  FlatMapNode,
  MapNode,
  StreamEdge,
  StreamGraph,
  StreamNode,
  WindowNode,
} from "../../engine/graph/stream-graph.ts";
import { USER_CALLS } from "../trace/kinds.ts";
import { TaggingSource, UntaggingSink } from "./graph-rewriting-connectors.ts";
import type { Lineage } from "./graph-rewriting-functions.ts";
import { observingSelector, ShadowedAggregate, shadowedReduce } from "./graph-rewriting-functions.ts";
import { UserCodeGate } from "./graph-rewriting-gate.ts";
import type { WatchedTask } from "./graph-rewriting-gate.ts";
import type { RecordIds, Tagged } from "./graph-rewriting-ids.ts";
import { ShadowedCoProcess, ShadowedProcess } from "./graph-rewriting-process.ts";

/** For whom a graph is rewritten. */
export interface RewritingTarget {
  readonly ids: RecordIds;
  /** Null: for a reference, whose calls nobody watches. */
  readonly task: WatchedTask | null;
  readonly subtask: number;
  /** For keyed operators. */
  lineageOf(node: StreamNode): Lineage;
}

/**
 * Rewrites a job so that every record carries an id beside its value, without the engine knowing:
 *
 * - sources wrap their records (Tagged), sinks unwrap them, user functions see and give values;
 * - what a stateless function makes of a record keeps its id; so does what a reduce emits (one record for
 *   each); what windows and process functions emit gets ids of its own;
 * - keyed operators keep, for each key (and window), how many records were applied and the sum of their
 *   ids: in the value of a reduce's state, in the accumulator of a window, in a state of its own beside
 *   those of a process function;
 * - each call of user code is a trace point, at which a plan can let it throw.
 *
 * Nodes, edges, names, uids and parallelism stay as they are, and what a user can see of the job does too:
 * it commits the same records with and without. (One departure: a reduce function that gives null clears
 * the state of its key; rewritten, it keeps a null there.)
 */
export function rewriteGraph(graph: StreamGraph, target: RewritingTarget): StreamGraph {
  return { ...graph, nodes: graph.nodes.map((node) => rewriteNode(node, target)) };
}

function rewriteNode(node: StreamNode, target: RewritingTarget): StreamNode {
  const gate = new UserCodeGate(target.task, `${node.name}[${target.subtask}]`);
  const inputs = node.inputs.map(rewriteEdge);
  switch (node.kind) {
    case "source": {
      const source = new TaggingSource(node.source, node.uid, target.ids, gate);
      return { ...node, source, watermarks: taggedWatermarks(node.watermarks) };
    }
    case "map":
      return { ...node, inputs, fn: taggedMap(node, gate) };
    case "flatMap":
      return { ...node, inputs, fn: taggedFlatMap(node, gate) };
    case "filter":
      return { ...node, inputs, fn: taggedFilter(node, gate) };
    case "reduce": {
      const keySelector = observingSelector(node.keySelector, target.lineageOf(node), 1);
      return { ...node, inputs, keySelector, fn: shadowedReduce(node, gate) };
    }
    case "process": {
      const lineage = target.lineageOf(node);
      const keySelector = observingSelector(node.keySelector, lineage, 1);
      return { ...node, inputs, keySelector, fn: new ShadowedProcess(node.fn, gate, lineage) };
    }
    case "coProcess": {
      const lineage = target.lineageOf(node);
      const [first, second] = node.keySelectors;
      const keySelectors = [observingSelector(first, lineage, 1), observingSelector(second, lineage, 1)] as const;
      return { ...node, inputs, keySelectors, fn: new ShadowedCoProcess(node.fn, gate, lineage) };
    }
    case "window":
      return rewriteWindow({ ...node, inputs }, gate, target.lineageOf(node));
    case "sink":
      return { ...node, inputs, sink: new UntaggingSink(node.sink) };
    default:
      return unreachable(node, "rewriteNode");
  }
}

function rewriteEdge(edge: StreamEdge): StreamEdge {
  return edge.keySelector === null ? edge : { ...edge, keySelector: taggedSelector(edge.keySelector) };
}

function taggedSelector(selector: KeySelector<any>): KeySelector<Tagged> {
  return (record) => selector(record.value);
}

function taggedWatermarks(strategy: WatermarkStrategy<any>): WatermarkStrategy<Tagged> {
  const { createGenerator, timestampOf, idleAfterMs } = strategy;
  return {
    createGenerator: () => createGenerator(),
    timestampOf: timestampOf === null ? null : (record, recordMs) => timestampOf(record.value, recordMs),
    idleAfterMs,
  };
}

function taggedMap({ fn }: MapNode, gate: UserCodeGate): (record: Tagged) => Tagged {
  return ({ id, value }) => {
    gate.before(USER_CALLS.process);
    const mapped = gate.emitted(fn(value));
    gate.after();
    return { id, value: mapped };
  };
}

function taggedFilter({ fn }: FilterNode, gate: UserCodeGate): (record: Tagged) => boolean {
  return ({ value }) => {
    gate.before(USER_CALLS.process);
    const passes = fn(value);
    gate.after();
    return passes;
  };
}

function taggedFlatMap({ fn }: FlatMapNode, gate: UserCodeGate): FlatMapNode["fn"] {
  let id = 0;
  let collectRecord: (record: Tagged) => void = () => undefined;
  const collect = (value: unknown): void => collectRecord({ id, value: gate.emitted(value) });
  return (record: Tagged, into: (record: Tagged) => void) => {
    gate.before(USER_CALLS.process);
    id = record.id;
    collectRecord = into;
    fn(record.value, collect);
    gate.after();
  };
}

function rewriteWindow(node: WindowNode, gate: UserCodeGate, lineage: Lineage): WindowNode {
  const { windowFn } = node;
  return {
    ...node,
    // Whether a record is late shows only later: when the aggregate gets it.
    keySelector: observingSelector(node.keySelector, lineage, 0),
    aggregate: new ShadowedAggregate(node, gate, lineage),
    windowFn:
      windowFn === null
        ? null
        : (result, key, window) => ({ id: lineage.derive(), value: gate.emitted(windowFn(result, key, window)) }),
  };
}
