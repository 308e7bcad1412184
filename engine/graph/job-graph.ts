import type { KeySelector } from "../api/functions.ts";
import type { InputIndex, JobConfig, NodeId, Partitioning, StreamNode } from "./stream-graph.ts";

export type VertexId = number;

/** One logical connection between two vertices; every subtask pair it covers gets a channel. */
export interface JobEdge {
  readonly id: number;
  /** Stays the same whatever the parallelism and the chaining: what in-flight data is found by. */
  readonly key: string;
  readonly from: VertexId;
  readonly to: VertexId;
  /** The node inside `from` whose output (or side output) feeds the edge. */
  readonly fromNode: NodeId;
  readonly sideOutput: string | null;
  readonly partitioning: Partitioning;
  readonly keySelector: KeySelector<any> | null;
  /** Which input of the head of `to`, where that has two. */
  readonly input: InputIndex;
}

/**
 * A chain of operators that runs as one task. `chain[0]` is the head; every other node has exactly one
 * input, a forward edge from a node earlier in the chain (so a chain may branch, but never joins).
 */
export interface JobVertex {
  readonly id: VertexId;
  /** "source -> map"; subtasks are called "<name>[<index>]". */
  readonly name: string;
  readonly parallelism: number;
  readonly chain: readonly StreamNode[];
  readonly inputs: readonly JobEdge[];
  readonly outputs: readonly JobEdge[];
}

/** Vertices in topological order, `vertices[i].id === i`, and `edges[i].id === i`. */
export interface JobGraph {
  readonly jobName: string;
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
  readonly config: JobConfig;
}
