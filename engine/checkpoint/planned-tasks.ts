import { invariant, present } from "../base/assert.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { JobVertex } from "../graph/job-graph.ts";
import type { CheckpointMetadata, CompletedCheckpoint, VertexCheckpoint } from "./checkpoint-metadata.ts";
import type { CheckpointPlan, PlannedVertex } from "./checkpoint-plan.ts";
import { planCheckpoint } from "./checkpoint-plan.ts";
import type { PendingCheckpoint } from "./pending-checkpoint.ts";
import { isSameTask } from "./pending-checkpoint.ts";
import type { SharedFile, SubtaskState } from "./subtask-state.ts";

/** One vertex of the attempt. */
interface VertexTasks extends PlannedVertex {
  readonly uids: readonly string[];
  /** It was finished when the attempt began: what the checkpoint restored from holds of it goes into every other. */
  readonly restored: VertexCheckpoint | null;
}

interface FinishedTask {
  readonly id: ExecutionId;
  readonly state: SubtaskState | null;
}

/**
 * The tasks as checkpoints see them: which still run, and what those that finished left behind. The
 * state of a finished task stays part of every later checkpoint, so that the last one holds all of the job's.
 */
export class PlannedTasks {
  readonly executions: readonly ExecutionId[];
  readonly #vertices: readonly VertexTasks[];
  readonly #latest: CheckpointMetadata | null;
  readonly #finished: FinishedTask[] = [];
  /** Latest completed state of tasks whose input has ended. */
  readonly #ended: FinishedTask[] = [];

  /**
   * `latest`: what the attempts start from, or go on from. `hasFinished`: tasks that finished before this began and
   * are not started again.
   */
  constructor(
    vertices: readonly JobVertex[],
    executions: readonly ExecutionId[],
    latest: CheckpointMetadata | null,
    hasFinished: (id: ExecutionId) => boolean,
  ) {
    this.executions = executions;
    this.#latest = latest;
    this.#vertices = vertices.map((vertex) => tasksOf(vertex, executions, latest));
    const finishedVertices = new Set(this.#vertices.filter(({ restored }) => restored !== null).map(({ vertex }) => vertex));
    for (const id of executions) if (hasFinished(id) || finishedVertices.has(id.vertex)) this.finish(id);
  }

  isFinished(id: ExecutionId): boolean {
    return this.#finished.some((one) => isSameTask(one.id, id));
  }

  /** Shared files of tasks that have finished: every checkpoint goes on using them. */
  sharedOfFinished(): readonly SharedFile[] {
    const shared = this.#finished.flatMap(({ state }) => state?.shared ?? []);
    const restored = this.#vertices.flatMap((vertex) => vertex.restored?.subtasks.flatMap((state) => state?.shared ?? []) ?? []);
    return [...shared, ...restored];
  }

  plan(): CheckpointPlan {
    return planCheckpoint(this.#vertices, (id) => this.isFinished(id));
  }

  /** A checkpoint completed: from now on these tasks may finish, and this is what they leave. */
  completed(checkpoint: PendingCheckpoint): void {
    for (const { id, state, inputEnded } of checkpoint.acknowledged) {
      if (!inputEnded) continue;
      const at = this.#ended.findIndex((one) => isSameTask(one.id, id));
      if (at >= 0) this.#ended.splice(at, 1);
      this.#ended.push({ id, state });
    }
  }

  finish(id: ExecutionId): void {
    if (this.isFinished(id)) return;
    const ended = this.#ended.find((one) => isSameTask(one.id, id));
    // A job that stops with a savepoint finishes tasks whose input goes on: no checkpoint follows.
    const state = ended === undefined ? this.#latestStateOf(id) : ended.state;
    // What its last checkpoint had in flight has been worked off since: its senders and receivers saw the end.
    this.#finished.push({ id, state: state === null ? null : { ...state, inFlight: null } });
  }

  /**
   * True where this task may finish once the checkpoint is complete: its input had ended. Tasks with a list that each
   * of them gets in full finish together, because a checkpoint of some of them could not be dealt out again.
   */
  mayFinish(id: ExecutionId, checkpoint: PendingCheckpoint): boolean {
    const own = checkpoint.acknowledged.find((one) => isSameTask(one.id, id));
    if (own?.inputEnded !== true) return false;
    if (!holdsUnion(own.state)) return true;
    return checkpoint.acknowledged.every((one) => one.id.vertex !== id.vertex || one.inputEnded);
  }

  /** A vertex of which some tasks have finished and others not, and whose lists go to every task in full. */
  hasPartlyFinishedUnion(checkpoint: PendingCheckpoint): boolean {
    return this.#vertices.some(({ vertex, executions, restored }) => {
      const running = checkpoint.acknowledged.filter(({ id }) => id.vertex === vertex);
      if (restored !== null || running.length === 0 || running.length === executions.length) return false;
      return executions.some((id) => holdsUnion(this.#stateIn(checkpoint, id)));
    });
  }

  /** What every vertex contributes to a checkpoint that all of its tasks acknowledged. */
  vertices(checkpoint: PendingCheckpoint): readonly VertexCheckpoint[] {
    return this.#vertices.map(({ vertex, uids, executions, restored }) => {
      if (restored !== null) return { ...restored, vertex };
      const isFinished = checkpoint.plan.fullyFinished.has(vertex);
      return { vertex, uids, isFinished, subtasks: executions.map((id) => this.#stateIn(checkpoint, id)) };
    });
  }

  /** Of a task that finished while others failed over: the latest checkpoint is one that it acknowledged at its end. */
  #latestStateOf({ vertex, subtask }: ExecutionId): SubtaskState | null {
    const uids = this.#vertices[vertex]?.uids ?? [];
    return this.#latest?.vertices.find((one) => one.uids.some((uid) => uids.includes(uid)))?.subtasks[subtask] ?? null;
  }

  #stateIn(checkpoint: PendingCheckpoint, id: ExecutionId): SubtaskState | null {
    if (!checkpoint.plan.finished.some((one) => isSameTask(one, id))) return checkpoint.stateOf(id);
    return present(this.#finished.find((one) => isSameTask(one.id, id)), "the task has finished").state;
  }
}

/**
 * What attempts start from, as later checkpoints see it. Of a snapshot that is not the job's nothing may be named again:
 * tasks that had finished in it run once more, to their end, and bring their state themselves.
 */
export function startingPoint(latest: CompletedCheckpoint | null): CheckpointMetadata | null {
  if (latest === null || latest.isOwned) return latest?.metadata ?? null;
  const { metadata } = latest;
  return { ...metadata, vertices: metadata.vertices.map((vertex) => ({ ...vertex, isFinished: false })) };
}

function tasksOf({ id, chain, inputs }: JobVertex, executions: readonly ExecutionId[], latest: CheckpointMetadata | null): VertexTasks {
  const uids = chain.map((node) => node.uid);
  const restored = latest?.vertices.find((one) => one.isFinished && one.uids.some((uid) => uids.includes(uid))) ?? null;
  invariant(restored === null || uids.every((uid) => restored.uids.includes(uid)), "operators that finished are chained as they were");
  return {
    vertex: id,
    uids,
    inputs: inputs.map(({ from, partitioning }) => ({ from, isPointwise: partitioning === "forward" })),
    executions: executions.filter(({ vertex }) => vertex === id),
    restored,
  };
}

function holdsUnion(state: SubtaskState | null): boolean {
  return state?.lists.some((one) => one.holdsUnion) ?? false;
}
