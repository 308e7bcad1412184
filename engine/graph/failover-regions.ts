import { present } from "../base/assert.ts";
import type { FailoverScope } from "./job-modes.ts";
import type { JobGraph, VertexId } from "./job-graph.ts";

/** One parallel instance of a vertex. */
export interface SubtaskPlace {
  readonly vertex: VertexId;
  readonly subtask: number;
}

/** Subtasks that fail and start again together. */
export interface FailoverRegion {
  readonly index: number;
  /** In order of vertex, then subtask. */
  readonly subtasks: readonly SubtaskPlace[];
}

/** The regions of a job. Each subtask belongs to one of them. */
export class FailoverRegions {
  /** In order of their first subtask; a region's index is its position. */
  readonly all: readonly FailoverRegion[];
  /** By vertex, then subtask. */
  readonly #regionOf: readonly (readonly FailoverRegion[])[];

  /** `components`: by vertex, then subtask, the number of the component; equal numbers make a region. */
  constructor(components: readonly (readonly number[])[]) {
    const subtasksOf = new Map<number, SubtaskPlace[]>();
    components.forEach((ofVertex, vertex) =>
      ofVertex.forEach((component, subtask) => {
        const subtasks = subtasksOf.get(component);
        if (subtasks === undefined) subtasksOf.set(component, [{ vertex, subtask }]);
        else subtasks.push({ vertex, subtask });
      }),
    );
    const regions = new Map<number, FailoverRegion>();
    for (const [component, subtasks] of subtasksOf) regions.set(component, { index: regions.size, subtasks });
    this.all = [...regions.values()];
    this.#regionOf = components.map((ofVertex) =>
      ofVertex.map((component) => present(regions.get(component), "every component makes a region")),
    );
  }

  of({ vertex, subtask }: SubtaskPlace): FailoverRegion {
    return present(this.#regionOf[vertex]?.[subtask], "the subtask is part of the job");
  }
}

/**
 * Region: the subtasks that are connected by channels (Flink: pipelined regions). A forward edge connects
 * equal subtasks alone, any other edge connects all of both sides; so parallel pipelines that share nothing
 * are regions of their own, and one keyBy, rebalance or broadcast makes one region of all that it joins.
 * Because every exchange is pipelined, all consumers of a region, and its producers, lie within it: what has
 * to start again after a failure is just the region.
 */
export function failoverRegions(graph: JobGraph, scope: FailoverScope): FailoverRegions {
  const first: number[] = [];
  let count = 0;
  for (const { parallelism } of graph.vertices) {
    first.push(count);
    count += parallelism;
  }
  const components = new Components(count);
  const numberOf = (vertex: VertexId, subtask: number): number => present(first[vertex], "edges join vertices of the graph") + subtask;
  const parallelismOf = (vertex: VertexId): number => present(graph.vertices[vertex], "edges join vertices of the graph").parallelism;
  if (scope === "job") {
    for (let subtask = 1; subtask < count; subtask += 1) components.join(0, subtask);
  }
  for (const { from, to, partitioning } of graph.edges) {
    for (let sender = 0; sender < parallelismOf(from); sender += 1) {
      if (partitioning === "forward") components.join(numberOf(from, sender), numberOf(to, sender));
      else for (let receiver = 0; receiver < parallelismOf(to); receiver += 1) components.join(numberOf(from, sender), numberOf(to, receiver));
    }
  }
  return new FailoverRegions(
    graph.vertices.map(({ id, parallelism }) =>
      Array.from({ length: parallelism }, (_, subtask) => components.find(numberOf(id, subtask))),
    ),
  );
}

/** Disjoint sets of 0 … count-1; the least member stands for its set. */
class Components {
  readonly #parent: number[];

  constructor(count: number) {
    this.#parent = Array.from({ length: count }, (_, one) => one);
  }

  find(one: number): number {
    let root = one;
    while (this.#parent[root] !== root) root = present(this.#parent[root], "members are 0 to count-1");
    this.#parent[one] = root;
    return root;
  }

  join(left: number, right: number): void {
    const [least, other] = [this.find(left), this.find(right)].sort((a, b) => a - b) as [number, number];
    this.#parent[other] = least;
  }
}
