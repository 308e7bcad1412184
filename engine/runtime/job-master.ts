import { invariant, present, unreachable } from "../base/assert.ts";
import { NO_CHECKPOINT, US_PER_MS, type TimeUs } from "../base/units.ts";
import { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.ts";
import type { CompletedCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { CompletedStoreContext } from "../checkpoint/completed-store.ts";
import { CheckpointIdCounter, CompletedStore } from "../checkpoint/completed-store.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import type { Fence } from "../ports/coordination.ts";
import { TRACE } from "../ports/tracer.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { Execution } from "./execution-attempt.ts";
import { ExecutionAttempt } from "./execution-attempt.ts";
import type { ControlMessage, SlotAssignment } from "./messages.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { RestoreRequest } from "../restore/restore-strategy.ts";
import type { EnginePorts } from "./task-manager.ts";
import { JobCalls } from "./job-calls.ts";
import type { JobEndStatus } from "./job-status.ts";
import { readJobEnd, recordJobEnd } from "./job-status.ts";
import { JobParallelism } from "./job-parallelism.ts";
import { WorkerRegistry } from "./worker-registry.ts";

export type JobPhase = "recovering" | "waiting" | "deploying" | "running" | "failing" | "restarting" | "finished" | "failed";

/** Attempts of one leader; attempts of a later leader have greater numbers. */
const ATTEMPTS_PER_EPOCH = 4096;

/**
 * One leader's term over a job: recovers what earlier leaders left, deploys attempts on the registered
 * workers, runs the checkpoint coordinator, and decides failover (of the whole job). After `depose` it does
 * nothing any more, whatever replies still arrive.
 */
export class JobMaster {
  readonly fence: Fence;
  readonly registry: WorkerRegistry;
  readonly store: CompletedStore;
  phase: JobPhase = "recovering";
  attempt: ExecutionAttempt | null = null;
  coordinator: CheckpointCoordinator | null = null;
  restarts = 0;
  readonly #ports: EnginePorts;
  readonly #config: ClusterConfig;
  readonly #buildGraph: (parallelism: number | null) => JobGraph;
  readonly #parallelism: JobParallelism;
  readonly #calls: JobCalls;
  readonly #subject: number;
  /** With the parallelism that the job was asked to run with. */
  #graph: JobGraph;
  readonly #counter: CheckpointIdCounter;
  readonly #onDeposed: () => void;
  readonly #onEnded: () => void;
  #attemptsMade = 0;
  #active = true;
  /** The job's end is being recorded: no failover can follow. */
  #ending = false;

  constructor(
    ports: EnginePorts,
    config: ClusterConfig,
    buildGraph: (parallelism: number | null) => JobGraph,
    fence: Fence,
    onDeposed: () => void,
    onEnded: () => void,
  ) {
    this.#ports = ports;
    this.#config = config;
    this.#buildGraph = buildGraph;
    this.#graph = buildGraph(null);
    this.fence = fence;
    this.#onDeposed = onDeposed;
    this.#onEnded = onEnded;
    this.#subject = ports.tracer.intern(ports.self);
    this.registry = new WorkerRegistry(ports, config, fence.epoch, {
      workerJoined: () => this.#deployIfPossible(),
      workerLost: (worker) => {
        const used = this.attempt?.slots.some((slot) => slot.worker === worker.address) ?? false;
        if (used) this.failAttempt(`${worker.address} was lost`);
      },
    });
    const isActive = (): boolean => this.#active;
    this.#calls = new JobCalls(ports, config, fence.epoch, this.registry, isActive);
    this.#calls.useGraph(this.#graph);
    this.#parallelism = new JobParallelism(ports, config.jobId, fence, isActive);
    const storeContext: CompletedStoreContext = {
      ports,
      subject: this.#subject,
      jobId: config.jobId,
      fence,
      retained: this.#graph.config.checkpoint?.retained ?? 1,
      isActive,
    };
    this.store = new CompletedStore(storeContext);
    this.#counter = new CheckpointIdCounter(storeContext);
  }

  /** Reads the job's status, the completed checkpoints and the id counter; then waits for workers. */
  recover(): void {
    this.#point(TRACE.leadershipGained, this.fence.epoch, 0);
    readJobEnd(this.#ports, this.#config.jobId, () => this.#active, (ended) => {
      if (ended !== null) {
        this.phase = ended;
        this.#onEnded();
        return;
      }
      this.store.recover(() => this.#counter.recover(() => this.#parallelism.recover(() => this.#recovered())));
    });
  }

  #recovered(): void {
    this.#useParallelism();
    this.phase = "waiting";
    this.#deployIfPossible();
  }

  depose(): void {
    if (!this.#active) return;
    this.#active = false;
    this.registry.close();
    this.coordinator?.abandon();
    this.#point(TRACE.leadershipLost, this.fence.epoch, 0);
  }

  /** Handles a message of a worker or a client; `respond` may be called later. */
  handle(message: ControlMessage, respond: (reply: ControlMessage) => void): void {
    if (message.kind === "rescale") this.#rescale(message, respond);
    else respond(this.#handleNow(message));
  }

  #handleNow(message: Exclude<ControlMessage, { readonly kind: "rescale" }>): ControlMessage {
    switch (message.kind) {
      case "register-worker":
        if (this.phase === "finished" || this.phase === "failed") return this.#calls.reply(message, "the job is over");
        this.registry.register(message.worker, message.incarnation, message.slots);
        return this.#calls.reply(message, null);
      case "task-state":
        if (message.epoch === this.fence.epoch) this.#taskState(message);
        return this.#calls.reply(message, null);
      case "acknowledge-checkpoint":
        if (message.epoch !== this.fence.epoch) return this.#calls.reply(message, "another leader's attempt");
        this.coordinator?.acknowledge(message.id, message.checkpointId, message.state, message.inputEnded);
        return this.#calls.reply(message, null);
      case "decline-checkpoint":
        if (message.epoch === this.fence.epoch) this.coordinator?.decline(message.id, message.checkpointId);
        return this.#calls.reply(message, null);
      case "heartbeat":
      case "deploy-task":
      case "start-attempt":
      case "cancel-attempt":
      case "trigger-checkpoint":
      case "notify-complete":
      case "notify-aborted":
      case "accepted":
      case "refused":
      case "open-channel":
        return this.#calls.reply(message, "not a message for a JobManager");
      default:
        return unreachable(message, "JobMaster.handle");
    }
  }

  /* ---- deploying ---- */

  #deployIfPossible(): void {
    if (this.phase !== "waiting") return;
    const slots = this.registry.allocate(mostSubtasks(this.#graph));
    if (slots === null) return;
    this.#attemptsMade += 1;
    invariant(this.#attemptsMade < ATTEMPTS_PER_EPOCH, "one leader makes a bounded number of attempts");
    this.#calls.useGraph(this.#graph);
    const attempt = new ExecutionAttempt(this.fence.epoch * ATTEMPTS_PER_EPOCH + this.#attemptsMade, this.#graph, slots);
    this.attempt = attempt;
    this.phase = "deploying";
    const latest = this.store.latest();
    this.#point(TRACE.jobDeploying, attempt.attempt, latest?.metadata.checkpointId ?? NO_CHECKPOINT);
    this.coordinator = this.#createCoordinator(attempt);
    for (const execution of attempt.executions) this.#deploy(attempt, execution, latest);
  }

  #deploy(attempt: ExecutionAttempt, execution: Execution, latest: CompletedCheckpoint | null): void {
    const { id, slot } = execution;
    const highestParallelism = Math.max(this.#parallelism.highest, attempt.slots.length);
    const message: ControlMessage = {
      kind: "deploy-task",
      subject: this.#calls.subjectOf(id),
      checkpointId: latest?.metadata.checkpointId ?? NO_CHECKPOINT,
      epoch: this.fence.epoch,
      descriptor: { id, parallelism: this.#parallelism.current, highestParallelism, slots: attempt.slots, restore: restoreRequest(latest) },
    };
    this.#calls.untilAnswered(slot, message, () => attempt.phase === "deploying", (reply) => {
      if (reply.kind === "refused") this.#failThis(attempt, `${slot.worker} refused a task: ${reply.reason}`);
    });
  }

  #taskState(message: Extract<ControlMessage, { readonly kind: "task-state" }>): void {
    const attempt = this.attempt;
    const execution = attempt?.find(message.id);
    if (attempt === null || execution === undefined || attempt.phase === "failing") return;
    switch (message.state) {
      case "failed":
        this.#failThis(attempt, message.reason);
        return;
      case "initialized":
        if (execution.state === "deploying") execution.state = "initialized";
        if (attempt.phase === "deploying" && attempt.all("initialized")) this.#startAttempt(attempt);
        return;
      case "finished":
        execution.state = "finished";
        if (attempt.all("finished")) this.#end("finished");
        return;
      default:
        unreachable(message.state, "JobMaster.taskState");
    }
  }

  #startAttempt(attempt: ExecutionAttempt): void {
    attempt.phase = "starting";
    const workers = attempt.workers();
    let started = 0;
    for (const slot of workers) {
      const message = this.#calls.order("start-attempt", attempt.attempt);
      this.#calls.untilAnswered(slot, message, () => attempt.phase === "starting", (reply) => {
        if (attempt.phase !== "starting") return;
        if (reply.kind === "refused") {
          this.#failThis(attempt, `${slot.worker} cannot start: ${reply.reason}`);
          return;
        }
        started += 1;
        if (started < workers.length) return;
        attempt.phase = "running";
        this.phase = "running";
        this.#point(TRACE.jobRunning, attempt.attempt, 0);
        this.coordinator?.start();
      });
    }
  }

  /* ---- rescaling ---- */

  /** Recorded first; then the job restarts with it. Asked again for what it has, it says yes. */
  #rescale(message: Extract<ControlMessage, { readonly kind: "rescale" }>, respond: (reply: ControlMessage) => void): void {
    const { parallelism } = message;
    if (this.#ending || this.phase === "recovering" || this.#parallelism.isChanging) {
      respond(this.#calls.reply(message, "not at this moment"));
      return;
    }
    if (this.#parallelism.current === parallelism) {
      respond(this.#calls.reply(message, null));
      return;
    }
    this.#parallelism.change(parallelism, mostSubtasks(this.#graph), (recorded) => {
      if (!recorded) {
        this.#onDeposed();
        return;
      }
      this.#point(TRACE.jobRescaled, parallelism, 0);
      this.#useParallelism();
      respond(this.#calls.reply(message, null));
      if (this.attempt !== null) this.#giveUp(this.attempt, () => this.#redeploy());
    });
  }

  /** An attempt under way keeps the graph it was deployed with. */
  #useParallelism(): void {
    this.#graph = this.#buildGraph(this.#parallelism.current);
  }

  #redeploy(): void {
    this.phase = "waiting";
    this.#deployIfPossible();
  }

  /* ---- failover ---- */

  failAttempt(reason: string): void {
    if (this.attempt !== null) this.#failThis(this.attempt, reason);
  }

  /**
   * The whole job fails over: pending checkpoints are given up (their tasks are dead from here on), every
   * task is cancelled, and only when that is certain, and a commit under way is decided, the next attempt
   * starts from the latest completed checkpoint.
   */
  #failThis(attempt: ExecutionAttempt, reason: string): void {
    if (attempt !== this.attempt || attempt.phase === "failing" || this.#ending) return;
    this.lastFailure = reason;
    this.#point(TRACE.jobFailing, attempt.attempt, 0);
    const failedAtUs = this.#ports.clock.nowUs();
    this.#giveUp(attempt, () => this.#restart(failedAtUs));
  }

  #giveUp(attempt: ExecutionAttempt, next: () => void): void {
    if (attempt.phase === "failing") return;
    attempt.phase = "failing";
    this.phase = "failing";
    this.coordinator?.stop("failover");
    this.#point(TRACE.attemptDead, attempt.attempt, 0);
    this.#cancelAttempt(attempt, () => {
      if (this.coordinator === null) next();
      else this.coordinator.whenQuiet(next);
    });
  }

  /** Why the last attempt failed, for people. */
  lastFailure: string | null = null;

  #cancelAttempt(attempt: ExecutionAttempt, done: () => void): void {
    const workers = attempt.workers();
    let waiting = workers.length;
    for (const slot of workers) {
      const message = this.#calls.order("cancel-attempt", attempt.attempt);
      this.#calls.untilAnswered(slot, message, () => true, () => {
        waiting -= 1;
        if (waiting === 0) done();
      });
    }
  }

  /** The delay counts from the failure: what it takes to cancel the attempt is a part of it. */
  #restart(failedAtUs: TimeUs): void {
    const { restart } = this.#graph.config;
    const allowed = restart.kind === "fixed-delay" && this.restarts < restart.attempts;
    if (!allowed) return this.#end("failed");
    this.restarts += 1;
    this.phase = "restarting";
    this.#point(TRACE.jobRestarting, this.restarts, 0);
    const dueInUs = failedAtUs + restart.delayMs * US_PER_MS - this.#ports.clock.nowUs();
    this.#ports.scheduler.after(Math.max(0, dueInUs), () => {
      if (this.#active) this.#redeploy();
    });
  }

  #end(status: JobEndStatus): void {
    if (this.#ending) return;
    this.#ending = true;
    this.coordinator?.stop("shutdown");
    recordJobEnd(this.#ports, this.#config.jobId, status, this.fence, () => this.#active, (recorded) => {
      if (!recorded) {
        this.#onDeposed();
        return;
      }
      this.phase = status;
      this.store.close();
      this.#point(status === "finished" ? TRACE.jobFinished : TRACE.jobFailed, this.fence.epoch, 0);
      this.registry.close();
      this.#onEnded();
    });
  }

  /* ---- the coordinator's side ---- */

  /** Null for a job without checkpoints: it starts from nothing after a failure. */
  #createCoordinator(attempt: ExecutionAttempt): CheckpointCoordinator | null {
    const { checkpoint, maxParallelism } = this.#graph.config;
    const { epoch } = this.fence;
    if (checkpoint === null) return null;
    return new CheckpointCoordinator({
      ports: this.#ports,
      subject: this.#subject,
      config: checkpoint,
      storagePrefix: this.#config.storagePrefix,
      attempt: attempt.attempt,
      maxParallelism,
      vertices: this.#graph.vertices,
      store: this.store,
      counter: this.#counter,
      triggerSource: (id, checkpointId) => {
        this.#calls.cast(this.#slotOf(attempt, id), { kind: "trigger-checkpoint", subject: this.#calls.subjectOf(id), checkpointId, epoch, id });
      },
      notifyComplete: (id, checkpointId, isFinal) => {
        const subject = this.#calls.subjectOf(id);
        const message: ControlMessage = { kind: "notify-complete", subject, checkpointId, epoch, id, isFinal };
        if (!isFinal) this.#calls.cast(this.#slotOf(attempt, id), message);
        else this.#calls.untilAnswered(this.#slotOf(attempt, id), message, () => attempt.phase === "running", () => undefined);
      },
      notifyAborted: (id, checkpointId) => {
        this.#calls.cast(this.#slotOf(attempt, id), { kind: "notify-aborted", subject: this.#calls.subjectOf(id), checkpointId, epoch, id });
      },
      failJob: (reason) => this.#failThis(attempt, reason),
      deposed: () => this.#onDeposed(),
    });
  }

  #slotOf(attempt: ExecutionAttempt, id: ExecutionId): SlotAssignment {
    return present(attempt.slots[id.subtask], "every subtask has a slot");
  }

  #point(kind: Parameters<EnginePorts["tracer"]["point"]>[0], x: number, y: number): void {
    this.#ports.tracer.point(kind, this.#subject, x, y);
  }
}

function mostSubtasks({ vertices }: JobGraph): number {
  return Math.max(...vertices.map(({ parallelism }) => parallelism));
}

function restoreRequest(latest: CompletedCheckpoint | null): RestoreRequest | null {
  if (latest === null) return null;
  const { checkpointId, vertices } = latest.metadata;
  return { checkpointId, vertices };
}
