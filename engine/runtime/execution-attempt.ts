import { invariant, present } from "../base/assert.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { FailoverRegion } from "../graph/failover-regions.ts";
import type { SlotAssignment } from "./messages.ts";

export type ExecutionState = "deploying" | "initialized" | "finished";

export interface Execution {
  readonly id: ExecutionId;
  readonly slot: SlotAssignment;
  state: ExecutionState;
}

/** All subtasks of one attempt of a region, as the JobManager knows them. */
export class ExecutionAttempt {
  readonly attempt: number;
  /** Of the whole job: subtask i of every vertex runs in slot i. */
  readonly slots: readonly SlotAssignment[];
  readonly executions: readonly Execution[];

  constructor(attempt: number, { subtasks }: FailoverRegion, slots: readonly SlotAssignment[]) {
    invariant(subtasks.length > 0, "a region has tasks");
    this.attempt = attempt;
    this.slots = slots;
    this.executions = subtasks.map(({ vertex, subtask }) => ({
      id: { attempt, vertex, subtask },
      slot: present(slots[subtask], "there is a slot for every subtask"),
      state: "deploying",
    }));
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

  /** Something that has not finished runs there. */
  needs(worker: string): boolean {
    return this.executions.some(({ slot, state }) => slot.worker === worker && state !== "finished");
  }
}
