import { invariant } from "../base/assert.ts";
import { ABORTED_CHECKPOINTS_REMEMBERED } from "../base/limits.ts";
import type { CheckpointId } from "../base/units.ts";
import type { Barrier } from "../checkpoint/barrier-handler.ts";
import { ChannelStateWriter } from "../checkpoint/channel-state-writer.ts";
import type { DeclineCause } from "../checkpoint/checkpoint-failure-manager.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import type { SnapshotOwner } from "../checkpoint/task-snapshot.ts";
import { TaskSnapshot } from "../checkpoint/task-snapshot.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import { TRACE } from "../ports/tracer.ts";
import type { ChannelEvent } from "./buffer.ts";

/** What the checkpointing of a task asks of the task. */
export interface CheckpointingTask {
  readonly owner: SnapshotOwner;
  readonly chain: OperatorChain;
  /** The job's timeout of alignments. */
  readonly alignedTimeoutUs: number;
  broadcast(event: ChannelEvent): void;
  /** Forwards the barrier to everybody downstream; `gathered` gets what it overtakes. */
  sendBarrier(barrier: Barrier, gathered: ChannelStateWriter): void;
  /** Lets it overtake where it still waits. */
  timeOutBarrier(checkpointId: CheckpointId): void;
  /** What is being gathered at the inputs for that checkpoint is not wanted any more. */
  forgetInFlight(checkpointId: CheckpointId): void;
  inputHasEnded(): boolean;
  acknowledge(checkpointId: CheckpointId, state: SubtaskState | null, inputEnded: boolean): void;
  decline(checkpointId: CheckpointId, cause: DeclineCause, reason: string): void;
}

/**
 * The task's side of a checkpoint (Flink: SubtaskCheckpointCoordinatorImpl): forward the barrier, capture
 * the state, run the asynchronous part, acknowledge; or give up when told to.
 */
export class TaskCheckpointing {
  readonly #task: CheckpointingTask;
  readonly #running = new Map<CheckpointId, TaskSnapshot>();
  /** Aborted before their barrier came; the oldest is forgotten first. */
  readonly #aborted: CheckpointId[] = [];
  #lastCheckpointId: CheckpointId = -1;
  #lastNotifiedId: CheckpointId;

  constructor(task: CheckpointingTask, restoredId: CheckpointId | null) {
    this.#task = task;
    this.#lastNotifiedId = restoredId ?? -1;
  }

  /**
   * All barriers are here, or the first one that overtakes (or, in a source, the trigger): the order of these steps
   * is the protocol. `inputs` gathers what is in flight at the inputs; null where nothing is. False where the
   * checkpoint is not wanted.
   */
  checkpoint(barrier: Barrier, inputs: ChannelStateWriter | null): boolean {
    const { owner, chain } = this.#task;
    const { checkpointId } = barrier;
    if (checkpointId <= this.#lastCheckpointId) return false;
    this.#lastCheckpointId = checkpointId;
    if (this.#aborted.includes(checkpointId)) {
      this.#task.broadcast({ kind: "cancel-barrier", checkpointId });
      return false;
    }
    const tracer = owner.ports.tracer;
    const inputEnded = this.#task.inputHasEnded();
    const channels = inputs ?? new ChannelStateWriter(checkpointId, false);
    this.#task.sendBarrier(barrier, channels);
    tracer.point(TRACE.barrierForwarded, owner.subject, checkpointId, 0);
    chain.snapshotState(checkpointId);
    const snapshot = new TaskSnapshot(owner, chain, checkpointId, channels, barrier.isSavepoint ? "savepoint" : "checkpoint");
    tracer.point(TRACE.snapshotTaken, owner.subject, checkpointId, 0);
    this.#running.set(checkpointId, snapshot);
    if (channels.awaitsOutputs) this.#armOutputTimer(barrier, snapshot);
    snapshot.run((outcome) => {
      this.#running.delete(checkpointId);
      if (outcome.ok) this.#task.acknowledge(checkpointId, outcome.state, inputEnded);
      else this.#task.decline(checkpointId, "declined", outcome.reason);
    });
    return true;
  }

  /** The barrier handler gave up an alignment. */
  alignmentAborted(checkpointId: CheckpointId, reason: number): void {
    const { owner } = this.#task;
    owner.ports.tracer.point(TRACE.alignmentAborted, owner.subject, checkpointId, reason);
    this.#lastCheckpointId = Math.max(this.#lastCheckpointId, checkpointId);
    // An unaligned snapshot begins before its last barrier comes, or does not come.
    this.#cancel(checkpointId);
    this.#task.broadcast({ kind: "cancel-barrier", checkpointId });
    this.#task.decline(checkpointId, "unaligned", reason === 1 ? "a newer barrier overtook the alignment" : "cancelled upstream");
  }

  /** True if the notification is news: ids strictly rise within an attempt and exceed the restored one. */
  acceptsCompletion(checkpointId: CheckpointId): boolean {
    if (checkpointId <= this.#lastNotifiedId) return false;
    this.#lastNotifiedId = checkpointId;
    this.#task.owner.localState?.confirm(checkpointId);
    this.#task.owner.sharedFiles?.confirm(checkpointId);
    return true;
  }

  abort(checkpointId: CheckpointId): void {
    const isRunning = this.#cancel(checkpointId);
    this.#task.forgetInFlight(checkpointId);
    this.#task.owner.localState?.abort(checkpointId);
    this.#task.owner.sharedFiles?.abort(checkpointId);
    if (isRunning) return;
    if (checkpointId <= this.#lastCheckpointId) return;
    this.#aborted.push(checkpointId);
    if (this.#aborted.length > ABORTED_CHECKPOINTS_REMEMBERED) this.#aborted.shift();
  }

  /** The task's work is done: no later attempt will want what it kept on the host. */
  finish(): void {
    this.cancelAll();
    this.#task.owner.localState?.dispose();
  }

  /** The task ends: nothing may be acknowledged from here on. */
  cancelAll(): void {
    const running = [...this.#running.values()];
    this.#running.clear();
    for (const snapshot of running) snapshot.cancel();
    this.#task.owner.localState?.close();
    invariant(this.#running.size === 0, "a task that ended has no snapshot under way");
  }

  #cancel(checkpointId: CheckpointId): boolean {
    const snapshot = this.#running.get(checkpointId);
    this.#running.delete(checkpointId);
    return snapshot !== undefined && snapshot.cancel();
  }

  /** The time for the alignment counts for barriers that wait at the outputs, too. */
  #armOutputTimer({ checkpointId, triggeredAtUs }: Barrier, snapshot: TaskSnapshot): void {
    const { owner, alignedTimeoutUs } = this.#task;
    const { scheduler, clock, tracer } = owner.ports;
    const leftUs = Math.max(alignedTimeoutUs - (clock.nowUs() - triggeredAtUs), 0);
    scheduler.after(leftUs, () => {
      if (this.#running.get(checkpointId) !== snapshot || !snapshot.awaitsOutputs) return;
      tracer.point(TRACE.outputsTimedOut, owner.subject, checkpointId, 0);
      this.#task.timeOutBarrier(checkpointId);
    });
  }

  /** For inspection: checkpoints whose asynchronous part is under way. */
  get snapshotsRunning(): readonly CheckpointId[] {
    return [...this.#running.keys()];
  }
}
