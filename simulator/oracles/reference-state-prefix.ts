import { InvariantError } from "../../engine/base/assert.ts";
import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import { isKeyed, runsProcessFunction } from "../../engine/graph/keyed-node.ts";
import type {
  CoProcessNode,
  MapNode,
  NodeId,
  ProcessNode,
  SinkNode,
  StreamEdge,
  StreamGraph,
  StreamNode,
} from "../../engine/graph/stream-graph.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import type { Key } from "../../engine/state/state.ts";
import { keyGroupOf } from "../../engine/stream/key-groups.ts";
import { PrefixReference } from "../reference/prefix-reference.ts";
import type { StateDifference, SubtaskState } from "../reference/prefix-reference.ts";
import type { ReferenceEntry } from "../reference/reference-state.ts";
import type { KeyedSection } from "../reference/snapshot-reader.ts";
import { SHADOW_STATE } from "./graph-rewriting-functions.ts";
import type { Lineage, Shadow } from "./graph-rewriting-functions.ts";
import type { RecordIds, Tagged } from "./graph-rewriting-ids.ts";
import { rewriteGraph } from "./graph-rewriting.ts";
import { InFlightGates } from "./in-flight-gates.ts";
import { edgeKeysOf } from "./in-flight.ts";
import type { InFlight } from "./in-flight.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import { sameShadow, sameShadowed, shadowOf } from "./shadows.ts";

/** For graphs that no engine runs: nobody asks for their history. */
export const NO_LINEAGE: Lineage = {
  isRepeatable: true,
  record: () => undefined,
  applied: () => undefined,
  at: () => undefined,
  derive: () => -1,
};

/** A difference, and the operator it is in. */
export interface OperatorDifference extends StateDifference {
  readonly node: StreamNode;
}

/**
 * The state that a completed checkpoint of a confluent job must hold, values and shadows at once: the
 * PrefixReference of the rewritten job. Of process functions only the shadow can be foretold.
 */
export class PrefixState {
  readonly #nodes: readonly StreamNode[];
  readonly #reference: PrefixReference;
  readonly #gates: InFlightGates<null> | null;
  /** By node: keys of the edges before it that records reach through a keyed operator. */
  readonly #openEdges: ReadonlyMap<NodeId, readonly string[]>;
  readonly #atLeastOnce: boolean;

  /** `withGates`: there may be records on their way at a cut; absent: where checkpoints of that mode keep them. */
  constructor(graph: StreamGraph, ids: RecordIds, mode: CheckpointMode, withGates: boolean = keepsInFlight(mode)) {
    const rewritten = rewriteGraph(graph, { ids, task: null, subtask: 0, lineageOf: () => NO_LINEAGE });
    const keys = edgeKeysOf(rewritten);
    this.#openEdges = edgesBehindState(rewritten, keys);
    const open = new Set([...this.#openEdges.values()].flat());
    const knowsValues = (edge: StreamEdge): boolean => !open.has(keys.get(edge) ?? "");
    const gates = new InFlightGates(keys, ids, { knowsValues, context: () => null, resume: () => undefined });
    this.#gates = withGates ? gates : null;
    this.#atLeastOnce = mode === "at-least-once";
    this.#reference = new PrefixReference(referenceGraph(rewritten, keys), ({ uid }) => ids.ofSource(uid), this.#gates?.gate ?? null);
    const covered = new Set(this.#reference.covered());
    this.#nodes = graph.nodes.filter((node) => covered.has(node.uid));
  }

  /** True if it can tell what the state of an operator must be. */
  covers(node: StreamNode): boolean {
    return !runsProcessFunction(node) && this.#nodes.some((one) => one.uid === node.uid);
  }

  /** Moves on to a cut. What is wrong with what it keeps as in flight, or null. Offsets of cuts must not go back. */
  advance(cut: Pick<CompletedCut, "inFlight" | "offsets">): string | null {
    this.#gates?.begin(cut.inFlight);
    this.#reference.advanceTo(cut.offsets);
    return this.#gates?.end() ?? null;
  }

  /**
   * For inspection: the entries that an operator must have, as a rewritten job keeps them (of process functions a
   * ProcessShadow for each key), or null where that cannot be told. `watermarkOf`: how far the subtask of a key is.
   * `knowsValues`: the shadows alone are sure where not, because of the order in which records met before it.
   */
  expected(node: StreamNode, watermarkOf: (key: Key) => TimestampMs, inFlight: InFlight): ExpectedState | null {
    if (!this.#nodes.some((one) => one.uid === node.uid)) return null;
    const knowsValues = !this.#isOpen(node, inFlight) && !runsProcessFunction(node);
    return { entries: this.#reference.expected(node.uid, watermarkOf), knowsValues };
  }

  /** Differences at the cut that it has moved on to, at most one an operator. */
  compare(cut: CompletedCut): readonly OperatorDifference[] {
    const found: OperatorDifference[] = [];
    for (const node of this.#nodes) {
      const sections = cut.sections(node.uid);
      if (sections.length === 0) continue;
      const difference = this.#compareOperator(cut, node, sections.map(runsProcessFunction(node) ? shadowsOf : stateOf));
      if (difference !== null) found.push({ ...difference, node });
    }
    return found;
  }

  #compareOperator(cut: CompletedCut, node: StreamNode, subtasks: readonly SubtaskState[]): StateDifference | null {
    if (this.#atLeastOnce) {
      const isEnough = (expected: unknown, actual: unknown): boolean => shadowOf(node, actual)[0] >= shadowOf(node, expected)[0];
      return this.#reference.compareAtLeast(node.uid, subtasks, isEnough);
    }
    // Which running values of an operator before it are still on their way depends on how its inputs interleaved.
    const isOpen = this.#isOpen(node, cut.inFlight);
    const isSame = isOpen ? sameShadow : sameShadowed;
    return this.#reference.compare(node.uid, subtasks, (expected, actual) => isSame(node, expected, actual), !isOpen);
  }

  #isOpen({ id }: StreamNode, inFlight: InFlight): boolean {
    return this.#openEdges.get(id)?.some((key) => (inFlight.get(key) ?? []).length > 0) === true;
  }
}

/** See PrefixState.expected. */
export interface ExpectedState {
  readonly entries: readonly ReferenceEntry[];
  readonly knowsValues: boolean;
}

/** In which modes records may be on their way at a checkpoint. */
export function keepsInFlight(mode: CheckpointMode): boolean {
  return mode === "unaligned" || mode === "aligned-timeout";
}

/** For each node: keys of the edges upstream of it, its own inputs among them, that lie behind a keyed operator. */
function edgesBehindState(graph: StreamGraph, keys: ReadonlyMap<StreamEdge, string>): ReadonlyMap<NodeId, readonly string[]> {
  const isBehind: boolean[] = [];
  const found = new Map<NodeId, readonly string[]>();
  for (const node of graph.nodes) {
    const own = node.inputs.flatMap((edge) => (isBehind[edge.from] === true ? (keys.get(edge) ?? []) : []));
    found.set(node.id, [...new Set([...own, ...node.inputs.flatMap(({ from }) => found.get(from) ?? [])])]);
    isBehind[node.id] = isKeyed(node) || node.inputs.some(({ from }) => isBehind[from] === true);
  }
  return found;
}

function stateOf({ watermarkMs, entries, firstKeyGroup, watermarks, maxParallelism }: KeyedSection): SubtaskState {
  const end = firstKeyGroup + watermarks.length;
  const owns = (key: Key): boolean => {
    const keyGroup = keyGroupOf(key, maxParallelism);
    return keyGroup >= firstKeyGroup && keyGroup < end;
  };
  return { watermarkMs, owns, entries };
}

/** The shadows of a process operator, as the reduce that stands in for it keeps them. */
function shadowsOf(section: KeyedSection): SubtaskState {
  const entries: { readonly key: Key; readonly namespace: string; readonly value: ProcessShadow }[] = [];
  for (const { state, key, value } of section.entries) {
    if (state !== SHADOW_STATE) continue;
    const [count, sum] = value as Shadow;
    entries.push({ key, namespace: "", value: { key, count, sum } });
  }
  return { ...stateOf(section), entries };
}

/** What the reduce that stands in for a process function sums up. */
export interface ProcessShadow {
  readonly key: Key;
  readonly count: number;
  readonly sum: number;
}

/**
 * The rewritten graph as the PrefixReference can use it: in place of a process function stands, for each of its
 * inputs, a map to its shadow, with a reduce behind them that has its uid; what lies behind windows and process
 * functions is cut off.
 */
function referenceGraph(graph: StreamGraph, keys: Map<StreamEdge, string>): StreamGraph {
  const nodes: StreamNode[] = [];
  const added: StreamNode[] = [];
  const open = new Set<number>();
  for (const node of graph.nodes) {
    if (node.inputs.some(({ from }) => open.has(from))) {
      open.add(node.id);
      nodes.push(cutOff(node));
      continue;
    }
    if (node.kind === "window" || runsProcessFunction(node)) open.add(node.id);
    if (runsProcessFunction(node)) {
      nodes.push(cutOff(node));
      added.push(...shadowNodes(node, graph.nodes.length + added.length, keys));
    } else nodes.push(node);
  }
  return { ...graph, nodes: [...nodes, ...added] };
}

function cutOff({ id, uid, name, parallelism }: StreamNode): SinkNode {
  const createWriter = (): never => {
    throw new InvariantError("a reference writes nothing");
  };
  const sink = { name, createWriter };
  return { kind: "sink", id, uid, name, parallelism, inputs: [], sink };
}

/** What stands in for a process function; `firstId`: of the first of these nodes. Its inputs keep their keys. */
function shadowNodes(node: ProcessNode | CoProcessNode, firstId: number, keys: Map<StreamEdge, string>): readonly StreamNode[] {
  const { uid, name, parallelism } = node;
  const selectors = node.kind === "process" ? [node.keySelector] : node.keySelectors;
  const maps = selectors.map((keySelector, input): MapNode => {
    const fn = (record: Tagged): ProcessShadow => {
      const key = keySelector(record);
      return { key: typeof key === "number" ? key + 0 : key, count: 1, sum: record.id };
    };
    const inputs = node.inputs.filter((edge) => edge.input === input).map((edge): StreamEdge => {
      const copy: StreamEdge = { ...edge, input: 0 };
      keys.set(copy, keys.get(edge) ?? "");
      return copy;
    });
    return { kind: "map", id: firstId + input, uid: `${uid}/shadow-${input}`, name, parallelism, inputs, fn };
  });
  const keySelector = ({ key }: ProcessShadow): Key => key;
  const fn = (left: ProcessShadow, right: ProcessShadow): ProcessShadow => {
    return { key: left.key, count: left.count + right.count, sum: left.sum + right.sum };
  };
  const inputs = maps.map(({ id }): StreamEdge => {
    return { from: id, partitioning: "hash", keySelector, sideOutput: null, input: 0 };
  });
  return [...maps, { kind: "reduce", id: firstId + maps.length, uid, name, parallelism, inputs, keySelector, fn }];
}
