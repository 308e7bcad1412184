import { present } from "../base/assert.ts";
import type { JobEdge, JobGraph } from "./job-graph.ts";

/**
 * Whether barriers may overtake data on an edge. They may not on forward edges (the data belongs to one subtask,
 * whatever the parallelism becomes) and on broadcast edges (every receiver would keep another part of what all of
 * them must see); nor on the other edges into a task that has one of these: it aligns all its inputs or none, so
 * that nothing of an edge that keeps its order is ever in flight in a checkpoint.
 */
export function mayOvertake(graph: JobGraph, edge: JobEdge): boolean {
  const { inputs } = present(graph.vertices[edge.to], "edges connect vertices of the graph");
  return inputs.every(({ partitioning }) => partitioning === "hash" || partitioning === "rebalance");
}
