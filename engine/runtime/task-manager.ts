import { invariant, present, unreachable } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import { buildJobGraph } from "../graph/build-job-graph.ts";
import type { Connection, ConnectionHandlers, RpcReply } from "../ports/network.ts";
import type { NetworkedPorts } from "../ports/process-ports.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import { restoreStrategyOf } from "../restore/strategy-of.ts";
import type { StreamFrame } from "./buffer.ts";
import type { ClusterConfig, JobFactory } from "./cluster-config.ts";
import { HostState } from "./host-state.ts";
import { leaderKey, parseLeader } from "./leader-election.ts";
import type { ControlMessage, TaskDescriptor, TaskState } from "./messages.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { OutputChannel } from "./output-channel.ts";
import { Task } from "./task.ts";
import { StateStorageError } from "../state/state-errors.ts";
import { StateDirectories } from "./state-directories.ts";
import { openWorkingDirectory } from "./working-directory.ts";

export type EnginePorts = NetworkedPorts<ControlMessage, StreamFrame>;

/**
 * A worker process: finds the leading JobManager, registers its slots, runs the tasks that it is told to
 * run, and stops them when it has not heard from the leader for too long (so that a worker which the
 * JobManager gave up does not go on for ever).
 */
export class TaskManager {
  readonly ports: EnginePorts;
  readonly config: ClusterConfig;
  readonly tasks: Task[] = [];
  /** Highest leader epoch seen; what comes from a lower one is refused. */
  epoch = 0;
  leader: string | null = null;
  registered = false;
  readonly #buildGraph: JobFactory;
  readonly #subject: number;
  /** From `start` on: what the checkpoints of the tasks left on this host. */
  hostState!: HostState;
  /** From `start` on. */
  #stateDirectories!: StateDirectories;
  /** By region: what is older is refused. */
  readonly #highestAttempts = new Map<number, number>();
  /** Asked to take us, no answer yet. */
  #registeringWith: { readonly address: string; readonly epoch: number } | null = null;
  #heartbeatTimer: TimerHandle | null = null;

  constructor(ports: EnginePorts, config: ClusterConfig, buildGraph: JobFactory) {
    this.ports = ports;
    this.config = config;
    this.#buildGraph = buildGraph;
    this.#subject = ports.tracer.intern(ports.self);
  }

  start(): void {
    const { path } = openWorkingDirectory(this.ports);
    this.#stateDirectories = new StateDirectories(this.ports.disk, path);
    this.hostState = new HostState(this.ports, path, this.config.storagePrefix);
    this.ports.network.serve((from, message, respond) => respond(this.#handle(from, message)));
    this.ports.network.listen((_from, hello, connection) => this.#accept(hello, connection));
    this.#findLeader();
  }

  /* ---- finding and keeping the leader ---- */

  #findLeader(): void {
    this.ports.coordination.read(leaderKey(this.config.jobId), (reply) => {
      const leader = reply.ok ? parseLeader(reply.value.value) : null;
      if (leader === null || leader.epoch < this.epoch) {
        this.#findLeaderLater();
        return;
      }
      this.#register(leader.address, leader.epoch);
    });
  }

  #findLeaderLater(): void {
    this.ports.scheduler.after(this.config.registrationRetryMs * US_PER_MS, () => this.#findLeader());
  }

  #register(address: string, epoch: number): void {
    const message: ControlMessage = {
      kind: "register-worker",
      subject: this.#subject,
      checkpointId: NO_CHECKPOINT,
      epoch,
      worker: this.ports.self,
      incarnation: this.ports.incarnation,
      slots: this.config.slotsPerWorker,
      held: this.hostState.allocations(),
    };
    this.#registeringWith = { address, epoch };
    this.ports.network.call(address, message, this.config.rpcTimeoutMs * US_PER_MS, (reply) => {
      if (this.#registeringWith === null) return;
      this.#registeringWith = null;
      const isAccepted = reply.ok && reply.message.kind === "accepted" && reply.message.epoch >= this.epoch;
      if (isAccepted) this.#registered(address, reply.message.epoch);
      else this.#findLeaderLater();
    });
  }

  #registered(address: string, epoch: number): void {
    this.#registeringWith = null;
    this.#adoptEpoch(epoch);
    this.leader = address;
    this.registered = true;
    this.#expectHeartbeat();
  }

  /** Orders of the leader may overtake its answer to our registration: they say the same. */
  #noticeRegistration(from: string, message: ControlMessage): void {
    const asked = this.#registeringWith;
    if (asked === null || asked.address !== from || message.epoch < asked.epoch) return;
    if (message.kind === "deploy-task" || message.kind === "heartbeat") this.#registered(from, message.epoch);
  }

  /** A later leader: whatever an earlier one deployed must stop. */
  #adoptEpoch(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.epoch = epoch;
    this.#cancelTasks(() => true);
  }

  #expectHeartbeat(): void {
    if (this.#heartbeatTimer !== null) this.ports.scheduler.cancel(this.#heartbeatTimer);
    this.#heartbeatTimer = this.ports.scheduler.after(this.config.heartbeatTimeoutMs * US_PER_MS, () => {
      this.#heartbeatTimer = null;
      this.registered = false;
      this.leader = null;
      this.#cancelTasks(() => true);
      this.#findLeader();
    });
  }

  /* ---- control messages ---- */

  #handle(from: string, message: ControlMessage): ControlMessage {
    this.#noticeRegistration(from, message);
    if (message.epoch < this.epoch) return this.#refuse(message, "a later leader is known");
    switch (message.kind) {
      case "heartbeat":
        if (message.incarnation !== this.ports.incarnation || !this.registered || message.epoch !== this.epoch) {
          return this.#refuse(message, "not registered");
        }
        this.#expectHeartbeat();
        return this.#acceptedReply(message);
      case "deploy-task":
        return this.#deploy(message.descriptor, message);
      case "start-attempt":
        if (!this.tasks.some((task) => task.id.attempt === message.attempt)) return this.#refuse(message, "unknown attempt");
        for (const task of this.#tasksOf(message.attempt)) task.start();
        return this.#acceptedReply(message);
      case "cancel-attempt":
        this.#raise(message.region, message.attempt + 1);
        this.#cancelTasks((task) => task.region === message.region && task.id.attempt <= message.attempt);
        return this.#acceptedReply(message);
      case "trigger-checkpoint":
        this.#triggerCheckpoint(message);
        return this.#acceptedReply(message);
      case "notify-complete":
        this.#taskOf(message.id)?.notifyComplete(message.checkpointId, message.isFinal);
        // Until now, what was restored might have been restored again: also from copies of slots that moved away.
        this.hostState.keepAllocations(this.tasks.map(({ id }) => id.subtask));
        return this.#acceptedReply(message);
      case "notify-aborted":
        this.#taskOf(message.id)?.notifyAborted(message.checkpointId);
        return this.#acceptedReply(message);
      case "register-worker":
      case "rescale":
      case "trigger-savepoint":
      case "abort-checkpoints":
      case "cancel-job":
      case "savepoint-taken":
      case "task-state":
      case "acknowledge-checkpoint":
      case "decline-checkpoint":
      case "accepted":
      case "refused":
      case "open-channel":
        return this.#refuse(message, "not a message for a worker");
      default:
        return unreachable(message, "TaskManager.handle");
    }
  }

  /** Refused by a task that is not running, so that nobody waits for it (FLINK-23741). */
  #triggerCheckpoint(message: Extract<ControlMessage, { readonly kind: "trigger-checkpoint" }>): void {
    const { id, checkpointId, epoch, subject } = message;
    const task = this.#taskOf(id);
    if (task !== undefined && task.state === "running") {
      task.triggerCheckpoint(checkpointId, message.triggeredAtUs, message.isSavepoint, message.stop);
      return;
    }
    const reason = task === undefined ? "unknown task" : `it is ${task.state}`;
    this.#castToLeader({ kind: "decline-checkpoint", subject, checkpointId, epoch, id, cause: "task-not-running", reason });
  }

  #deploy(descriptor: TaskDescriptor, message: ControlMessage): ControlMessage {
    if (!this.registered || message.epoch !== this.epoch) return this.#refuse(message, "not registered");
    const { id, region } = descriptor;
    if (id.attempt < (this.#highestAttempts.get(region) ?? 0)) return this.#refuse(message, "an attempt already cancelled");
    if (this.#taskOf(id) !== undefined) return this.#acceptedReply(message);
    this.#raise(region, id.attempt);
    this.#forgetTasksBefore(region, id.attempt);
    try {
      const task = this.#createTask(descriptor);
      this.tasks.push(task);
      task.restore();
    } catch (error) {
      if (!(error instanceof StateStorageError)) throw error;
      const subject = this.ports.tracer.intern(this.ports.self);
      this.#report(id, message.epoch, subject, "failed", `the local disk failed: ${error.message}`);
    }
    return this.#acceptedReply(message);
  }

  /** The job function is called anew: what a user keeps in a closure is lost with the attempt. */
  #createTask(descriptor: TaskDescriptor): Task {
    const graph = buildJobGraph(this.#buildGraph(descriptor.id, descriptor.parallelism));
    const vertex = present(graph.vertices[descriptor.id.vertex], "the deployed vertex is part of the job");
    const subject = this.ports.tracer.intern(`${vertex.name}[${descriptor.id.subtask}]`);
    const { epoch } = this;
    return new Task({
      ports: this.ports,
      graph,
      vertex,
      config: graph.config,
      descriptor,
      restoreStrategy: restoreStrategyOf(graph.config.restore),
      localState: this.hostState.localStateOf(graph.config.restore, descriptor.id, descriptor.restore?.checkpointId ?? null, subject),
      sharedFiles: this.hostState.sharedFilesOf(graph.config.restore, descriptor.id, subject),
      stateBackend: graph.config.stateBackend ?? { name: this.config.stateBackend },
      libraries: this.config.libraries,
      stateDirectory: () => this.#stateDirectories.of(descriptor.id.attempt, (attempt) => this.#tasksOf(attempt).length > 0),
      storagePrefix: this.config.storagePrefix,
      connect: (channel, handlers) => this.#connect(descriptor, channel, vertex.outputs, handlers, subject),
      report: (state, reason) => this.#report(descriptor.id, epoch, subject, state, reason, descriptor.restore?.checkpointId),
      acknowledge: (checkpointId, state, inputEnded) =>
        this.#acknowledge(descriptor.id, epoch, subject, checkpointId, state, inputEnded),
      decline: (checkpointId, cause, reason) =>
        this.#castToLeader({ kind: "decline-checkpoint", subject, checkpointId, epoch, id: descriptor.id, cause, reason }),
    });
  }

  #connect(
    descriptor: TaskDescriptor,
    channel: OutputChannel,
    outputs: readonly { readonly id: number; readonly to: number }[],
    handlers: ConnectionHandlers<StreamFrame>,
    subject: number,
  ): Connection<StreamFrame> {
    const slot = present(descriptor.slots[channel.toSubtask], "every subtask has a slot");
    const edge = present(outputs.find((one) => one.id === channel.edge), "a channel belongs to an output edge");
    const hello: ControlMessage = {
      kind: "open-channel",
      subject,
      checkpointId: NO_CHECKPOINT,
      epoch: this.epoch,
      attempt: descriptor.id.attempt,
      edge: channel.edge,
      fromSubtask: descriptor.id.subtask,
      toVertex: edge.to,
      toSubtask: channel.toSubtask,
    };
    return this.ports.network.connect(slot.worker, hello, handlers);
  }

  #accept(hello: ControlMessage, connection: Connection<StreamFrame>): ConnectionHandlers<StreamFrame> | null {
    if (hello.kind !== "open-channel" || hello.epoch !== this.epoch) return null;
    const { attempt, toVertex, toSubtask } = hello;
    const task = this.#taskOf({ attempt, vertex: toVertex, subtask: toSubtask });
    return task === undefined ? null : task.accept(hello.edge, hello.fromSubtask, connection);
  }

  /* ---- reports to the leader ---- */

  /** Repeats until the leader answers or there is nobody left to report to. */
  #report(id: ExecutionId, epoch: number, subject: number, state: TaskState, reason: string, restored?: CheckpointId): void {
    const checkpointId = state === "checkpoint-lost" ? (restored ?? NO_CHECKPOINT) : NO_CHECKPOINT;
    const message: ControlMessage = { kind: "task-state", subject, checkpointId, epoch, id, state, reason };
    this.#callUntilAnswered(epoch, message);
  }

  #acknowledge(
    id: ExecutionId,
    epoch: number,
    subject: number,
    checkpointId: CheckpointId,
    state: SubtaskState | null,
    inputEnded: boolean,
  ): void {
    const message: ControlMessage = { kind: "acknowledge-checkpoint", subject, checkpointId, epoch, id, state, inputEnded };
    this.#callUntilAnswered(epoch, message);
  }

  #callUntilAnswered(epoch: number, message: ControlMessage): void {
    if (epoch !== this.epoch || this.leader === null) return;
    this.ports.network.call(this.leader, message, this.config.rpcTimeoutMs * US_PER_MS, (reply: RpcReply<ControlMessage>) => {
      if (reply.ok) return;
      this.ports.scheduler.after(this.config.registrationRetryMs * US_PER_MS, () => this.#callUntilAnswered(epoch, message));
    });
  }

  #castToLeader(message: ControlMessage): void {
    if (this.leader !== null && message.epoch === this.epoch) this.ports.network.cast(this.leader, message);
  }

  /* ---- tasks ---- */

  #taskOf({ attempt, vertex, subtask }: ExecutionId): Task | undefined {
    for (const task of this.tasks) {
      const { id } = task;
      if (id.subtask === subtask && id.vertex === vertex && id.attempt === attempt) return task;
    }
    return undefined;
  }

  #tasksOf(attempt: number): Task[] {
    return this.tasks.filter((task) => task.id.attempt === attempt);
  }

  #cancelTasks(which: (task: Task) => boolean): void {
    for (const task of this.tasks) if (which(task)) task.cancel();
  }

  #raise(region: number, attempt: number): void {
    this.#highestAttempts.set(region, Math.max(this.#highestAttempts.get(region) ?? 0, attempt));
  }

  #forgetTasksBefore(region: number, attempt: number): void {
    const isEarlier = (task: Task): boolean => task.region === region && task.id.attempt < attempt;
    const kept = this.tasks.filter((task) => !isEarlier(task));
    this.#cancelTasks(isEarlier);
    this.tasks.length = 0;
    this.tasks.push(...kept);
    invariant(this.tasks.length <= this.config.tasksPerWorkerLimit, "a worker runs a bounded number of tasks");
  }

  /* ---- messages ---- */

  #acceptedReply(message: ControlMessage): ControlMessage {
    return { kind: "accepted", subject: message.subject, checkpointId: message.checkpointId, epoch: this.epoch };
  }

  #refuse(message: ControlMessage, reason: string): ControlMessage {
    return { kind: "refused", subject: message.subject, checkpointId: message.checkpointId, epoch: this.epoch, reason };
  }
}
