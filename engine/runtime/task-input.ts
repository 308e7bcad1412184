import { invariant, unreachable } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import type { ChannelContents } from "../checkpoint/channel-state.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import type { Connection } from "../ports/network.ts";
import { TRACE } from "../ports/tracer.ts";
import { inputWatermarks, type InputWatermarks } from "../stream/input-watermarks.ts";
import type { ChannelEvent, StreamFrame } from "./buffer.ts";
import { InputBarriers, type BarrierTask } from "./input-barriers.ts";
import { InputChannel, type InputChannelPlace } from "./input-channel.ts";
import { InputGate } from "./input-gate.ts";
import type { TaskEnding } from "./task-ending.ts";
import type { WatermarkDelivery } from "./watermark-delivery.ts";

export interface InputTask extends BarrierTask {
  readonly chain: OperatorChain;
  readonly watermarks: WatermarkDelivery;
  readonly ending: TaskEnding;
  /** It had finished before its attempt began: it only waits for the tasks ahead of it to finish. */
  readonly isFinished: boolean;
}

/** What comes into a task over its channels: records for its operators, and what is between them. */
export class TaskInput {
  readonly gate: InputGate;
  readonly barriers: InputBarriers;
  readonly #task: InputTask;
  readonly #valve: InputWatermarks;

  constructor(places: readonly InputChannelPlace[], task: InputTask) {
    const persist: ConstructorParameters<typeof InputChannel>[1] = (...what) => this.barriers.persist(...what);
    this.#task = task;
    this.gate = new InputGate(places.map((place) => new InputChannel(place, persist)));
    this.barriers = new InputBarriers(this.gate, task);
    this.#valve = inputWatermarks(this.gate.inputs(), task.watermarks);
  }

  /** Before the task runs: what its channels had in flight in the checkpoint that it is restored from. */
  restore(contents: readonly ChannelContents[]): void {
    for (const { edge, fromSubtask, buffers } of contents) {
      this.gate.channels.find(({ name }) => name.edge === edge && name.fromSubtask === fromSubtask)?.restore(buffers);
    }
    this.gate.restored();
  }

  /** The channel that an upstream subtask asks for; null where there is none, or it is taken. */
  connect(edge: number, fromSubtask: number, connection: Connection<StreamFrame>): InputChannel | null {
    const channel = this.gate.channels.find((one) => one.edge === edge && one.fromSubtask === fromSubtask);
    if (channel === undefined || channel.connection !== null) return null;
    channel.connection = connection;
    return channel;
  }

  receive(channel: InputChannel, frame: StreamFrame): void {
    switch (frame.kind) {
      case "buffer":
        this.gate.receive(channel, frame);
        if (frame.event !== null && frame.event.kind === "barrier") this.barriers.announced(channel, frame.event);
        return;
      case "barrier":
        this.barriers.overtook(channel, frame.barrier);
        return;
      case "credit":
        invariant(false, "credit flows upstream only");
      default:
        unreachable(frame, "TaskInput.receive");
    }
  }

  /** Handles one buffer; returns how much work that was. */
  processNextBuffer(): number {
    const channel = this.gate.nextChannel();
    if (channel === null) return 0;
    const { ports, subject, chain } = this.#task;
    const kind = channel.holdsRestored ? TRACE.restoredBufferConsumed : TRACE.bufferConsumed;
    const buffer = channel.take();
    ports.tracer.point(kind, subject, channel.index, buffer.recordCount);
    const { values, timestamps } = buffer;
    if (channel.input === 0) for (let i = 0; i < values.length; i += 1) chain.processElement(values[i], timestamps[i] as TimestampMs);
    else for (let i = 0; i < values.length; i += 1) chain.processElement2(values[i], timestamps[i] as TimestampMs);
    if (buffer.event !== null) this.#handleEvent(channel, buffer.event);
    this.gate.requeue(channel);
    return values.length + 1;
  }

  close(): void {
    for (const channel of this.gate.channels) channel.connection?.close();
  }

  #handleEvent(channel: InputChannel, event: ChannelEvent): void {
    if (this.#task.isFinished && event.kind !== "end-of-partition") return;
    switch (event.kind) {
      case "barrier":
        this.barriers.barrier(channel, event);
        return;
      case "cancel-barrier":
        this.barriers.cancel(channel, event.checkpointId);
        return;
      case "watermark":
        this.#valve.inputWatermark(channel.index, event.watermarkMs);
        return;
      case "idle":
        this.#valve.inputIdle(channel.index, event.idle);
        return;
      case "end-of-input":
        channel.ended = true;
        if (this.gate.channels.every((one) => one.ended)) this.#task.watermarks.endInput();
        return;
      case "end-of-partition":
        this.barriers.handler.endOfPartition(channel.index);
        this.#task.ending.channelEnded(channel);
        return;
      default:
        unreachable(event, "TaskInput.handleEvent");
    }
  }
}
