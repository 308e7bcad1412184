import { invariant, present, unreachable } from "../base/assert.ts";
import { US_PER_MS } from "../base/units.ts";
import type { CheckpointId } from "../base/units.ts";
import type { Barrier, BarrierAlignment } from "../checkpoint/barrier-handler.ts";
import type { ChannelContents } from "../checkpoint/channel-state.ts";
import type { ChannelStateWriter } from "../checkpoint/channel-state-writer.ts";
import type { CheckpointMode } from "../graph/job-modes.ts";
import type { JobEdge } from "../graph/job-graph.ts";
import type { JobConfig } from "../graph/stream-graph.ts";
import type { EdgeWriter } from "../operators/operator-chain.ts";
import type { Connection, ConnectionHandlers } from "../ports/network.ts";
import type { Scheduler } from "../ports/scheduler.ts";
import type { ChannelEvent, StreamFrame } from "./buffer.ts";
import type { OutputChannel } from "./output-channel.ts";

export interface OutputTask {
  readonly config: JobConfig;
  readonly scheduler: Scheduler;
  connect(channel: OutputChannel, handlers: ConnectionHandlers<StreamFrame>): Connection<StreamFrame>;
  isRunning(): boolean;
  /** There may be room again. */
  wake(): void;
  connectionBroken(channel: OutputChannel): void;
}

/** What leaves a task: records over the channels of its edges, events and barriers over all of them. */
export class TaskOutput {
  readonly channels: readonly OutputChannel[];
  /** By edge id. */
  readonly #writers: ReadonlyMap<number, EdgeWriter>;
  readonly #task: OutputTask;
  readonly #runFlush: () => void = () => this.#flushNow();
  #flushScheduled = false;

  constructor(channels: readonly OutputChannel[], writers: ReadonlyMap<number, EdgeWriter>, task: OutputTask) {
    this.channels = channels;
    this.#writers = writers;
    this.#task = task;
  }

  writerOf(edge: JobEdge): EdgeWriter {
    return present(this.#writers.get(edge.id), "every output edge has a writer");
  }

  /** Before the task runs: what its channels had in flight in the checkpoint that it is restored from. */
  restore(contents: readonly ChannelContents[]): void {
    for (const { edge, toSubtask, buffers } of contents) {
      this.channels.find(({ name }) => name.edge === edge && name.toSubtask === toSubtask)?.restore(buffers);
    }
  }

  connect(): void {
    for (const channel of this.channels) channel.attach(this.#task.connect(channel, this.#handlers(channel)));
  }

  get hasRoom(): boolean {
    const { channels } = this;
    for (let i = 0; i < channels.length; i += 1) if (!(channels[i] as OutputChannel).hasRoom) return false;
    return true;
  }

  broadcast(event: ChannelEvent): void {
    for (const channel of this.channels) channel.sendEvent(event);
  }

  /** Sends a barrier over every channel, as the job's mode and the edge want it; `gathered` gets what it overtakes. */
  sendBarrier(barrier: Barrier, gathered: ChannelStateWriter): void {
    const mode = this.#task.config.checkpoint?.mode ?? "aligned";
    for (const channel of this.channels) {
      const alignment = channel.mayOvertake ? passageOf(barrier, mode) : "aligned";
      const sent = { ...barrier, alignment };
      if (alignment === "unaligned") channel.overtake(sent, gathered);
      else if (alignment === "timed") channel.sendTimed(sent, gathered);
      else channel.sendEvent({ kind: "barrier", ...sent });
    }
  }

  timeOutBarrier(checkpointId: CheckpointId): void {
    for (const channel of this.channels) channel.timeOut(checkpointId);
  }

  /** Nothing to do: what was collected leaves, now or at the buffer timeout. */
  idle(): void {
    const { bufferTimeoutMs } = this.#task.config;
    if (bufferTimeoutMs === 0) {
      this.#flushNow();
    } else if (!this.#flushScheduled && this.channels.some((channel) => channel.isCollecting)) {
      this.#flushScheduled = true;
      this.#task.scheduler.after(bufferTimeoutMs * US_PER_MS, this.#runFlush);
    }
  }

  close(): void {
    for (const channel of this.channels) channel.close();
  }

  #flushNow(): void {
    this.#flushScheduled = false;
    if (!this.#task.isRunning()) return;
    for (const channel of this.channels) channel.flush();
  }

  #handlers(channel: OutputChannel): ConnectionHandlers<StreamFrame> {
    return {
      onFrame: (frame) => {
        invariant(frame.kind === "credit", "only credit flows upstream");
        channel.addCredit(frame.buffers);
        this.#task.wake();
      },
      onBroken: () => this.#task.connectionBroken(channel),
    };
  }
}

/** How a barrier leaves over an edge on which it may overtake. */
function passageOf({ isSavepoint, alignment }: Barrier, mode: CheckpointMode): BarrierAlignment {
  if (isSavepoint) return "aligned";
  switch (mode) {
    case "aligned":
    case "at-least-once":
      return "aligned";
    case "unaligned":
      return "unaligned";
    case "aligned-timeout":
      return alignment === "unaligned" ? "unaligned" : "timed";
    default:
      return unreachable(mode, "passageOf");
  }
}
