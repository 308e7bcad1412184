import { invariant } from "../base/assert.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { VertexId } from "../graph/job-graph.ts";

/** A vertex as a plan sees it. */
export interface PlannedVertex {
  readonly vertex: VertexId;
  readonly executions: readonly ExecutionId[];
  readonly inputs: readonly PlannedInput[];
}

export interface PlannedInput {
  readonly from: VertexId;
  /** Subtask i reads from subtask i alone, not from all. */
  readonly isPointwise: boolean;
}

/** Which tasks a checkpoint triggers, which it waits for, and which have finished (Flink: CheckpointPlan). */
export interface CheckpointPlan {
  readonly toTrigger: readonly ExecutionId[];
  readonly toWaitFor: readonly ExecutionId[];
  readonly finished: readonly ExecutionId[];
  /** Vertices of which every task has finished. */
  readonly fullyFinished: ReadonlySet<VertexId>;
}

/**
 * Triggered are the tasks that still run and that get no barrier from anybody, because nobody before them still
 * runs: sources, and later on the tasks behind finished ones (Flink: DefaultCheckpointPlanCalculator). Awaited are
 * all that still run. `vertices` are in topological order, `vertices[i].vertex === i`.
 */
export function planCheckpoint(
  vertices: readonly PlannedVertex[],
  isFinished: (id: ExecutionId) => boolean,
): CheckpointPlan {
  const toTrigger: ExecutionId[] = [];
  const toWaitFor: ExecutionId[] = [];
  const finished: ExecutionId[] = [];
  const fullyFinished = new Set<VertexId>();
  /** By vertex, then subtask. */
  const running: boolean[][] = [];
  for (const { vertex, executions, inputs } of vertices) {
    invariant(vertex === running.length, "vertices are numbered in topological order");
    const stillRuns = executions.map((id) => !isFinished(id));
    running.push(stillRuns);
    if (!stillRuns.includes(true)) fullyFinished.add(vertex);
    for (const id of executions) {
      if (!stillRuns[id.subtask]) {
        finished.push(id);
        continue;
      }
      toWaitFor.push(id);
      if (!inputs.some((input) => getsBarrier(input, id.subtask, running))) toTrigger.push(id);
    }
  }
  return { toTrigger, toWaitFor, finished, fullyFinished };
}

/** Somebody at the other end of this input still runs. */
function getsBarrier({ from, isPointwise }: PlannedInput, subtask: number, running: readonly boolean[][]): boolean {
  const senders = running[from];
  invariant(senders !== undefined, "an input comes from a vertex before it");
  return isPointwise ? senders[subtask] === true : senders.includes(true);
}
