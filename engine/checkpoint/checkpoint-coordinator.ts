import { invariant } from "../base/assert.ts";
import type { CheckpointId, TimeUs } from "../base/units.ts";
import { US_PER_MS } from "../base/units.ts";
import type { JobVertex, VertexId } from "../graph/job-graph.ts";
import type { CheckpointConfig } from "../graph/stream-graph.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import { TRACE } from "../ports/tracer.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import { retryStorage } from "./storage-retry.ts";
import type { CheckpointMetadata } from "./checkpoint-metadata.ts";
import { encodeMetadata, metadataKey } from "./checkpoint-metadata.ts";
import { FileSealer, handleOf } from "./checksummed-file.ts";
import type { AbortReason } from "./checkpoint-failure-manager.ts";
import { ABORT_REASONS } from "./checkpoint-failure-manager.ts";
import type { CheckpointIdCounter, CompletedStore } from "./completed-store.ts";
import { isSameTask, PendingCheckpoint } from "./pending-checkpoint.ts";
import { ownFilesOf } from "./subtask-state.ts";
import type { SubtaskState } from "./subtask-state.ts";

export interface CoordinatorContext {
  readonly ports: ProcessPorts;
  readonly subject: number;
  readonly config: CheckpointConfig;
  readonly storagePrefix: string;
  /** Every subtask's, in order of vertex and subtask. Regions that failed over alone have later attempts than others. */
  readonly executions: readonly ExecutionId[];
  readonly maxParallelism: number;
  readonly vertices: readonly JobVertex[];
  readonly store: CompletedStore;
  readonly counter: CheckpointIdCounter;
  triggerSource(id: ExecutionId, checkpointId: CheckpointId, triggeredAtUs: TimeUs): void;
  notifyComplete(id: ExecutionId, checkpointId: CheckpointId, isFinal: boolean): void;
  notifyAborted(id: ExecutionId, checkpointId: CheckpointId): void;
  /** Too many checkpoints failed in a row. */
  failJob(reason: string): void;
  /** This leader was deposed. */
  deposed(): void;
}

/**
 * Triggers checkpoints, collects the acknowledgements, and brings complete ones to the commit point (Flink:
 * CheckpointCoordinator). One object for every set of executions: after a failover, of the job or of a region,
 * there is another one.
 *
 * A checkpoint is pending from its trigger until its record is written (complete) or it is given up.
 * Commits happen one at a time. After `stop`, nothing is triggered and all pending checkpoints are given
 * up; `whenQuiet` tells when a commit that was under way is decided: only then is it certain which
 * checkpoint is the latest.
 */
export class CheckpointCoordinator {
  readonly #context: CoordinatorContext;
  readonly #pending = new Map<CheckpointId, PendingCheckpoint>();
  #triggering = false;
  #requested = false;
  #stopped = false;
  #abandoned = false;
  #final = false;
  #committing: PendingCheckpoint | null = null;
  readonly #commitQueue: PendingCheckpoint[] = [];
  #whenQuiet: (() => void)[] = [];
  #lastCompletionUs: TimeUs = Number.NEGATIVE_INFINITY;
  #failuresInARow = 0;
  #timer: TimerHandle | null = null;
  readonly #sealer = new FileSealer();
  readonly #vertices: readonly VertexExecutions[];
  readonly #executions: readonly ExecutionId[];
  /** The latest attempt of any of its tasks: no other coordinator has the same. */
  readonly #attempt: number;
  readonly #sources: readonly ExecutionId[];

  constructor(context: CoordinatorContext) {
    this.#context = context;
    const { vertices, executions } = context;
    this.#vertices = vertices.map((vertex) => executionsOf(vertex, executions));
    this.#executions = executions;
    this.#attempt = Math.max(...executions.map(({ attempt }) => attempt));
    this.#sources = this.#vertices.filter(({ isSource }) => isSource).flatMap(({ executions }) => executions);
  }

  get pending(): readonly PendingCheckpoint[] {
    return [...this.#pending.values()];
  }

  /** All tasks run. The first trigger comes after a random part of the interval, as in Flink. */
  start(): void {
    const { config, ports } = this.#context;
    const spanMs = Math.max(1, config.intervalMs - config.minPauseMs + 1);
    const firstMs = config.minPauseMs + ports.rng.stream("checkpoint-first-delay").below(spanMs);
    this.#armTimer(firstMs * US_PER_MS);
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
      const files = state === null ? [] : ownFilesOf(state).filter((key) => !this.#isReferenced(key));
      if (files.length > 0) store.discardFiles(checkpointId, files);
      return;
    }
    if (!checkpoint.acknowledge(id, state, inputEnded)) return;
    ports.tracer.point(TRACE.checkpointAcked, subject, checkpointId, checkpoint.missing);
    if (checkpoint.missing > 0) return;
    this.#commitQueue.push(checkpoint);
    this.#commitNext();
  }

  decline(id: ExecutionId, checkpointId: CheckpointId): void {
    const checkpoint = this.#pending.get(checkpointId);
    if (checkpoint !== undefined && this.#isCurrent(id)) this.#abort(checkpoint, "declined");
  }

  /**
   * Failover, or the end of the job: gives up what is pending, except a commit under way. Whatever still happens is
   * told to tasks that live on.
   */
  stop(reason: AbortReason): void {
    this.#stopped = true;
    this.#requested = false;
    if (this.#timer !== null) this.#context.ports.scheduler.cancel(this.#timer);
    this.#timer = null;
    for (const checkpoint of [...this.#pending.values()]) {
      if (checkpoint !== this.#committing) this.#abort(checkpoint, reason);
    }
  }

  /** This leader was deposed: forgets everything without a word. What is pending is its successor's business. */
  abandon(): void {
    const { scheduler } = this.#context.ports;
    this.#stopped = true;
    this.#abandoned = true;
    if (this.#timer !== null) scheduler.cancel(this.#timer);
    for (const { expiry } of this.#pending.values()) if (expiry !== null) scheduler.cancel(expiry);
    this.#pending.clear();
    this.#commitQueue.length = 0;
    this.#whenQuiet = [];
  }

  whenQuiet(done: () => void): void {
    invariant(this.#stopped, "only a stopped coordinator becomes quiet");
    if (this.#committing === null) done();
    else this.#whenQuiet.push(done);
  }

  /* ---- triggering ---- */

  #armTimer(delayUs: number): void {
    const { config, ports } = this.#context;
    this.#timer = ports.scheduler.after(delayUs, () => {
      this.#timer = null;
      if (this.#stopped || this.#final) return;
      this.#armTimer(Math.max(config.intervalMs, config.minPauseMs) * US_PER_MS);
      this.#request();
    });
  }

  /** A periodic request: runs now, or as soon as concurrency and the minimum pause allow it. */
  #request(): void {
    const { config, ports, subject } = this.#context;
    if (this.#stopped || this.#final) return;
    if (this.#triggering || this.#pending.size >= config.maxConcurrent) {
      ports.tracer.point(TRACE.checkpointRefused, subject, this.#pending.size, 0);
      this.#requested = true;
      return;
    }
    const waitUs = this.#lastCompletionUs + config.minPauseMs * US_PER_MS - ports.clock.nowUs();
    if (waitUs > 0) {
      ports.scheduler.after(waitUs, () => this.#request());
      return;
    }
    this.#requested = false;
    this.#triggering = true;
    this.#context.counter.take((checkpointId) => {
      this.#triggering = false;
      if (checkpointId === null) this.#context.deposed();
      else if (!this.#stopped && !this.#final) this.#trigger(checkpointId);
    });
  }

  #trigger(checkpointId: CheckpointId): void {
    const { ports, subject, config } = this.#context;
    const checkpoint = new PendingCheckpoint(checkpointId, ports.clock.nowUs(), this.#executions);
    this.#pending.set(checkpointId, checkpoint);
    ports.tracer.point(TRACE.checkpointTriggered, subject, checkpointId, this.#attempt);
    checkpoint.expiry = ports.scheduler.after(config.timeoutMs * US_PER_MS, () => {
      if (this.#pending.get(checkpointId) === checkpoint && checkpoint !== this.#committing) {
        this.#abort(checkpoint, "expired");
      }
    });
    for (const id of this.#sources) this.#context.triggerSource(id, checkpointId, checkpoint.triggeredAtUs);
  }

  /* ---- commit ---- */

  #commitNext(): void {
    if (this.#committing !== null) return;
    const checkpoint = this.#commitQueue.shift();
    if (checkpoint === undefined) return;
    if (this.#pending.get(checkpoint.checkpointId) !== checkpoint) {
      this.#commitNext();
      return;
    }
    this.#committing = checkpoint;
    const metadata = this.#metadataOf(checkpoint);
    const bytes = encodeMetadata(metadata, this.#sealer);
    const file = handleOf(metadataKey(this.#context.storagePrefix, checkpoint.checkpointId, this.#attempt), bytes);
    checkpoint.metadataKey = file.key;
    const { ports, store } = this.#context;
    retryStorage(
      ports.scheduler,
      (report) => ports.blobs.put(file.key, bytes, (reply) => report(reply.ok ? null : reply.code)),
      () => !this.#stopped,
      (error) => {
        if (this.#abandoned) return;
        if (error !== null || this.#stopped) {
          this.#commitFailed(checkpoint, this.#stopped ? "failover" : "finalize");
          return;
        }
        store.add(metadata, file, (outcome) => {
          if (outcome === "added") this.#completed(checkpoint, metadata);
          else this.#context.deposed();
        });
      },
    );
  }

  #commitFailed(checkpoint: PendingCheckpoint, reason: AbortReason): void {
    this.#committing = null;
    this.#abort(checkpoint, reason);
    this.#commitDecided();
  }

  #completed(checkpoint: PendingCheckpoint, metadata: CheckpointMetadata): void {
    const { ports, subject, store } = this.#context;
    const { checkpointId } = checkpoint;
    this.#committing = null;
    this.#close(checkpoint);
    this.#failuresInARow = 0;
    this.#lastCompletionUs = ports.clock.nowUs();
    ports.tracer.point(TRACE.checkpointCompleted, subject, checkpointId, this.#attempt);
    for (const older of [...this.#pending.values()]) {
      if (older.checkpointId < checkpointId) this.#abort(older, "subsumed");
    }
    // After a failover of some tasks the others hear of it too, but nobody ends: those that start again take
    // part in one more checkpoint.
    const isFinal = metadata.inputEnded && !this.#stopped;
    if (isFinal) this.#endWith(checkpointId);
    for (const id of this.#executions) this.#context.notifyComplete(id, checkpointId, isFinal);
    store.subsumeOldest();
    this.#commitDecided();
  }

  /** The final checkpoint: no other follows. */
  #endWith(checkpointId: CheckpointId): void {
    this.#final = true;
    for (const later of [...this.#pending.values()]) {
      if (later.checkpointId > checkpointId) this.#abort(later, "shutdown");
    }
  }

  #commitDecided(): void {
    const quiet = this.#whenQuiet;
    this.#whenQuiet = [];
    for (const done of quiet) done();
    if (!this.#stopped) this.#commitNext();
  }

  #metadataOf(checkpoint: PendingCheckpoint): CheckpointMetadata {
    const { maxParallelism } = this.#context;
    return {
      checkpointId: checkpoint.checkpointId,
      attempt: this.#attempt,
      triggeredAtUs: checkpoint.triggeredAtUs,
      maxParallelism,
      inputEnded: checkpoint.allInputsEnded,
      vertices: this.#vertices.map(({ vertex, uids, executions }) => ({
        vertex,
        uids,
        subtasks: executions.map((id) => checkpoint.stateOf(id)),
      })),
    };
  }

  /* ---- giving up ---- */

  #abort(checkpoint: PendingCheckpoint, reason: AbortReason): void {
    const { ports, subject, store, config } = this.#context;
    const { checkpointId } = checkpoint;
    this.#close(checkpoint);
    ports.tracer.point(TRACE.checkpointAborted, subject, checkpointId, ABORT_REASONS[reason]);
    const files = checkpoint.files();
    if (files.length > 0) store.discardFiles(checkpointId, files);
    for (const id of this.#executions) this.#context.notifyAborted(id, checkpointId);
    if (reason === "declined" || reason === "expired" || reason === "finalize") {
      this.#failuresInARow += 1;
      if (this.#failuresInARow > config.tolerableFailures) {
        this.#context.failJob(`${this.#failuresInARow} checkpoints failed in a row, the last one ${reason}`);
      }
    }
  }

  #close(checkpoint: PendingCheckpoint): void {
    this.#pending.delete(checkpoint.checkpointId);
    if (checkpoint.expiry !== null) this.#context.ports.scheduler.cancel(checkpoint.expiry);
    checkpoint.expiry = null;
    if (this.#requested && !this.#stopped) {
      this.#requested = false;
      this.#context.ports.scheduler.after(0, () => this.#request());
    }
  }

  #isCurrent(id: ExecutionId): boolean {
    return this.#executions.some((one) => isSameTask(one, id) && one.attempt === id.attempt);
  }

  #isReferenced(key: string): boolean {
    if (this.#context.store.references(key)) return true;
    return this.pending.some((one) => one.files().includes(key));
  }
}

/** What every checkpoint of the attempt says of a vertex. */
interface VertexExecutions {
  readonly vertex: VertexId;
  readonly uids: readonly string[];
  readonly isSource: boolean;
  readonly executions: readonly ExecutionId[];
}

function executionsOf({ id, chain, inputs }: JobVertex, executions: readonly ExecutionId[]): VertexExecutions {
  return {
    vertex: id,
    uids: chain.map((node) => node.uid),
    isSource: inputs.length === 0,
    executions: executions.filter(({ vertex }) => vertex === id),
  };
}
