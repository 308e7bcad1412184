import { invariant } from "../base/assert.ts";
import type { CheckpointId, TimeUs } from "../base/units.ts";
import { US_PER_MS } from "../base/units.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import { TRACE } from "../ports/tracer.ts";
import { CheckpointCommit, type CommitOutcome } from "./checkpoint-commit.ts";
import type { AbortReason } from "./checkpoint-failure-manager.ts";
import { ABORT_REASONS } from "./checkpoint-failure-manager.ts";
import type { CheckpointMetadata } from "./checkpoint-metadata.ts";
import type { CheckpointProperties } from "./checkpoint-properties.ts";
import { CHECKPOINT, notifiesTasks } from "./checkpoint-properties.ts";
import type { CheckpointRequest } from "./checkpoint-request-decider.ts";
import { CheckpointRequestDecider } from "./checkpoint-request-decider.ts";
import { CheckpointSchedule } from "./checkpoint-schedule.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { CoordinatorContext, SavepointRequest } from "./coordinator-context.ts";
import { isSameTask, PendingCheckpoint } from "./pending-checkpoint.ts";
import { PlannedTasks, startingPoint } from "./planned-tasks.ts";
import type { SavepointRecord } from "./savepoint-record.ts";
import type { SubtaskState } from "./subtask-state.ts";
import { ownFilesOf } from "./subtask-state.ts";

interface QueuedRequest extends CheckpointRequest {
  readonly savepoint: SavepointRequest | null;
}

/**
 * Triggers checkpoints, collects the acknowledgements, and brings complete ones to the commit point (Flink:
 * CheckpointCoordinator). One object for every set of executions: after a failover, of the job or of a region,
 * there is another one.
 *
 * A checkpoint is pending from its trigger until its record is written (complete) or it is given up.
 * After `stop`, nothing is triggered and all pending checkpoints are given up; `whenQuiet` tells when a commit
 * that was under way is decided: only then is it certain which checkpoint is the latest.
 */
export class CheckpointCoordinator {
  readonly #context: CoordinatorContext;
  readonly #pending = new Map<CheckpointId, PendingCheckpoint>();
  readonly #savepoints = new Map<PendingCheckpoint, SavepointRequest>();
  readonly #tasks: PlannedTasks;
  readonly #requests: CheckpointRequestDecider<QueuedRequest>;
  readonly #schedule: CheckpointSchedule;
  readonly #commit: CheckpointCommit;
  #started = false;
  #triggering = false;
  #stopped = false;
  /** A checkpoint completed after which no other follows: all input had ended, or the job stopped with it. */
  #final = false;
  /** Asked to stop with a savepoint: nothing else is begun. */
  #stopping = false;
  /** The savepoint that the job stopped with, or null. */
  stoppedWith: SavepointRecord | null = null;
  #whenQuiet: (() => void)[] = [];
  /** The latest attempt of any of its tasks: no other coordinator has the same. */
  readonly #attempt: number;
  #lastCompletionUs: TimeUs = Number.NEGATIVE_INFINITY;

  constructor(context: CoordinatorContext) {
    this.#context = context;
    const { ports, config, executions, vertices, store, latest } = context;
    this.#attempt = Math.max(...executions.map(({ attempt }) => attempt));
    this.#tasks = new PlannedTasks(vertices, executions, startingPoint(latest), (id) => context.hasFinished(id));
    this.#requests = new CheckpointRequestDecider(config.maxConcurrent, config.minPauseMs * US_PER_MS);
    this.#schedule = new CheckpointSchedule(ports, config, () => this.#requestPeriodic());
    this.#commit = new CheckpointCommit({
      ports,
      storagePrefix: context.storagePrefix,
      attempt: this.#attempt,
      isPending: (checkpoint) => this.#pending.get(checkpoint.checkpointId) === checkpoint,
      metadataOf: (checkpoint) => this.#metadataOf(checkpoint),
      record: (checkpoint, metadata, file, done) => this.#record(checkpoint, metadata, file, done),
      decided: (outcome) => this.#decided(outcome),
    });
    store.onCleaned = (): void => this.#runNext();
  }

  get pending(): readonly PendingCheckpoint[] {
    return [...this.#pending.values()];
  }

  /** For inspection: failed checkpoints in a row, as counted; requests that wait; the savepoint that a pending one is for. */
  inspect(): { readonly failures: number; readonly queued: number; savepointOf(checkpoint: PendingCheckpoint): string | null } {
    const savepointOf = (checkpoint: PendingCheckpoint): string | null => this.#savepoints.get(checkpoint)?.requestId ?? null;
    return { failures: this.#context.failures.failures, queued: this.#requests.queued.length, savepointOf };
  }

  /** True for a task that finished, or was finished when the attempt began. */
  hasFinished(id: ExecutionId): boolean {
    return this.#tasks.isFinished(id);
  }

  /** All tasks run. */
  start(): void {
    this.#started = true;
    this.#schedule.start();
    this.#runNext();
  }

  /** Somebody wants a savepoint; with one that stops the job, the schedule stops at once. */
  requestSavepoint(properties: CheckpointProperties, request: SavepointRequest): void {
    invariant(properties.kind === "savepoint", "savepoints are asked for");
    if (this.#stopped || this.#final || this.#stopping) {
      request.answer({ ok: false, reason: this.#stopping ? "the job stops with another savepoint" : "the job is not running" });
      return;
    }
    if (properties.stop !== null) {
      this.#stopping = true;
      this.#schedule.stop();
      this.#refuse(this.#requests.clear(), "the job stops with a savepoint");
      for (const checkpoint of this.pending) if (checkpoint !== this.#commit.current) this.#abort(checkpoint, "shutdown");
    }
    this.#request(properties, false, request);
  }

  /** Gives up everything that is pending, because somebody asked for it. */
  abortPending(): void {
    for (const checkpoint of this.pending) if (checkpoint !== this.#commit.current) this.#abort(checkpoint, "requested");
  }

  acknowledge(id: ExecutionId, checkpointId: CheckpointId, state: SubtaskState | null, inputEnded: boolean): void {
    const { ports, subject, store } = this.#context;
    const found = this.#pending.get(checkpointId);
    const checkpoint = found !== undefined && this.#isCurrent(id) ? found : null;
    const shared = state?.shared ?? [];
    if (shared.length > 0) {
      // Before anything else, whatever becomes of the checkpoint (FLINK-6633): nobody else will delete these files.
      const refused = store.registerShared(checkpointId, shared);
      ports.tracer.point(checkpoint === null ? TRACE.lateSharedStateRegistered : TRACE.sharedStateRegistered, subject, checkpointId, shared.length);
      invariant(checkpoint === null || refused === null, "a pending checkpoint names only shared files that are there");
    }
    if (checkpoint === null) {
      // Too late, or from an attempt that is over: nobody else will ever name its own files.
      const unclaimed = state === null ? [] : ownFilesOf(state).filter((key) => !this.#isReferenced(key));
      if (unclaimed.length > 0) store.discardFiles(checkpointId, unclaimed);
      return;
    }
    if (!checkpoint.acknowledge(id, state, inputEnded)) return;
    ports.tracer.point(TRACE.checkpointAcked, subject, checkpointId, checkpoint.missing);
    if (checkpoint.missing > 0) return;
    if (this.#tasks.hasPartlyFinishedUnion(checkpoint)) this.#abort(checkpoint, "partly-finished");
    else this.#commit.add(checkpoint);
  }

  decline(id: ExecutionId, checkpointId: CheckpointId, reason: AbortReason): void {
    if (!this.#isCurrent(id)) return;
    const checkpoint = this.#pending.get(checkpointId);
    if (checkpoint === undefined) {
      this.#context.ports.tracer.point(TRACE.declineIgnored, this.#context.subject, checkpointId, ABORT_REASONS[reason]);
    } else if (checkpoint.isAwaited(id)) {
      this.#abort(checkpoint, reason);
    }
  }

  /** A task ended by itself: what waits for it waits in vain. */
  taskFinished(id: ExecutionId): void {
    this.#tasks.finish(id);
    for (const checkpoint of this.pending) if (checkpoint.isAwaited(id)) this.#abort(checkpoint, "task-not-running");
  }

  /**
   * Failover, or the end of the job: gives up what is pending, except a commit under way. Whatever still happens is
   * told to tasks that live on.
   */
  stop(reason: AbortReason): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#schedule.stop();
    this.#commit.stop();
    for (const checkpoint of this.pending) {
      if (checkpoint !== this.#commit.current) this.#abort(checkpoint, reason);
    }
    this.#refuse(this.#requests.clear(), reason);
  }

  /** This leader was deposed: forgets everything without a word. What is pending is its successor's business. */
  abandon(): void {
    const { scheduler } = this.#context.ports;
    this.#stopped = true;
    this.#schedule.stop();
    this.#commit.abandon();
    this.#requests.clear();
    for (const { expiry } of this.#pending.values()) if (expiry !== null) scheduler.cancel(expiry);
    this.#pending.clear();
    this.#savepoints.clear();
    this.#whenQuiet = [];
  }

  whenQuiet(done: () => void): void {
    invariant(this.#stopped, "only a stopped coordinator becomes quiet");
    if (this.#commit.current === null) done();
    else this.#whenQuiet.push(done);
  }

  /* ---- triggering ---- */

  #request(properties: CheckpointProperties, isPeriodic: boolean, savepoint: SavepointRequest | null): void {
    const atUs = this.#context.ports.clock.nowUs();
    const dropped = this.#requests.add({ properties, isPeriodic, atUs, savepoint });
    if (dropped !== null) this.#refuse([dropped], "too many requests wait");
    this.#runNext();
  }

  /** One of the schedule's requests waits at most: Flink queues each of them, and works them off without a pause. */
  #requestPeriodic(): void {
    if (!this.#requests.queued.some(({ isPeriodic }) => isPeriodic)) this.#request(CHECKPOINT, true, null);
  }

  #runNext(): void {
    if (!this.#started || this.#stopped || this.#final) return;
    const { ports, subject, store } = this.#context;
    const decision = this.#requests.decide({
      nowUs: ports.clock.nowUs(),
      isTriggering: this.#triggering,
      pending: this.#pending.size,
      cleaning: store.cleaning,
      lastCompletionUs: this.#lastCompletionUs,
    });
    if (decision.kind === "execute") this.#takeId(decision.request);
    else if (decision.kind === "too-early") this.#schedule.restartIn(decision.retryAfterUs);
    else if (decision.reason !== "empty") ports.tracer.point(TRACE.checkpointRefused, subject, this.#pending.size, REFUSALS[decision.reason]);
  }

  #takeId(request: QueuedRequest): void {
    this.#triggering = true;
    this.#context.counter.take((checkpointId) => {
      this.#triggering = false;
      if (checkpointId === null) {
        this.#context.deposed();
      } else if (this.#stopped || this.#final || (this.#stopping && request.properties.stop === null)) {
        this.#refuse([request], "the job is not running");
        this.#runNext();
      } else {
        this.#trigger(checkpointId, request);
        this.#runNext();
      }
    });
  }

  #trigger(checkpointId: CheckpointId, { properties, savepoint }: QueuedRequest): void {
    const { ports, subject, config, store } = this.#context;
    const plan = this.#tasks.plan();
    if (plan.toWaitFor.length === 0) {
      // The job is as good as over.
      if (savepoint !== null) savepoint.answer({ ok: false, reason: "every task has finished" });
      return;
    }
    store.registerShared(checkpointId, this.#tasks.sharedOfFinished());
    const checkpoint = new PendingCheckpoint(checkpointId, ports.clock.nowUs(), properties, plan);
    this.#pending.set(checkpointId, checkpoint);
    if (savepoint !== null) this.#savepoints.set(checkpoint, savepoint);
    ports.tracer.point(TRACE.checkpointTriggered, subject, checkpointId, this.#attempt);
    checkpoint.expiry = ports.scheduler.after(config.timeoutMs * US_PER_MS, () => {
      if (this.#pending.get(checkpointId) === checkpoint && checkpoint !== this.#commit.current) {
        this.#abort(checkpoint, "expired");
      }
    });
    for (const id of plan.toTrigger) this.#context.trigger(id, checkpoint);
  }

  /* ---- commit ---- */

  #record(checkpoint: PendingCheckpoint, metadata: CheckpointMetadata, file: FileHandle, done: (outcome: "added" | "rejected") => void): void {
    const savepoint = this.#savepoints.get(checkpoint);
    if (savepoint === undefined) this.#context.store.add(metadata, file, done);
    else this.#context.recordSavepoint(savepoint, file, checkpoint.checkpointId, done);
  }

  #decided(outcome: CommitOutcome): void {
    if (outcome.kind === "deposed") {
      this.#context.deposed();
      return;
    }
    if (outcome.kind === "failed") this.#abort(outcome.checkpoint, this.#stopped ? "failover" : "finalize");
    else this.#completed(outcome.checkpoint, outcome.metadata, outcome.file);
    const quiet = this.#whenQuiet;
    this.#whenQuiet = [];
    for (const done of quiet) done();
    this.#runNext();
  }

  #completed(checkpoint: PendingCheckpoint, metadata: CheckpointMetadata, file: FileHandle): void {
    const { ports, subject, store } = this.#context;
    const { checkpointId, properties } = checkpoint;
    const savepoint = this.#savepoints.get(checkpoint) ?? null;
    if (savepoint !== null) store.savepointCompleted(checkpoint.files());
    this.#close(checkpoint);
    this.#lastCompletionUs = ports.clock.nowUs();
    const kind = savepoint === null ? TRACE.checkpointCompleted : TRACE.savepointCompleted;
    ports.tracer.point(kind, subject, checkpointId, this.#attempt);
    if (savepoint !== null && properties.stop !== null) {
      this.stoppedWith = { requestId: savepoint.requestId, checkpointId, stop: properties.stop, file };
      store.stoppedWith(metadata, this.stoppedWith);
    }
    if (notifiesTasks(properties)) {
      this.#context.failures.succeeded(checkpointId);
      this.#subsumePending(checkpointId);
      this.#tasks.completed(checkpoint);
      this.#announce(checkpoint, metadata);
    }
    if (savepoint === null) store.subsumeOldest();
    else savepoint.answer({ ok: true, checkpointId, file });
  }

  /** Older ones cannot help any more; a savepoint is somebody's, and goes on. */
  #subsumePending(checkpointId: CheckpointId): void {
    for (const older of this.pending) {
      if (older.checkpointId < checkpointId && older.properties.kind === "checkpoint") this.#abort(older, "subsumed");
    }
  }

  /**
   * After a failover of some tasks the others hear of it too, but nobody finishes: those that start again take part in
   * one more checkpoint.
   */
  #announce(checkpoint: PendingCheckpoint, { inputEnded }: CheckpointMetadata): void {
    const { checkpointId, properties } = checkpoint;
    const goesOn = !this.#stopped;
    if (goesOn && (inputEnded || properties.stop !== null)) this.#endWith(checkpointId);
    for (const id of checkpoint.plan.toWaitFor) {
      const mayFinish = goesOn && (properties.stop !== null || this.#tasks.mayFinish(id, checkpoint));
      this.#context.notifyComplete(id, checkpointId, mayFinish);
    }
  }

  /** The final checkpoint: no other follows. */
  #endWith(checkpointId: CheckpointId): void {
    this.#final = true;
    this.#schedule.stop();
    for (const later of this.pending) if (later.checkpointId > checkpointId) this.#abort(later, "shutdown");
    this.#refuse(this.#requests.clear(), "the job ends");
  }

  #metadataOf(checkpoint: PendingCheckpoint): CheckpointMetadata {
    const { maxParallelism } = this.#context;
    const { checkpointId, triggeredAtUs, properties } = checkpoint;
    return {
      kind: properties.kind,
      checkpointId,
      attempt: this.#attempt,
      triggeredAtUs,
      maxParallelism,
      inputEnded: checkpoint.allInputsEnded,
      vertices: this.#tasks.vertices(checkpoint),
    };
  }

  /* ---- giving up ---- */

  #abort(checkpoint: PendingCheckpoint, reason: AbortReason): void {
    const { ports, subject, store } = this.#context;
    const { checkpointId, properties } = checkpoint;
    const savepoint = this.#savepoints.get(checkpoint);
    this.#close(checkpoint);
    ports.tracer.point(TRACE.checkpointAborted, subject, checkpointId, ABORT_REASONS[reason]);
    const files = checkpoint.files();
    if (files.length > 0) store.discardFiles(checkpointId, files);
    for (const id of checkpoint.plan.toWaitFor) this.#context.notifyAborted(id, checkpointId);
    savepoint?.answer({ ok: false, reason });
    if (this.#stopped) return;
    const isTooMany = properties.kind === "checkpoint" && this.#context.failures.failed(checkpointId, reason);
    if (isTooMany) this.#context.failJob(`too many checkpoints failed in a row, the last one ${reason}`);
    // Its tasks stand still, or have ended their input: the job goes back to its last checkpoint.
    else if (properties.stop !== null) this.#context.failJob(`stopping with savepoint ${checkpointId} failed: ${reason}`);
    else this.#context.ports.scheduler.after(0, () => this.#runNext());
  }

  #refuse(requests: readonly QueuedRequest[], reason: string): void {
    for (const { savepoint } of requests) savepoint?.answer({ ok: false, reason });
  }

  #close(checkpoint: PendingCheckpoint): void {
    this.#pending.delete(checkpoint.checkpointId);
    this.#savepoints.delete(checkpoint);
    if (checkpoint.expiry !== null) this.#context.ports.scheduler.cancel(checkpoint.expiry);
    checkpoint.expiry = null;
  }

  #isCurrent(id: ExecutionId): boolean {
    return this.#tasks.executions.some((one) => isSameTask(one, id) && one.attempt === id.attempt);
  }

  #isReferenced(key: string): boolean {
    if (this.#context.store.references(key)) return true;
    return this.pending.some((one) => one.files().includes(key));
  }
}

/** What a request waits for; numbers appear in trace points. */
export const REFUSALS = { triggering: 0, limit: 0, cleaning: 1 } as const;
