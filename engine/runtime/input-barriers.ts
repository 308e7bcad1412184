import { unreachable } from "../base/assert.ts";
import { Fifo } from "../base/fifo.ts";
import { US_PER_MS } from "../base/units.ts";
import type { CheckpointId } from "../base/units.ts";
import { AlignedBarrierHandler } from "../checkpoint/aligned-barrier-handler.ts";
import { AlternatingBarrierHandler } from "../checkpoint/alternating-barrier-handler.ts";
import type { AlignmentAbort, Barrier, BarrierActions, BarrierHandler, OvertakingActions } from "../checkpoint/barrier-handler.ts";
import { BarrierTracker } from "../checkpoint/barrier-tracker.ts";
import { ChannelStateWriter } from "../checkpoint/channel-state-writer.ts";
import type { CheckpointConfig } from "../graph/stream-graph.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { TimerHandle } from "../ports/scheduler.ts";
import { TRACE } from "../ports/tracer.ts";
import type { Buffer } from "./buffer.ts";
import { inFlightOf } from "./buffer.ts";
import type { InputChannel } from "./input-channel.ts";
import type { InputGate } from "./input-gate.ts";

/** What the barriers of a task's inputs ask of the task. */
export interface BarrierTask {
  readonly ports: ProcessPorts;
  readonly subject: number;
  readonly checkpointConfig: CheckpointConfig | null;
  /** Takes the snapshot; `inputs` gathers what is in flight, null where nothing is. False where it is not wanted. */
  checkpoint(barrier: Barrier, inputs: ChannelStateWriter | null): boolean;
  alignmentAborted(checkpointId: CheckpointId, reason: AlignmentAbort): void;
  /** There is something urgent to do. */
  wake(): void;
}

/**
 * The barriers that come over a task's input channels: hands them to the handler of the job's mode, does what it
 * asks, and gathers what is in flight for it.
 *
 * Barriers that overtake, announcements and timeouts are urgent: they come before mails and before input, but not
 * into the middle of a step, nor of a watermark.
 */
export class InputBarriers {
  readonly handler: BarrierHandler;
  readonly #task: BarrierTask;
  readonly #gate: InputGate;
  readonly #urgent: Fifo<() => void> = new Fifo();
  /** Of the checkpoint whose in-flight data is being gathered. */
  #writer: ChannelStateWriter | null = null;
  #timer: TimerHandle | null = null;

  constructor(gate: InputGate, task: BarrierTask) {
    this.#task = task;
    this.#gate = gate;
    this.handler = this.#createHandler();
  }

  get hasUrgent(): boolean {
    return this.#urgent.size > 0;
  }

  runUrgent(): void {
    this.#urgent.shift()?.();
  }

  /** It arrived ahead of what waits in its channel. */
  overtook(channel: InputChannel, barrier: Barrier): void {
    channel.barrierArrived(barrier);
    this.#urgent.push(() => this.barrier(channel, barrier));
  }

  /** It arrived, and waits in its channel. */
  announced(channel: InputChannel, barrier: Barrier): void {
    if (barrier.alignment === "timed") this.#urgent.push(() => this.handler.announced(channel.index, barrier));
  }

  /** Its turn came. */
  barrier(channel: InputChannel, barrier: Barrier): void {
    this.#task.ports.tracer.point(TRACE.barrierReceived, this.#task.subject, barrier.checkpointId, channel.index);
    this.handler.barrier(channel.index, barrier);
  }

  cancel(channel: InputChannel, checkpointId: CheckpointId): void {
    this.handler.cancel(channel.index, checkpointId);
  }

  /** A channel has something that belongs to an unaligned checkpoint. */
  persist(channel: InputChannel, checkpointId: CheckpointId, buffer: Buffer): void {
    const writer = this.#writer;
    if (writer === null || writer.checkpointId !== checkpointId) return;
    const inFlight = inFlightOf(buffer);
    if (inFlight !== null) writer.addInput(channel.name, inFlight);
  }

  /** The checkpoint was given up: what was gathered for it is not wanted. */
  forget(checkpointId: CheckpointId): void {
    if (this.#writer?.checkpointId === checkpointId) this.#writer = null;
  }

  #createHandler(): BarrierHandler {
    const channelCount = this.#gate.channels.length;
    const config = this.#task.checkpointConfig;
    const mode = config?.mode ?? "aligned";
    switch (mode) {
      case "aligned":
        return new AlignedBarrierHandler(channelCount, this.#actions());
      case "at-least-once":
        return new BarrierTracker(channelCount, this.#actions());
      case "unaligned":
      case "aligned-timeout": {
        const timeoutUs = (config?.alignedTimeoutMs ?? 0) * US_PER_MS;
        const handler = new AlternatingBarrierHandler(channelCount, timeoutUs, this.#overtakingActions((id) => handler.timeOut(id)));
        return handler;
      }
      default:
        return unreachable(mode, "InputBarriers.createHandler");
    }
  }

  #actions(): BarrierActions {
    const { ports, subject } = this.#task;
    return {
      blockChannel: (channel) => this.#gate.block(channel),
      unblockChannel: (channel) => this.#gate.unblock(channel),
      unblockAll: () => this.#gate.unblockAll(),
      triggerCheckpoint: (barrier) => {
        const { checkpointId, alignment } = barrier;
        if (alignment === "aligned") ports.tracer.point(TRACE.barriersAligned, subject, checkpointId, 0);
        const writer = this.#writer?.checkpointId === checkpointId ? this.#writer : null;
        if (!this.#task.checkpoint(barrier, writer)) this.forget(checkpointId);
      },
      abortCheckpoint: (checkpointId, reason) => {
        this.forget(checkpointId);
        this.#task.alignmentAborted(checkpointId, reason);
      },
    };
  }

  #overtakingActions(timeOut: (checkpointId: CheckpointId) => void): OvertakingActions {
    const { ports, subject } = this.#task;
    const { channels } = this.#gate;
    return {
      ...this.#actions(),
      startPersisting: (checkpointId) => {
        this.#writer = new ChannelStateWriter(checkpointId, true);
        return channels.every((channel) => channel.startPersisting(checkpointId));
      },
      finishPersisting: (checkpointId) => {
        const writer = this.#writer;
        this.forget(checkpointId);
        if (writer?.checkpointId === checkpointId) writer.finishInputs();
      },
      stopPersisting: (checkpointId) => {
        for (const channel of channels) channel.stopPersisting(checkpointId);
      },
      takeQueuedBarrier: (channel, checkpointId) => channels[channel]?.takeQueuedBarrier(checkpointId),
      timedOut: (checkpointId) => ports.tracer.point(TRACE.alignmentTimedOut, subject, checkpointId, 0),
      startTimer: (delayUs, checkpointId) => {
        this.#timer = ports.scheduler.after(delayUs, () => {
          this.#timer = null;
          this.#urgent.push(() => timeOut(checkpointId));
          this.#task.wake();
        });
      },
      stopTimer: () => {
        if (this.#timer !== null) ports.scheduler.cancel(this.#timer);
        this.#timer = null;
      },
      nowUs: () => ports.clock.nowUs(),
    };
  }
}
