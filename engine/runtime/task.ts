import { invariant, present, unreachable } from "../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import { AlignedBarrierHandler } from "../checkpoint/aligned-barrier-handler.ts";
import { FileSealer } from "../checkpoint/checksummed-file.ts";
import type { SourceOperator } from "../operators/operator.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import type { Connection, ConnectionHandlers } from "../ports/network.ts";
import { TRACE } from "../ports/tracer.ts";
import type { RestoreCost } from "../restore/restore-strategy.ts";
import { inputWatermarks, type InputWatermarks } from "../stream/input-watermarks.ts";
import type { ChannelEvent, StreamFrame } from "./buffer.ts";
import { InputGate, type InputChannel } from "./input-gate.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import { Mailbox } from "./mailbox.ts";
import type { OutputChannel } from "./output-channel.ts";
import { ProcessingTime } from "./processing-time.ts";
import { StateMaintenance } from "./state-maintenance.ts";
import { SourceLoop } from "./source-loop.ts";
import { TaskCheckpointing } from "./task-checkpointing.ts";
import { buildInputChannels, buildOutputs, buildTaskChain, type TaskEnvironment } from "./task-environment.ts";
import { restoreTask } from "./task-restore.ts";
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
  readonly gate: InputGate;
  readonly outputs: readonly OutputChannel[];
  readonly barriers: AlignedBarrierHandler | null;
  readonly checkpointing: TaskCheckpointing;
  readonly restoredFrom: CheckpointId | null;
  /** Of the restore that this attempt began with; null before it is done, and where it began with nothing. */
  restoreCost: RestoreCost | null = null;
  readonly mailbox: Mailbox = new Mailbox();
  state: TaskLifeState = "restoring";
  readonly watermarks: WatermarkDelivery;

  readonly #environment: TaskEnvironment;
  readonly #valve: InputWatermarks | null;
  readonly #source: SourceLoop | null;
  #stepScheduled = false;
  #inStep = false;
  #flushScheduled = false;
  readonly #processingTime: ProcessingTime;
  readonly #maintenance: StateMaintenance;
  readonly #isRunning = (): boolean => this.state === "running";
  readonly #runStep = (): void => this.#step();
  readonly #runFlush = (): void => this.#flushNow();

  constructor(environment: TaskEnvironment) {
    const { descriptor, ports } = environment;
    this.#environment = environment;
    this.id = descriptor.id;
    this.region = descriptor.region;
    this.name = `${environment.vertex.name}[${descriptor.id.subtask}]`;
    this.subject = ports.tracer.intern(this.name);
    this.restoredFrom = descriptor.restore === null ? null : descriptor.restore.checkpointId;
    const { channels, writers } = buildOutputs(environment);
    this.outputs = channels;
    this.chain = buildTaskChain(environment, writers, (reason) => this.fail(reason));
    this.gate = new InputGate(buildInputChannels(environment));
    const channelCount = this.gate.channels.length;
    this.barriers = channelCount === 0 ? null : new AlignedBarrierHandler(channelCount, this.#barrierActions());
    this.checkpointing = new TaskCheckpointing(this.#checkpointingTask(), this.restoredFrom);
    this.watermarks = new WatermarkDelivery({
      chain: this.chain,
      tracer: ports.tracer,
      subject: this.subject,
      broadcast: (event) => this.#broadcast(event),
      inputEnded: () => this.#inputEnded(),
    });
    this.#valve = channelCount === 0 ? null : inputWatermarks(this.gate.inputs(), this.watermarks);
    this.#processingTime = new ProcessingTime(this.chain, ports, (action) => this.#mail(action));
    this.#maintenance = new StateMaintenance(this.chain, ports.scheduler, this.#isRunning, (reason) => this.fail(reason));
    this.#source = this.chain.source === null ? null : this.#createSourceLoop(this.chain.source);
    ports.tracer.point(TRACE.taskDeployed, this.subject, this.id.attempt, 0);
  }

  /** Loads the state, opens the operators, settles what earlier attempts left with the outside world. */
  restore(): void {
    restoreTask(this.#environment, this.chain, this.subject, () => this.state === "restoring", (outcome) => {
      this.restoreCost = outcome.ok ? outcome.cost : null;
      if (outcome.ok) this.#open();
      else this.fail(`restore failed: ${outcome.reason}`);
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
    for (const channel of this.outputs) {
      channel.attach(this.#environment.connect(channel, this.#outputHandlers(channel)));
    }
    ports.tracer.point(TRACE.taskRunning, this.subject, this.id.attempt, 0);
    this.#source?.start();
    this.#wake();
  }

  /** An upstream subtask connects; null where this task does not know the channel (any more). */
  accept(edge: number, fromSubtask: number, connection: Connection<StreamFrame>): ConnectionHandlers<StreamFrame> | null {
    if (this.state !== "initialized" && this.state !== "running") return null;
    const channel = this.gate.channels.find((one) => one.edge === edge && one.fromSubtask === fromSubtask);
    if (channel === undefined || channel.connection !== null) return null;
    channel.connection = connection;
    return {
      onFrame: (frame) => {
        invariant(frame.kind === "buffer", "only buffers flow downstream");
        this.gate.receive(channel, frame);
        this.#wake();
      },
      onBroken: () => this.#connectionBroken(`the connection from ${channel.edge}:${channel.fromSubtask} broke`),
    };
  }

  triggerCheckpoint(checkpointId: CheckpointId): void {
    invariant(this.chain.source !== null, "checkpoints are triggered at sources");
    this.#mail(() => this.checkpointing.checkpoint(checkpointId));
  }

  notifyComplete(checkpointId: CheckpointId, isFinal: boolean): void {
    this.#mail(() => {
      if (!this.checkpointing.acceptsCompletion(checkpointId)) return;
      const { tracer } = this.#environment.ports;
      tracer.point(TRACE.checkpointNotified, this.subject, checkpointId, isFinal ? 1 : 0);
      this.chain.notifyComplete(checkpointId, (error) => {
        if (this.state !== "running") return;
        if (error !== null) this.fail(`committing checkpoint ${checkpointId} failed: ${error}`);
        else if (isFinal) this.#finish();
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

  fail(reason: string): void {
    if (this.state === "cancelled" || this.state === "failed" || this.state === "finished") return;
    this.#end("failed");
    this.#environment.ports.tracer.point(TRACE.taskFailed, this.subject, this.id.attempt, 0);
    this.#environment.report("failed", reason);
  }

  /** With checkpoints, the final one ends the task: what it wrote must be committed first. */
  #inputEnded(): void {
    if (this.#environment.config.checkpoint === null) this.#mail(() => this.#finish());
  }

  #finish(): void {
    this.checkpointing.finish();
    this.state = "finished";
    this.chain.close();
    this.#environment.ports.tracer.point(TRACE.taskFinished, this.subject, this.id.attempt, 0);
    this.#environment.report("finished", "");
  }

  #end(state: "failed" | "cancelled"): void {
    this.state = state;
    this.checkpointing.cancelAll();
    this.chain.dispose();
    for (const channel of this.outputs) channel.close();
    for (const channel of this.gate.channels) channel.connection?.close();
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
    this.#stepScheduled = this.#hasWork();
    if (this.#stepScheduled) this.#environment.ports.scheduler.resume(workUnits, this.#runStep);
    else this.#idle();
    this.#processingTime.arm();
    this.#maintenance.arm();
  }

  /** One unit of work; returns how many elements it handled. */
  #runOnce(): number {
    if (this.watermarks.isPending) return this.watermarks.proceed();
    if (this.mailbox.size > 0) {
      this.mailbox.runNext();
      return 1;
    }
    if (!this.#outputsHaveRoom()) return 0;
    return this.#source === null ? this.#processNextBuffer() : this.#source.emit();
  }

  #hasWork(): boolean {
    if (this.watermarks.isPending || this.mailbox.size > 0) return true;
    if (!this.#outputsHaveRoom()) return false;
    return this.#source === null ? this.gate.hasReady : this.#source.isReady;
  }

  #outputsHaveRoom(): boolean {
    const outputs = this.outputs;
    for (let i = 0; i < outputs.length; i += 1) if (!(outputs[i] as OutputChannel).hasRoom) return false;
    return true;
  }

  #processNextBuffer(): number {
    const channel = this.gate.nextChannel();
    if (channel === null) return 0;
    const buffer = channel.take();
    this.#environment.ports.tracer.point(TRACE.bufferConsumed, this.subject, channel.index, buffer.recordCount);
    const { chain } = this;
    const { values, timestamps } = buffer;
    if (channel.input === 0) for (let i = 0; i < values.length; i += 1) chain.processElement(values[i], timestamps[i] as TimestampMs);
    else for (let i = 0; i < values.length; i += 1) chain.processElement2(values[i], timestamps[i] as TimestampMs);
    if (buffer.event !== null) this.#handleEvent(channel, buffer.event);
    this.gate.requeue(channel);
    return values.length + 1;
  }

  #handleEvent(channel: InputChannel, event: ChannelEvent): void {
    const valve = present(this.#valve, "events come over input channels");
    const barriers = present(this.barriers, "events come over input channels");
    switch (event.kind) {
      case "barrier":
        this.#environment.ports.tracer.point(TRACE.barrierReceived, this.subject, event.checkpointId, channel.index);
        barriers.barrier(channel.index, event);
        return;
      case "cancel-barrier":
        barriers.cancel(channel.index, event.checkpointId);
        return;
      case "watermark":
        valve.inputWatermark(channel.index, event.watermarkMs);
        return;
      case "idle":
        valve.inputIdle(channel.index, event.idle);
        return;
      case "end-of-input":
        channel.ended = true;
        if (this.gate.channels.every((one) => one.ended)) this.watermarks.endInput();
        return;
      default:
        unreachable(event, "Task.handleEvent");
    }
  }

  #broadcast(event: ChannelEvent): void {
    for (const channel of this.outputs) channel.sendEvent(event);
  }

  /** Nothing to do: what was collected leaves, now or at the buffer timeout. */
  #idle(): void {
    const { bufferTimeoutMs } = this.#environment.config;
    if (bufferTimeoutMs === 0) {
      this.#flushNow();
    } else if (!this.#flushScheduled && this.outputs.some((channel) => channel.isCollecting)) {
      this.#flushScheduled = true;
      this.#environment.ports.scheduler.after(bufferTimeoutMs * US_PER_MS, this.#runFlush);
    }
  }

  #flushNow(): void {
    this.#flushScheduled = false;
    if (this.state !== "running") return;
    for (const channel of this.outputs) channel.flush();
  }

  #createSourceLoop(source: SourceOperator): SourceLoop {
    const { ports, config } = this.#environment;
    return new SourceLoop({
      source,
      watermarks: this.watermarks,
      scheduler: ports.scheduler,
      batchElements: config.bufferElements,
      watermarkIntervalMs: config.autoWatermarkIntervalMs,
      isRunning: this.#isRunning,
      broadcast: (event) => this.#broadcast(event),
      mail: (action) => this.#mail(action),
      wake: () => this.#wake(),
    });
  }

  #outputHandlers(channel: OutputChannel): ConnectionHandlers<StreamFrame> {
    return {
      onFrame: (frame) => {
        invariant(frame.kind === "credit", "only credit flows upstream");
        channel.addCredit(frame.buffers);
        this.#wake();
      },
      onBroken: () => this.#connectionBroken(`the connection to ${channel.edge}:${channel.toSubtask} broke`),
    };
  }

  #barrierActions(): ConstructorParameters<typeof AlignedBarrierHandler>[1] {
    return {
      blockChannel: (channel) => this.gate.block(channel),
      unblockChannel: (channel) => this.gate.unblock(channel),
      unblockAll: () => this.gate.unblockAll(),
      triggerCheckpoint: ({ checkpointId }) => {
        this.#environment.ports.tracer.point(TRACE.barriersAligned, this.subject, checkpointId, 0);
        this.checkpointing.checkpoint(checkpointId);
      },
      abortCheckpoint: (checkpointId, reason) => this.checkpointing.alignmentAborted(checkpointId, reason),
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
      broadcast: (event) => this.#broadcast(event),
      inputHasEnded: () => this.watermarks.inputEnded,
      acknowledge: (checkpointId, state, inputEnded) => environment.acknowledge(checkpointId, state, inputEnded),
      decline: (checkpointId, reason) => environment.decline(checkpointId, reason),
    };
  }
}

