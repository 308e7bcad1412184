import { invariant, present } from "../base/assert.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import type { SlotAssignment } from "./messages.ts";
import type { ExecutionId } from "../graph/execution-id.ts";

export type ExecutionState = "deploying" | "initialized" | "finished";

export interface Execution {
  readonly id: ExecutionId;
  readonly slot: SlotAssignment;
  state: ExecutionState;
}

/** All subtasks of one attempt of the job, as the JobManager knows them. */
export class ExecutionAttempt {
  readonly attempt: number;
  readonly slots: readonly SlotAssignment[];
  readonly executions: readonly Execution[];
  phase: "deploying" | "starting" | "running" | "failing" = "deploying";

  constructor(attempt: number, graph: JobGraph, slots: readonly SlotAssignment[]) {
    this.attempt = attempt;
    this.slots = slots;
    const executions: Execution[] = [];
    for (const vertex of graph.vertices) {
      for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) {
        const slot = present(slots[subtask], "there is a slot for every subtask");
        executions.push({ id: { attempt, vertex: vertex.id, subtask }, slot, state: "deploying" });
      }
    }
    invariant(executions.length > 0, "a job has tasks");
    this.executions = executions;
  }

  find(id: ExecutionId): Execution | undefined {
    if (id.attempt !== this.attempt) return undefined;
    return this.executions.find((one) => one.id.vertex === id.vertex && one.id.subtask === id.subtask);
  }

  all(state: ExecutionState): boolean {
    return this.executions.every((one) => one.state === state);
  }

  /** Workers that it uses, each once. */
  workers(): readonly SlotAssignment[] {
    const used: SlotAssignment[] = [];
    for (const { slot } of this.executions) if (!used.some((one) => one.worker === slot.worker)) used.push(slot);
    return used;
  }
}
