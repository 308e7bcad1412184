import { invariant } from "../base/assert.ts";
import type { CheckpointId, TimeUs } from "../base/units.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { SnapshotHandle } from "./snapshot-file.ts";

interface Acknowledgement {
  readonly handle: SnapshotHandle | null;
  readonly inputEnded: boolean;
}

/** A checkpoint between its trigger and its commit point. */
export class PendingCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly triggeredAtUs: TimeUs;
  readonly attempt: number;
  expiry: TimerHandle | null = null;
  /** Set once the metadata file is being written. */
  metadataKey: string | null = null;
  readonly #awaited: Set<string>;
  readonly #acknowledged = new Map<string, Acknowledgement>();

  constructor(checkpointId: CheckpointId, triggeredAtUs: TimeUs, tasks: readonly ExecutionId[]) {
    invariant(tasks.length > 0, "a job has tasks");
    this.checkpointId = checkpointId;
    this.triggeredAtUs = triggeredAtUs;
    this.attempt = tasks[0]?.attempt ?? 0;
    this.#awaited = new Set(tasks.map(taskKey));
  }

  /** False for a duplicate or a task that is not awaited. */
  acknowledge(id: ExecutionId, handle: SnapshotHandle | null, inputEnded: boolean): boolean {
    const key = taskKey(id);
    if (!this.#awaited.delete(key)) return false;
    this.#acknowledged.set(key, { handle, inputEnded });
    return true;
  }

  get missing(): number {
    return this.#awaited.size;
  }

  get allInputsEnded(): boolean {
    for (const acknowledgement of this.#acknowledged.values()) if (!acknowledgement.inputEnded) return false;
    return this.missing === 0;
  }

  handleOf(id: ExecutionId): SnapshotHandle | null {
    const acknowledgement = this.#acknowledged.get(taskKey(id));
    invariant(acknowledgement !== undefined, "a complete checkpoint was acknowledged by every task");
    return acknowledgement.handle;
  }

  /** Keys of the files it holds so far. */
  files(): readonly string[] {
    const keys: string[] = [];
    for (const { handle } of this.#acknowledged.values()) if (handle !== null) keys.push(handle.key);
    if (this.metadataKey !== null) keys.push(this.metadataKey);
    return keys;
  }

  /** For inspection: "vertex:subtask" of the tasks that have not acknowledged yet. */
  awaited(): readonly string[] {
    return [...this.#awaited];
  }
}

function taskKey(id: ExecutionId): string {
  return `${id.vertex}:${id.subtask}`;
}
