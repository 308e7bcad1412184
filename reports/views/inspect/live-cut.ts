import { NO_TIMESTAMP } from "../../../engine/base/units.ts";
import type { JobGraph } from "../../../engine/graph/job-graph.ts";
import { PartitionedSourceOperator } from "../../../engine/operators/source-operator.ts";
import type { DataObservation } from "../../../simulator/oracles/data-oracles-observation.ts";
import type { InFlight, InFlightRecord } from "../../../simulator/oracles/in-flight.ts";
import type { Tagged } from "../../../simulator/oracles/graph-rewriting-ids.ts";
import type { World } from "../../../simulator/world/world.ts";
import { channelsInto, channelState } from "./channel-contents.ts";
import type { LiveTask, Wire } from "./live-tasks.ts";
import { currentTasksOf, isOver, liveTasks, operatorIn, upstreamOf, wires } from "./live-tasks.ts";
import { presentGraph } from "./operator-names.ts";

/**
 * The cut through a running job that is there at every moment: between two steps, each record that a source gave has
 * either been processed by an operator, or lies in a channel before it.
 */
export interface LiveCut {
  /** As in a CompletedCut: by uid of the source. */
  readonly offsets: ReadonlyMap<string, readonly number[]>;
  readonly inFlight: InFlight;
  /** The job as it runs. */
  readonly graph: JobGraph;
  /** The tasks of the operator, one a subtask. */
  readonly tasks: readonly LiveTask[];
}

/** For the operator of this uid; or why there is none at this moment, in words. */
export function liveCut(world: World, uid: string, observation: DataObservation): LiveCut | string {
  const graph = presentGraph(world);
  const all = liveTasks(world);
  const upstream = upstreamOf(uid, graph);
  const wire = wires(world);
  const offsets = new Map(observation.ids.sources.map((source) => [source.uid, source.lengths.map((_, partition) => observation.latest?.offsets.get(source.uid)?.[partition] ?? 0)]));
  const inFlight = new Map<string, InFlightRecord[]>();
  let attempt: number | null = null;
  for (const vertex of graph.vertices) {
    const node = vertex.chain.find((one) => upstream.has(one.uid));
    if (node === undefined) continue;
    const tasks = currentTasksOf(all, node.uid, vertex.parallelism);
    // Regions that fail over alone have attempts of their own: there it is the ends of each channel that must fit.
    const missing = whyNotWhole(tasks, vertex.parallelism, vertex.name, graph.config.failover === "job" ? attempt : null);
    if (missing !== null) return missing;
    attempt = tasks[0]?.task.id.attempt ?? null;
    for (const live of tasks) {
      readOffsets(live, node.uid, offsets);
      const broken = gather(live, graph, all, wire, inFlight);
      if (broken !== null) return broken;
    }
  }
  const own = currentTasksOf(all, uid, parallelismOf(graph, uid));
  const over = own.find(({ task }) => isOver(task));
  if (over !== undefined) return `${over.task.name} is ${over.task.state}: it keeps no state any more`;
  return { offsets, inFlight, graph, tasks: own };
}

/** Why these are not all tasks of a vertex in one attempt, with their state, or null. */
function whyNotWhole(tasks: readonly LiveTask[], parallelism: number, name: string, attempt: number | null): string | null {
  if (tasks.length !== parallelism) return `${parallelism - tasks.length} of the ${parallelism} tasks of ${name} are nowhere at this moment`;
  for (const { task } of tasks) {
    if (task.state !== "running" && task.state !== "initialized" && task.state !== "finished") return `${task.name} is ${task.state} at this moment`;
  }
  if (attempt === null || tasks.every(({ task }) => task.id.attempt === attempt)) return null;
  return `a new attempt is being deployed at this moment: not all tasks of ${name} are of it`;
}

function parallelismOf({ vertices }: JobGraph, uid: string): number {
  return vertices.find(({ chain }) => chain.some((node) => node.uid === uid))?.parallelism ?? 0;
}

/** Partitions that no living source reads had ended in the latest checkpoint: their offsets are those of it. */
function readOffsets(live: LiveTask, uid: string, offsets: ReadonlyMap<string, number[]>): void {
  const operator = operatorIn(live, uid)?.operator;
  const ofSource = offsets.get(uid);
  if (!(operator instanceof PartitionedSourceOperator) || ofSource === undefined) return;
  for (const { partition, offset } of operator.inspectOffsets()) ofSource[partition] = offset;
}

/** Why what is in the channels into a task cannot be told, or null. */
function gather(live: LiveTask, graph: JobGraph, all: readonly LiveTask[], wire: ReadonlyMap<string, Wire>, inFlight: Map<string, InFlightRecord[]>): string | null {
  for (const ends of channelsInto(live, graph, all)) {
    const { elements, isBroken, from, to, edge } = channelState(ends, graph, wire);
    if (ends.sender === null) return `${from}, which sends to ${to}, is nowhere at this moment`;
    if (isBroken) return `the connection from ${from} to ${to} is broken, and what was under way is lost`;
    const records = inFlight.get(edge) ?? [];
    inFlight.set(edge, records);
    for (const element of elements) {
      if (element.kind === "record") records.push({ record: element.record as Tagged, timestampMs: element.timestampMs ?? NO_TIMESTAMP });
    }
  }
  return null;
}
