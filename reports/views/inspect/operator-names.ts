import { buildJobGraph } from "../../../engine/graph/build-job-graph.ts";
import type { JobGraph, JobVertex } from "../../../engine/graph/job-graph.ts";
import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import type { World } from "../../../simulator/world/world.ts";
import { UsageError } from "../../files/usage-error.ts";
import { nearest } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";

/** What somebody names of a job: operators of one vertex, in all of its subtasks or in one. */
export interface OperatorPlace {
  /** The job as it runs at that moment. */
  readonly graph: JobGraph;
  readonly vertex: JobVertex;
  readonly nodes: readonly StreamNode[];
  /** Null: all. */
  readonly subtask: number | null;
}

/** The job as it runs now: with the parallelism that the leader was asked for, if any. */
export function presentGraph(world: World): JobGraph {
  let parallelism: number | null = null;
  for (const living of world.processes) {
    if (living.kind === "job-manager" && living.engine.leading) parallelism = living.engine.master?.inspect().parallelism ?? null;
  }
  return buildJobGraph(world.buildJob(parallelism));
}

/**
 * The operator of this uid, else of this name, else the vertex of this name; one subtask of it where an index follows
 * ("sum[1]"), whether there is one of that index or not. Null for any other name.
 */
export function operatorNamed(name: string, graph: JobGraph): OperatorPlace | null {
  const whole = placeNamed(name, graph);
  if (whole !== null) return { graph, ...whole, subtask: null };
  const indexed = /^(.*)\[(\d+)\]$/s.exec(name);
  const place = indexed === null ? null : placeNamed(indexed[1] as string, graph);
  return place === null ? null : { graph, ...place, subtask: Number(indexed?.[2]) };
}

/** False for one subtask that the operator does not have at that moment. */
export function hasSubtask({ vertex, subtask }: OperatorPlace): boolean {
  return subtask === null || subtask < vertex.parallelism;
}

/** What is wrong with a name that names no operator, or no subtask of one, and what there is. */
export function noSuchOperator(name: string, graph: JobGraph): UsageError {
  const input = `the operator ${visible(name)}`;
  const place = operatorNamed(name, graph);
  if (place !== null) return new UsageError(input, `has the subtasks 0 to ${place.vertex.parallelism - 1} at this moment`, "choose one of them, or leave the index out");
  const names = operatorNames(graph);
  const near = nearest(name, names);
  const reason = near === null ? "is none of this job" : `is none of this job (did you mean ${visible(near)}?)`;
  return new UsageError(input, reason, `choose one of: ${names.map(visible).join(", ")}`);
}

/** One name for each operator that is enough to find it: its uid; in order of the graph. */
export function operatorNames(graph: JobGraph): readonly string[] {
  return graph.vertices.flatMap(({ chain }) => chain.map(({ uid }) => uid));
}

function placeNamed(name: string, { vertices }: JobGraph): Pick<OperatorPlace, "vertex" | "nodes"> | null {
  for (const isIt of [(node: StreamNode) => node.uid === name, (node: StreamNode) => node.name === name]) {
    for (const vertex of vertices) {
      const nodes = vertex.chain.filter(isIt);
      if (nodes.length > 0) return { vertex, nodes };
    }
  }
  const vertex = vertices.find((one) => one.name === name);
  return vertex === undefined ? null : { vertex, nodes: vertex.chain };
}
