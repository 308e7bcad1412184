import { invariant, present } from "../base/assert.ts";
import type { JobEdge, JobGraph, JobVertex, VertexId } from "./job-graph.ts";
import type { NodeId, StreamGraph, StreamNode } from "./stream-graph.ts";

/** Groups the nodes of a stream graph into chains, each of which runs as one task. */
export function buildJobGraph(graph: StreamGraph): JobGraph {
  checkNodes(graph.nodes);
  const heads = headOfEachNode(graph.nodes);
  const vertexOfHead = new Map<NodeId, VertexId>();
  // Edges enter a vertex at its head only, so heads in node order are a topological order of vertices.
  for (const node of graph.nodes) {
    if (heads[node.id] === node.id) vertexOfHead.set(node.id, vertexOfHead.size);
  }
  const vertexOf = (node: NodeId): VertexId => {
    const head = present(heads[node], "every node has a head");
    return present(vertexOfHead.get(head), "every head has a vertex");
  };
  const edges = jobEdges(graph.nodes, heads, vertexOf);
  const names = new Set<string>();
  const vertices = [...vertexOfHead.keys()].map((head, id): JobVertex => {
    const chain = graph.nodes.filter((node) => heads[node.id] === head);
    const name = uniqueName(chainName(chain), names);
    const headNode = present(chain[0], "a chain begins with its head");
    return {
      id,
      name,
      parallelism: headNode.parallelism,
      chain,
      inputs: edges.filter((edge) => edge.to === id),
      outputs: edges.filter((edge) => edge.from === id),
    };
  });
  return { jobName: graph.jobName, vertices, edges, config: graph.config };
}

function checkNodes(nodes: readonly StreamNode[]): void {
  // The texts are built only where they are needed: this runs for every task of every attempt.
  nodes.forEach((node, index) => {
    if (node.id !== index) invariant(false, `node ${index} has the id of its position`);
    for (const input of node.inputs) if (input.from >= node.id) invariant(false, `${node.name} comes after what feeds it`);
    const isSource = node.inputs.length === 0;
    if ((node.kind === "source") !== isSource) invariant(false, `${node.name} has inputs unless it is a source`);
  });
}

/** A node joins the chain of its input over a single forward edge; otherwise it heads a chain of its own. */
function headOfEachNode(nodes: readonly StreamNode[]): readonly NodeId[] {
  const heads: NodeId[] = [];
  for (const node of nodes) {
    const input = node.inputs.length === 1 ? node.inputs[0] : undefined;
    const upstream = input === undefined ? undefined : nodes[input.from];
    const chained =
      input !== undefined &&
      upstream !== undefined &&
      input.partitioning === "forward" &&
      upstream.parallelism === node.parallelism;
    heads.push(chained ? present(heads[upstream.id], "heads are known in topological order") : node.id);
  }
  return heads;
}

function jobEdges(
  nodes: readonly StreamNode[],
  heads: readonly NodeId[],
  vertexOf: (node: NodeId) => VertexId,
): readonly JobEdge[] {
  const edges: JobEdge[] = [];
  const keys = new Set<string>();
  for (const node of nodes) {
    if (heads[node.id] !== node.id) continue;
    for (const input of node.inputs) {
      const isForwarded = input.partitioning === "forward";
      if (isForwarded && nodes[input.from]?.parallelism !== node.parallelism) {
        invariant(false, `${node.name} has the parallelism of what is forwarded to it`);
      }
      edges.push({
        id: edges.length,
        key: uniqueName(edgeKey(nodes[input.from]?.uid ?? "", input.sideOutput, node.uid), keys),
        from: vertexOf(input.from),
        to: vertexOf(node.id),
        fromNode: input.from,
        sideOutput: input.sideOutput,
        partitioning: input.partitioning,
        keySelector: input.keySelector,
        input: input.input,
      });
    }
  }
  return edges;
}

function edgeKey(fromUid: string, sideOutput: string | null, toUid: string): string {
  return `${fromUid}${sideOutput === null ? "" : `/${sideOutput}`}->${toUid}`;
}

/** "source -> map"; where a chain branches, "source -> (map, filter -> sink)". */
function chainName(chain: readonly StreamNode[]): string {
  const nameFrom = (node: StreamNode): string => {
    const next = chain.filter((other) => other !== chain[0] && other.inputs[0]?.from === node.id).map(nameFrom);
    if (next.length === 0) return node.name;
    return `${node.name} -> ${next.length === 1 ? next[0] : `(${next.join(", ")})`}`;
  };
  return nameFrom(present(chain[0], "a chain has a head"));
}

function uniqueName(name: string, taken: Set<string>): string {
  let unique = name;
  for (let ordinal = 2; taken.has(unique); ordinal++) unique = `${name}-${ordinal}`;
  taken.add(unique);
  return unique;
}
