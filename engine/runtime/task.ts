import { present } from "../base/assert.ts";
import type { CheckpointId, TimeUs } from "../base/units.ts";
import { MAX_WATERMARK, NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import type { Barrier } from "../checkpoint/barrier-handler.ts";
import type { ChannelStateWriter } from "../checkpoint/channel-state-writer.ts";
import type { StopMode } from "../checkpoint/checkpoint-properties.ts";
import { FileSealer } from "../checkpoint/checksummed-file.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import type { SourceOperator } from "../operators/operator.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import type { Connection, ConnectionHandlers } from "../ports/network.ts";
import { TRACE } from "../ports/tracer.ts";
import type { RestoreCost } from "../restore/restore-strategy.ts";
import type { StreamFrame } from "./buffer.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import { Mailbox } from "./mailbox.ts";
import { ProcessingTime } from "./processing-time.ts";
import { StateMaintenance } from "./state-maintenance.ts";
import { SourceLoop } from "./source-loop.ts";
import { TaskCheckpointing } from "./task-checkpointing.ts";
import { buildTaskChain, buildTaskOutput, inputChannelPlaces, type TaskEnvironment } from "./task-environment.ts";
import { TaskEnding } from "./task-ending.ts";
import { restoreTask } from "./task-restore.ts";
import { TaskInput, type InputTask } from "./task-input.ts";
import type { OutputTask, TaskOutput } from "./task-output.ts";
import { userErrorText } from "./user-error.ts";
import { WatermarkDelivery } from "./watermark-delivery.ts";

export type TaskLifeState = "restoring" | "initialized" | "running" | "finished" | "failed" | "cancelled";

/**
 * One attempt of one subtask of a chain: a mailbox on its process's thread.
 *
 * A step handles one mail, one buffer, one batch of source records or one slice of a watermark's timers, to
 * its end, and is never re-entered. Mails come first, then input; neither while a watermark is half
 * delivered. The task takes input only while every output has room.
 */
export class Task {
  readonly id: ExecutionId;
  readonly region: number;
  readonly name: string;
  readonly subject: number;
  readonly chain: OperatorChain;
  /** Null in sources. */
  readonly input: TaskInput | null;
  readonly output: TaskOutput;
  readonly checkpointing: TaskCheckpointing;
  readonly restoredFrom: CheckpointId | null;
  /** Of the restore that this attempt began with; null before it is done, and where it began with nothing. */
  restoreCost: RestoreCost | null = null;
  readonly mailbox: Mailbox = new Mailbox();
  state: TaskLifeState = "restoring";
  readonly watermarks: WatermarkDelivery;

  readonly #environment: TaskEnvironment;
  readonly #source: SourceLoop | null;
  #stepScheduled = false;
  #inStep = false;
  readonly #ending: TaskEnding;
  /** Savepoints that wait for the end of the input. */
  readonly #behindTheEnd: Barrier[] = [];
  /** The job stops with a savepoint that this task has taken its part in: nothing comes from here any more. */
  #suspended = false;
  readonly #processingTime: ProcessingTime;
  readonly #maintenance: StateMaintenance;
  readonly #isRunning = (): boolean => this.state === "running";
  readonly #isProducing = (): boolean => this.state === "running" && !this.#suspended;
  readonly #runStep = (): void => this.#step();

  constructor(environment: TaskEnvironment) {
    const { descriptor, ports } = environment;
    this.#environment = environment;
    this.id = descriptor.id;
    this.region = descriptor.region;
    this.name = `${environment.vertex.name}[${descriptor.id.subtask}]`;
    this.subject = ports.tracer.intern(this.name);
    this.restoredFrom = descriptor.restore === null ? null : descriptor.restore.checkpointId;
    this.output = buildTaskOutput(environment, this.#outputTask());
    this.chain = buildTaskChain(environment, this.output, (reason) => this.fail(reason));
    this.checkpointing = new TaskCheckpointing(this.#checkpointingTask(), this.restoredFrom);
    this.watermarks = new WatermarkDelivery({
      chain: this.chain,
      tracer: ports.tracer,
      subject: this.subject,
      broadcast: (event) => this.output.broadcast(event),
      inputEnded: () => this.#inputEnded(),
    });
    this.#ending = new TaskEnding({
      channels: () => this.input?.gate.channels ?? [],
      checkpoint: (barrier) => this.#checkpoint(barrier, null),
      finish: () => this.#finish(),
    });
    const places = inputChannelPlaces(environment);
    this.input = places.length === 0 ? null : new TaskInput(places, this.#inputTask());
    this.#processingTime = new ProcessingTime(this.chain, ports, (action) => this.#mail(() => this.#isProducing() && action()));
    this.#maintenance = new StateMaintenance(this.chain, ports.scheduler, this.#isRunning, (reason) => this.fail(reason));
    this.#source = this.chain.source === null ? null : this.#createSourceLoop(this.chain.source);
    ports.tracer.point(TRACE.taskDeployed, this.subject, this.id.attempt, 0);
  }

  /** For inspection: the job as it was deployed. */
  get graph(): JobGraph {
    return this.#environment.graph;
  }

  /** Loads the state, opens the operators, settles what earlier attempts left with the outside world. */
  restore(): void {
    if (this.#environment.descriptor.isFinished) {
      this.state = "initialized";
      this.#environment.report("initialized", "");
      return;
    }
    restoreTask(this.#environment, this.chain, this, this.subject, () => this.state === "restoring", (outcome) => {
      this.restoreCost = outcome.ok ? outcome.cost : null;
      if (outcome.ok) this.#open();
      else this.fail(`restore failed: ${outcome.reason}`, outcome.isLost ? "checkpoint-lost" : "failed");
    });
  }

  #open(): void {
    this.#guard(() => {
      for (const { keyed } of this.chain.operators) if (keyed !== null) this.watermarks.restore(keyed.watermarkMs);
      this.chain.open();
      this.chain.restoreExternal((error) => {
        if (this.state !== "restoring") return;
        if (error !== null) {
          this.fail(`restoring external effects failed: ${error}`);
          return;
        }
        const { tracer } = this.#environment.ports;
        tracer.point(TRACE.taskRestored, this.subject, this.id.attempt, this.restoredFrom ?? NO_CHECKPOINT);
        this.state = "initialized";
        this.#environment.report("initialized", "");
      });
    });
  }

  /** Every task of the attempt is initialized: connect downstream and go. */
  start(): void {
    if (this.state !== "initialized") return;
    const { ports } = this.#environment;
    this.state = "running";
    this.output.connect();
    ports.tracer.point(TRACE.taskRunning, this.subject, this.id.attempt, 0);
    if (this.#environment.descriptor.isFinished) {
      this.#ending.release();
      return;
    }
    this.#source?.start();
    this.#wake();
  }

  /** An upstream subtask connects; null where this task does not know the channel (any more). */
  accept(edge: number, fromSubtask: number, connection: Connection<StreamFrame>): ConnectionHandlers<StreamFrame> | null {
    if (this.state !== "initialized" && this.state !== "running") return null;
    const { input } = this;
    const channel = input?.connect(edge, fromSubtask, connection) ?? null;
    if (input === null || channel === null) return null;
    return {
      onFrame: (frame) => {
        input.receive(channel, frame);
        this.#wake();
      },
      onBroken: () => channel.finished || this.#connectionBroken(`the connection from ${channel.edge}:${channel.fromSubtask} broke`),
    };
  }

  triggerCheckpoint(checkpointId: CheckpointId, triggeredAtUs: TimeUs, isSavepoint: boolean, stop: StopMode | null): void {
    const plain: Barrier = { checkpointId, triggeredAtUs, isSavepoint, alignment: "aligned" };
    const barrier = stop === "suspend" ? { ...plain, suspends: true as const } : plain;
    this.#mail(() => {
      if (stop === "drain" && this.#source !== null && !this.watermarks.inputEnded) this.#drain(this.#source, barrier);
      else this.#ending.trigger(barrier);
    });
  }

  /** The savepoint comes behind the end of the input, and all that this brings about. */
  #drain(source: SourceLoop, barrier: Barrier): void {
    this.#behindTheEnd.push(barrier);
    source.drain();
  }

  notifyComplete(checkpointId: CheckpointId, isFinal: boolean): void {
    this.#mail(() => {
      if (!this.checkpointing.acceptsCompletion(checkpointId)) return;
      const { tracer } = this.#environment.ports;
      tracer.point(TRACE.checkpointNotified, this.subject, checkpointId, isFinal ? 1 : 0);
      this.chain.notifyComplete(checkpointId, (error) => {
        if (this.state !== "running") return;
        if (error !== null) this.fail(`committing checkpoint ${checkpointId} failed: ${error}`);
        else if (isFinal) this.#ending.release();
      });
    });
  }

  notifyAborted(checkpointId: CheckpointId): void {
    this.#mail(() => {
      this.#environment.ports.tracer.point(TRACE.abortNotified, this.subject, checkpointId, 0);
      this.checkpointing.abort(checkpointId);
      this.chain.notifyAborted(checkpointId);
    });
  }

  cancel(): void {
    if (this.state === "cancelled" || this.state === "failed") return;
    this.#end("cancelled");
    this.#environment.ports.tracer.point(TRACE.taskCancelled, this.subject, this.id.attempt, 0);
  }

  fail(reason: string, state: "failed" | "checkpoint-lost" = "failed"): void {
    if (this.state === "cancelled" || this.state === "failed" || this.state === "finished") return;
    this.#end("failed");
    this.#environment.ports.tracer.point(TRACE.taskFailed, this.subject, this.id.attempt, 0);
    this.#environment.report(state, reason);
  }

  /** With checkpoints, the final one ends the task: what it wrote must be committed first. */
  #inputEnded(): void {
    for (const barrier of this.#behindTheEnd.splice(0)) this.#mail(() => this.#ending.trigger(barrier));
    if (this.#environment.config.checkpoint === null) this.#mail(() => this.#ending.release());
  }

  #checkpoint(barrier: Barrier, inputs: ChannelStateWriter | null): boolean {
    const isTaken = this.checkpointing.checkpoint(barrier, inputs);
    if (isTaken && barrier.suspends === true) this.#suspended = true;
    return isTaken;
  }

  #finish(): void {
    this.checkpointing.finish();
    this.state = "finished";
    if (this.#environment.descriptor.isFinished) this.#tellTheEnd();
    else this.chain.close();
    this.output.broadcast({ kind: "end-of-partition" });
    this.#environment.ports.tracer.point(TRACE.taskFinished, this.subject, this.id.attempt, 0);
    this.#environment.report("finished", "");
  }

  /** As it did when it finished, in an attempt before this one. */
  #tellTheEnd(): void {
    this.chain.dispose();
    this.output.broadcast({ kind: "watermark", watermarkMs: MAX_WATERMARK });
    this.output.broadcast({ kind: "end-of-input" });
  }

  #end(state: "failed" | "cancelled"): void {
    this.state = state;
    this.checkpointing.cancelAll();
    this.chain.dispose();
    this.output.close();
    this.input?.close();
  }

  #connectionBroken(reason: string): void {
    if (this.state === "running" || this.state === "initialized") this.fail(reason);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(userErrorText(error));
    }
  }

  #mail(action: () => void): void {
    if (this.state !== "running") return;
    this.mailbox.add(action);
    this.#wake();
  }

  /** Something to do: at once where the thread is free, else when it is. */
  #wake(): void {
    if (this.#stepScheduled || this.#inStep || this.state !== "running") return;
    this.#step();
  }

  #step(): void {
    this.#stepScheduled = false;
    if (this.state !== "running") return;
    let workUnits = 0;
    this.#inStep = true;
    try {
      workUnits = this.#runOnce();
    } catch (error) {
      this.fail(userErrorText(error));
    }
    this.#inStep = false;
    if (this.state !== "running") return;
    const { scheduler } = this.#environment.ports;
    this.#stepScheduled = this.#hasWork() || (scheduler.isPaced && workUnits > 0);
    if (this.#stepScheduled) scheduler.resume(workUnits, this.#runStep);
    else this.output.idle();
    if (this.#environment.descriptor.isFinished) return;
    this.#processingTime.arm();
    this.#maintenance.arm();
  }

  /** One unit of work; returns how many elements it handled. */
  #runOnce(): number {
    if (this.watermarks.isPending) return this.watermarks.proceed();
    const { input } = this;
    if (input !== null && input.barriers.hasUrgent) {
      input.barriers.runUrgent();
      return 1;
    }
    if (this.mailbox.size > 0) {
      this.mailbox.runNext();
      return 1;
    }
    if (!this.output.hasRoom || (input === null && this.#suspended)) return 0;
    return input === null ? present(this.#source, "a task without inputs is a source").emit() : input.processNextBuffer();
  }

  #hasWork(): boolean {
    const { input } = this;
    if (this.watermarks.isPending || this.mailbox.size > 0 || input?.barriers.hasUrgent === true) return true;
    if (!this.output.hasRoom) return false;
    return input === null ? this.#source?.isReady === true && !this.#suspended : input.gate.hasReady;
  }

  #createSourceLoop(source: SourceOperator): SourceLoop {
    const { ports, config } = this.#environment;
    return new SourceLoop({
      source,
      watermarks: this.watermarks,
      scheduler: ports.scheduler,
      batchElements: config.bufferElements,
      watermarkIntervalMs: config.autoWatermarkIntervalMs,
      isRunning: this.#isProducing,
      broadcast: (event) => this.output.broadcast(event),
      mail: (action) => this.#mail(action),
      wake: () => this.#wake(),
    });
  }

  #outputTask(): OutputTask {
    const environment = this.#environment;
    return {
      config: environment.config,
      scheduler: environment.ports.scheduler,
      connect: (channel, handlers) => environment.connect(channel, handlers),
      isRunning: this.#isRunning,
      wake: () => this.#wake(),
      connectionBroken: (channel) => this.#connectionBroken(`the connection to ${channel.edge}:${channel.toSubtask} broke`),
    };
  }

  #inputTask(): InputTask {
    const { ports, config, descriptor } = this.#environment;
    return {
      ports,
      subject: this.subject,
      checkpointConfig: config.checkpoint,
      chain: this.chain,
      watermarks: this.watermarks,
      ending: this.#ending,
      isFinished: descriptor.isFinished,
      checkpoint: (barrier, inputs) => this.#checkpoint(barrier, inputs),
      alignmentAborted: (checkpointId, reason) => this.checkpointing.alignmentAborted(checkpointId, reason),
      wake: () => this.#wake(),
    };
  }

  #checkpointingTask(): ConstructorParameters<typeof TaskCheckpointing>[0] {
    const environment = this.#environment;
    return {
      owner: {
        ports: environment.ports,
        subject: this.subject,
        attempt: this.id.attempt,
        vertex: this.id.vertex,
        subtask: this.id.subtask,
        storagePrefix: environment.storagePrefix,
        sealer: new FileSealer(),
        localState: environment.localState,
        sharedFiles: environment.sharedFiles,
      },
      chain: this.chain,
      alignedTimeoutUs: (environment.config.checkpoint?.alignedTimeoutMs ?? 0) * US_PER_MS,
      broadcast: (event) => this.output.broadcast(event),
      sendBarrier: (barrier, gathered) => this.output.sendBarrier(barrier, gathered),
      timeOutBarrier: (checkpointId) => this.output.timeOutBarrier(checkpointId),
      forgetInFlight: (checkpointId) => this.input?.barriers.forget(checkpointId),
      inputHasEnded: () => this.watermarks.inputEnded,
      acknowledge: (checkpointId, state, inputEnded) => environment.acknowledge(checkpointId, state, inputEnded),
      decline: (checkpointId, cause, reason) => environment.decline(checkpointId, cause, reason),
    };
  }
}

