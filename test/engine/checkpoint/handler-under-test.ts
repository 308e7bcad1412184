import { AlternatingBarrierHandler } from "#whitewater/engine/checkpoint/alternating-barrier-handler.js";
import type { Barrier, BarrierAlignment } from "#whitewater/engine/checkpoint/barrier-handler.js";

/** An alternating handler with what it asks of its task, in order, and a clock in milliseconds. */
export class AlternatingUnderTest {
  readonly said: string[] = [];
  readonly blocked: Set<number> = new Set();
  readonly timedOut: number[] = [];
  readonly handler: AlternatingBarrierHandler;
  /** Checkpoint whose timer runs, and when it is due. */
  timer: { readonly checkpointId: number; readonly dueMs: number } | null = null;
  nowMs = 0;
  /** Greatest checkpoint whose barrier some channel has seen ahead of the others: older ones can not begin. */
  newerSeen = -1;

  constructor(channelCount: number, timeoutMs: number) {
    this.handler = new AlternatingBarrierHandler(channelCount, timeoutMs * 1000, {
      blockChannel: (channel) => void this.blocked.add(channel),
      unblockChannel: (channel) => void this.blocked.delete(channel),
      unblockAll: () => this.blocked.clear(),
      triggerCheckpoint: ({ checkpointId, alignment }) => void this.said.push(`trigger ${checkpointId} ${alignment}`),
      abortCheckpoint: (id, reason) => void this.said.push(`abort ${id} ${reason === 1 ? "subsumed" : "cancelled"}`),
      startPersisting: (id) => {
        if (this.newerSeen > id) return false;
        this.said.push(`persist ${id}`);
        return true;
      },
      finishPersisting: (id) => void this.said.push(`finish ${id}`),
      stopPersisting: (id) => void this.said.push(`stop ${id}`),
      takeQueuedBarrier: (channel, id) => void this.said.push(`take ${id}@${channel}`),
      timedOut: (id) => void this.timedOut.push(id),
      startTimer: (delayUs, checkpointId) => {
        this.timer = { checkpointId, dueMs: this.nowMs + delayUs / 1000 };
      },
      stopTimer: () => {
        this.timer = null;
      },
      nowUs: () => this.nowMs * 1000,
    });
  }

  barrier(channel: number, checkpointId: number, alignment: BarrierAlignment = "unaligned", triggeredAtMs = 0): void {
    this.handler.barrier(channel, barrierOf(checkpointId, alignment, triggeredAtMs));
  }

  announced(channel: number, checkpointId: number, triggeredAtMs = 0): void {
    this.handler.announced(channel, barrierOf(checkpointId, "timed", triggeredAtMs));
  }

  /** Time passes; the timer fires where it is due. */
  passUntil(nowMs: number): void {
    this.nowMs = nowMs;
    const { timer } = this;
    if (timer === null || timer.dueMs > nowMs) return;
    this.timer = null;
    this.handler.timeOut(timer.checkpointId);
  }

  /** What was said since last asked. */
  news(): string[] {
    return this.said.splice(0);
  }
}

export function barrierOf(checkpointId: number, alignment: BarrierAlignment, triggeredAtMs = 0): Barrier {
  return { checkpointId, triggeredAtUs: triggeredAtMs * 1000, isSavepoint: false, alignment };
}
