import { invariant, unreachable } from "../base/assert.ts";
import { US_PER_MS } from "../base/units.ts";
import { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.ts";
import { CheckpointFailureManager } from "../checkpoint/checkpoint-failure-manager.ts";
import type { CompletedCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { CompletedStoreContext } from "../checkpoint/completed-store.ts";
import { retainsCheckpoints } from "../graph/checkpoint-retention.ts";
import { CheckpointIdCounter, CompletedStore } from "../checkpoint/completed-store.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import { failoverRegions } from "../graph/failover-regions.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import type { Fence } from "../ports/coordination.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import { TRACE } from "../ports/tracer.ts";
import { refuseSnapshot } from "../restore/refuse-snapshot.ts";
import { createRestartBackoff } from "../restore/restart/create-restart-backoff.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { ExecutionAttempt } from "./execution-attempt.ts";
import { checkpointCalls } from "./checkpoint-calls.ts";
import { ClientRequests, isClientMessage } from "./client-requests.ts";
import { Failover } from "./failover.ts";
import { JobCalls } from "./job-calls.ts";
import { JobParallelism } from "./job-parallelism.ts";
import type { JobMasterSnapshot } from "./job-master-snapshot.ts";
import type { JobEndStatus } from "./job-status.ts";
import { readJobEnd, recordJobEnd } from "./job-status.ts";
import { LeaderTerm } from "./leader-term.ts";
import type { ControlMessage, SlotAssignment } from "./messages.ts";
import { RegionDeployment } from "./region-deployment.ts";
import type { RegionPhase } from "./region-execution.ts";
import { RegionExecution } from "./region-execution.ts";
import { RestorePoint } from "./restore-point.ts";
import { SavepointRequests } from "./savepoint-requests.ts";
import { SlotTable } from "./slot-table.ts";
import type { EnginePorts } from "./task-manager.ts";
import { WorkerMessages } from "./worker-messages.ts";
import { WorkerRegistry } from "./worker-registry.ts";

export type JobPhase = "recovering" | RegionPhase | JobEndStatus;

const END_POINTS = { finished: TRACE.jobFinished, failed: TRACE.jobFailed, cancelled: TRACE.jobCancelled } as const;
/** Attempts of one leader; attempts of a later leader have greater numbers. */
const ATTEMPTS_PER_EPOCH = 4096;
/** A job whose regions differ is in the first of these phases that any of them is in. */
const PHASES: readonly RegionPhase[] = ["failing", "restarting", "waiting", "deploying", "starting"];

/**
 * One leader's term over a job: recovers what earlier leaders left, deploys attempts of its failover regions
 * (the whole job is one, unless it says otherwise) on the registered workers, runs the checkpoint coordinator,
 * and decides failover. After `depose` it does nothing any more, whatever replies still arrive.
 */
export class JobMaster {
  readonly fence: Fence;
  readonly registry: WorkerRegistry;
  readonly store: CompletedStore;
  regions: readonly RegionExecution[];
  coordinator: CheckpointCoordinator | null = null;
  readonly #term: LeaderTerm;
  readonly #buildGraph: (parallelism: number | null) => JobGraph;
  readonly #parallelism: JobParallelism;
  readonly #slots: SlotTable;
  readonly #restorePoint: RestorePoint;
  readonly #calls: JobCalls;
  readonly #deployment: RegionDeployment;
  readonly #failover: Failover;
  readonly #savepoints: SavepointRequests;
  readonly #requests: ClientRequests;
  readonly #workers: WorkerMessages;
  /** With the parallelism that the job was asked to run with. */
  #graph: JobGraph;
  /** What `regions` are regions of. */
  deployedGraph: JobGraph;
  readonly #counter: CheckpointIdCounter;
  readonly #failures: CheckpointFailureManager;
  readonly #onDeposed: () => void;
  readonly #onEnded: () => void;
  #stage: "recovering" | "active" | JobEndStatus = "recovering";
  #attemptsMade = 0;
  /** Some regions wait for slots while others go on. */
  #slotTimer: TimerHandle | null = null;
  /** Why the job cannot start from what it is to start from, or null. */
  #refusal: string | null = null;
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
    const term = new LeaderTerm(ports, config, fence);
    const isActive = (): boolean => term.isActive;
    this.#term = term;
    this.fence = fence;
    this.#buildGraph = buildGraph;
    this.#graph = buildGraph(null);
    this.deployedGraph = this.#graph;
    this.regions = regionsOf(this.#graph);
    this.#onDeposed = onDeposed;
    this.#onEnded = onEnded;
    this.registry = new WorkerRegistry(ports, config, fence.epoch, {
      workerJoined: () => this.#deployIfPossible(),
      workerLost: ({ address }) => {
        for (const region of this.regions) if (region.needs(address)) this.#fail([region], `${address} was lost`);
      },
    });
    const { retained = 1, tolerableFailures = 0 } = this.#graph.config.checkpoint ?? {};
    const storeContext: CompletedStoreContext = { ports, subject: term.subject, jobId: config.jobId, fence, retained, restoreFrom: config.restoreFrom, isActive };
    this.store = new CompletedStore(storeContext);
    this.#counter = new CheckpointIdCounter(storeContext);
    this.#failures = new CheckpointFailureManager(tolerableFailures);
    this.#restorePoint = new RestorePoint(term, this.store, this.#graph);
    this.#parallelism = new JobParallelism(ports, config, fence, isActive);
    this.#slots = new SlotTable(this.registry, this.#graph.config.restore);
    this.#calls = new JobCalls(term, this.registry);
    this.#deployment = new RegionDeployment(term, this.#calls, this.#parallelism, {
      failed: (region, reason) => this.#fail([region], reason),
      running: () => {
        if (this.regions.every(({ phase }) => phase === "running")) this.coordinator?.start();
      },
    });
    this.#workers = new WorkerMessages(term, this.#calls, this.registry, {
      isOver: () => this.#stage !== "recovering" && this.#stage !== "active",
      coordinator: () => this.coordinator,
      taskState: (message) => this.#taskState(message),
    });
    this.#savepoints = new SavepointRequests(term, () => this.coordinator);
    this.#requests = new ClientRequests(this.#calls, this.#savepoints, {
      coordinator: () => this.coordinator,
      rescale: (message, respond) => this.#rescale(message, respond),
      cancel: () => this.#cancelJob(),
    });
    this.#failover = new Failover(term, createRestartBackoff(this.#graph.config.restart, ports), this.#deployment, {
      regions: () => this.regions,
      stopCheckpoints: (quiet) => this.#stopCheckpoints(quiet),
      restart: () => this.#deployIfPossible(),
      giveUp: (status) => this.#end(status),
    });
  }

  get phase(): JobPhase {
    if (this.#stage !== "active") return this.#stage;
    return PHASES.find((wanted) => this.regions.some(({ phase }) => phase === wanted)) ?? "running";
  }

  /** Why something failed last, or why the recovery does not come to an end, for people. */
  get lastFailure(): string | null {
    return this.#refusal ?? this.store.unreadable ?? this.#failover.lastFailure;
  }

  /** For inspection. */
  inspect(): JobMasterSnapshot {
    const { restarts, backoff } = this.#failover;
    return { restarts, backoff, nextCheckpointId: this.#counter.next, parallelism: this.#parallelism.current };
  }

  /** Reads the job's status, the completed checkpoints and the id counter; then waits for workers. */
  recover(): void {
    const { ports, config } = this.#term;
    this.#term.point(TRACE.leadershipGained, this.fence.epoch, 0);
    readJobEnd(ports, config, () => this.#term.isActive, (ended) => {
      if (ended !== null) {
        this.#stage = ended.status;
        // The leader that recorded it may not have come further.
        if (ended.leavesCheckpoints) this.#onEnded();
        else this.store.recover(() => this.store.removeAll(() => this.#onEnded()));
        return;
      }
      this.store.recover(() => this.#counter.recover(() => this.#parallelism.recover(this.store.latest(), () => this.#recovered())));
    });
  }

  #recovered(): void {
    this.#useParallelism();
    this.#stage = "active";
    const { restoreFrom } = this.#term.config;
    const latest = this.store.latest();
    if (latest !== null) this.#failures.succeeded(latest.metadata.checkpointId);
    const refusal = restoreFrom === null || latest === null ? null : refuseSnapshot(latest.metadata, this.#graph, restoreFrom.allowNonRestoredState);
    if (refusal === null) {
      this.#deployIfPossible();
      return;
    }
    this.#refusal = refusal;
    this.#end("failed");
  }

  depose(): void {
    if (!this.#term.isActive) return;
    this.#term.isActive = false;
    this.registry.close();
    this.coordinator?.abandon();
    this.#term.point(TRACE.leadershipLost, this.fence.epoch, 0);
  }

  /** Handles a message of a worker or a client; `respond` may be called later. */
  handle(message: ControlMessage, respond: (reply: ControlMessage) => void): void {
    if (isClientMessage(message)) this.#requests.handle(message, respond);
    else respond(this.#workers.handle(message));
  }

  #taskState(message: Extract<ControlMessage, { readonly kind: "task-state" }>): void {
    const region = this.#regionOf(message.id);
    const execution = region?.find(message.id);
    // Of an attempt that is over.
    if (region === undefined || execution === undefined) return;
    switch (message.state) {
      case "failed":
        this.#fail([region], message.reason);
        return;
      case "checkpoint-lost":
        // From an older checkpoint all start together: what others have finished since is not part of it.
        this.#fail(this.#graph.config.allowOlderCheckpoint ? this.regions : [region], message.reason, this.#restorePoint.lost(message.checkpointId));
        return;
      case "initialized":
        this.#deployment.initialized(region, execution);
        return;
      case "finished":
        execution.state = "finished";
        this.coordinator?.taskFinished(message.id);
        if (this.regions.every(({ isFinished }) => isFinished)) this.#end("finished");
        return;
      default:
        unreachable(message.state, "JobMaster.taskState");
    }
  }

  /* ---- deploying ---- */

  #deployIfPossible(): void {
    if (this.#stage !== "active" || this.#ending || this.#failover.hasGivenUp) return;
    if (this.regions.every(({ phase }) => phase === "waiting")) this.#adoptGraph();
    const waiting = this.regions.filter(({ phase }) => phase === "waiting");
    if (waiting.length === 0) return;
    const slots = this.#slots.assign(waiting.map(({ region }) => region), waiting.length === this.regions.length);
    if (slots === null) {
      this.#escalateLater();
      return;
    }
    if (this.#slotTimer !== null) this.#term.ports.scheduler.cancel(this.#slotTimer);
    this.#slotTimer = null;
    const latest = this.#restorePoint.current();
    for (const region of waiting) region.deployed(this.#newAttempt(region, slots));
    const coordinator = this.#createCoordinator(latest);
    this.coordinator = coordinator;
    for (const region of waiting) this.#deployment.deploy(region, latest, (id) => coordinator?.hasFinished(id) ?? false);
  }

  /** Attempts under way keep the graph that they were deployed with. */
  #adoptGraph(): void {
    if (this.deployedGraph !== this.#graph) this.regions = regionsOf(this.#graph);
    this.deployedGraph = this.#graph;
    this.#calls.useGraph(this.#graph);
  }

  #newAttempt({ region }: RegionExecution, slots: readonly SlotAssignment[]): ExecutionAttempt {
    this.#attemptsMade += 1;
    invariant(this.#attemptsMade < ATTEMPTS_PER_EPOCH, "one leader makes a bounded number of attempts");
    return new ExecutionAttempt(this.fence.epoch * ATTEMPTS_PER_EPOCH + this.#attemptsMade, region, slots);
  }

  /** No checkpoint completes without the waiting regions: the others do not go on without them for ever. */
  #escalateLater(): void {
    if (this.#slotTimer !== null || !this.regions.some(({ lives }) => lives)) return;
    const { ports, config } = this.#term;
    this.#slotTimer = ports.scheduler.after(config.heartbeatTimeoutMs * US_PER_MS, () => {
      this.#slotTimer = null;
      if (this.#term.isActive) this.#fail(this.regions, "there are no slots for a failed region");
    });
  }

  /* ---- rescaling ---- */

  /** Recorded first; then the job restarts with it. Asked again for what it has, it says yes. */
  #rescale(message: Extract<ControlMessage, { readonly kind: "rescale" }>, respond: (reply: ControlMessage) => void): void {
    const { parallelism } = message;
    if (this.#graph.config.failover === "region") {
      respond(this.#calls.reply(message, "one region cannot change its parallelism alone"));
      return;
    }
    if (this.#ending || this.#stage === "recovering" || this.#parallelism.isChanging) {
      respond(this.#calls.reply(message, "not at this moment"));
      return;
    }
    if (this.#parallelism.current === parallelism) {
      respond(this.#calls.reply(message, null));
      return;
    }
    const running = Math.max(...this.#graph.vertices.map((vertex) => vertex.parallelism));
    this.#parallelism.change(parallelism, running, (recorded) => {
      if (!recorded) {
        this.#onDeposed();
        return;
      }
      this.#term.point(TRACE.jobRescaled, parallelism, 0);
      this.#useParallelism();
      respond(this.#calls.reply(message, null));
      if (!this.#ending) this.#failover.redeploy();
      this.#deployIfPossible();
    });
  }

  #useParallelism(): void {
    this.#graph = this.#buildGraph(this.#parallelism.current);
  }

  /* ---- failover ---- */

  /** `forGood`: why no restart can help, or null. */
  #fail(failed: readonly RegionExecution[], reason: string, forGood: string | null = null): void {
    if (!this.#ending) this.#failover.fail(failed, reason, forGood);
  }

  /** Takes everything down, then says so; null, also where it is being done already. */
  #cancelJob(): string | null {
    if (this.#stage !== "active") return "the job is not running";
    if (!this.#ending) this.#failover.cancel();
    return null;
  }

  #end(status: JobEndStatus): void {
    if (this.#ending) return;
    this.#ending = true;
    this.coordinator?.stop("shutdown");
    const savepoint = status === "finished" ? (this.coordinator?.stoppedWith ?? null) : null;
    const { ports, config } = this.#term;
    // What the job could not start from was never its own.
    const leavesCheckpoints = this.#refusal !== null || retainsCheckpoints(this.#graph.config.checkpoint?.retention ?? "always", status);
    const end = { status, savepoint, reason: status === "failed" ? this.lastFailure : null, leavesCheckpoints };
    recordJobEnd(ports, config, end, this.fence, () => this.#term.isActive, (recorded) => {
      if (!recorded) {
        this.#onDeposed();
        return;
      }
      this.#stage = status;
      this.#term.point(END_POINTS[status], this.fence.epoch, 0);
      this.registry.close();
      // The lease goes last: nothing can be removed without it.
      if (leavesCheckpoints) this.#onEnded();
      else this.store.removeAll(() => this.#onEnded());
      this.store.close();
    });
  }

  /* ---- the coordinator's side ---- */

  #stopCheckpoints(quiet: () => void): void {
    const { coordinator } = this;
    coordinator?.stop("failover");
    if (coordinator === null) quiet();
    else coordinator.whenQuiet(quiet);
  }

  /**
   * For the attempts that are deployed now; it begins to trigger when all of them run. Null for a job without
   * checkpoints: it starts from nothing after a failure.
   */
  #createCoordinator(latest: CompletedCheckpoint | null): CheckpointCoordinator | null {
    const { ports, config, subject } = this.#term;
    const { vertices, config: jobConfig } = this.deployedGraph;
    if (jobConfig.checkpoint === null) return null;
    return new CheckpointCoordinator({
      ports,
      subject,
      config: jobConfig.checkpoint,
      storagePrefix: config.storagePrefix,
      executions: this.#executions(),
      hasFinished: (id) => this.#regionOf(id)?.find(id)?.state === "finished",
      latest,
      maxParallelism: jobConfig.maxParallelism,
      vertices,
      store: this.store,
      counter: this.#counter,
      failures: this.#failures,
      recordSavepoint: (...savepoint) => this.#savepoints.record(...savepoint),
      ...checkpointCalls(this.#calls, this.fence.epoch, (id) => this.#regionOf(id)?.find(id)?.slot ?? null),
      failJob: (reason) => this.#fail(this.regions, reason),
      deposed: () => this.#onDeposed(),
    });
  }

  /** Of every subtask the latest, in order of vertex and subtask. */
  #executions(): readonly ExecutionId[] {
    const all = this.regions.flatMap(({ attempt }) => attempt?.executions.map(({ id }) => id) ?? []);
    return all.sort((left, right) => left.vertex - right.vertex || left.subtask - right.subtask);
  }

  #regionOf(id: ExecutionId): RegionExecution | undefined {
    return this.regions.find(({ attempt }) => attempt?.find(id) !== undefined);
  }
}

function regionsOf(graph: JobGraph): readonly RegionExecution[] {
  return failoverRegions(graph, graph.config.failover).all.map((region) => new RegionExecution(region));
}
