import { invariant } from "../base/assert.ts";
import type { CheckpointId, TimeUs } from "../base/units.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import type { CheckpointProperties } from "./checkpoint-properties.ts";
import type { SubtaskState } from "./subtask-state.ts";
import { ownFilesOf } from "./subtask-state.ts";

export interface Acknowledgement {
  readonly id: ExecutionId;
  readonly state: SubtaskState | null;
  /** The task's input had ended before it took its part. */
  readonly inputEnded: boolean;
}

/** A checkpoint between its trigger and its commit point. */
export class PendingCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly triggeredAtUs: TimeUs;
  readonly properties: CheckpointProperties;
  readonly plan: CheckpointPlan;
  expiry: TimerHandle | null = null;
  /** Set once the metadata file is being written. */
  metadataKey: string | null = null;
  /** Keys of what was copied for it (see SavepointCopies). */
  readonly copies: string[] = [];
  readonly #awaited: ExecutionId[];
  /** In the order in which they came. */
  readonly #acknowledged: Acknowledgement[] = [];

  constructor(checkpointId: CheckpointId, triggeredAtUs: TimeUs, properties: CheckpointProperties, plan: CheckpointPlan) {
    invariant(plan.toWaitFor.length > 0, "a checkpoint waits for the tasks that still run");
    this.checkpointId = checkpointId;
    this.triggeredAtUs = triggeredAtUs;
    this.properties = properties;
    this.plan = plan;
    this.#awaited = plan.toWaitFor.slice();
  }

  /** False for a duplicate or a task that is not awaited. */
  acknowledge(id: ExecutionId, state: SubtaskState | null, inputEnded: boolean): boolean {
    const index = this.#awaited.findIndex((one) => isSameTask(one, id));
    if (index < 0) return false;
    this.#awaited.splice(index, 1);
    this.#acknowledged.push({ id, state, inputEnded });
    return true;
  }

  get acknowledged(): readonly Acknowledgement[] {
    return this.#acknowledged;
  }

  get missing(): number {
    return this.#awaited.length;
  }

  /** The input of the whole job had ended: nothing remains but to commit. */
  get allInputsEnded(): boolean {
    for (const { inputEnded } of this.#acknowledged) if (!inputEnded) return false;
    return this.missing === 0;
  }

  isAwaited(id: ExecutionId): boolean {
    return this.#awaited.some((one) => isSameTask(one, id));
  }

  stateOf(id: ExecutionId): SubtaskState | null {
    const acknowledgement = this.#acknowledged.find((one) => isSameTask(one.id, id));
    invariant(acknowledgement !== undefined, "a complete checkpoint was acknowledged by every task");
    return acknowledgement.state;
  }

  /** Keys of its own files so far: what it shares is the registry's to delete. */
  files(): readonly string[] {
    const keys: string[] = [];
    for (const { state } of this.#acknowledged) if (state !== null) keys.push(...ownFilesOf(state));
    keys.push(...this.copies);
    if (this.metadataKey !== null) keys.push(this.metadataKey);
    return keys;
  }

  /** For inspection: "vertex:subtask" of the tasks that have not acknowledged yet. */
  awaited(): readonly string[] {
    return this.#awaited.map(({ vertex, subtask }) => `${vertex}:${subtask}`);
  }
}

/** The same subtask; the executions of one checkpoint are the only ones of theirs. */
export function isSameTask(left: ExecutionId, right: ExecutionId): boolean {
  return left.subtask === right.subtask && left.vertex === right.vertex;
}
