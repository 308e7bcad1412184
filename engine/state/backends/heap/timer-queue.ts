import { invariant } from "../../../base/assert.ts";
import type { TimerCell } from "./timer-cell.ts";

function isBefore(left: TimerCell, right: TimerCell): boolean {
  if (left.timestampMs !== right.timestampMs) return left.timestampMs < right.timestampMs;
  if (left.tie !== right.tie) return left.tie < right.tie;
  return left.sequence < right.sequence;
}

/** Binary heap of timers: by timestamp, then by what was drawn at registration. */
export class TimerQueue {
  private readonly heap: TimerCell[] = [];

  get size(): number {
    return this.heap.length;
  }

  /** The earliest, or null. */
  peek(): TimerCell | null {
    return this.heap.length === 0 ? null : this.heap[0]!;
  }

  add(timer: TimerCell): void {
    invariant(timer.queueIndex === -1, "a timer is queued once");
    this.heap.push(timer);
    this.siftUp(timer, this.heap.length - 1);
  }

  remove(timer: TimerCell): void {
    const index = timer.queueIndex;
    invariant(this.heap[index] === timer, "only a queued timer can be removed");
    timer.queueIndex = -1;
    const last = this.heap.pop()!;
    if (last === timer) return;
    const parent = (index - 1) >> 1;
    if (index > 0 && isBefore(last, this.heap[parent]!)) this.siftUp(last, index);
    else this.siftDown(last, index);
  }

  /** All of them, in no particular order. */
  all(): readonly TimerCell[] {
    return this.heap.slice();
  }

  private siftUp(timer: TimerCell, from: number): void {
    const heap = this.heap;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent]!;
      if (!isBefore(timer, above)) break;
      heap[index] = above;
      above.queueIndex = index;
      index = parent;
    }
    heap[index] = timer;
    timer.queueIndex = index;
  }

  private siftDown(timer: TimerCell, from: number): void {
    const heap = this.heap;
    const half = heap.length >> 1;
    let index = from;
    while (index < half) {
      let child = 2 * index + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      const below = heap[child]!;
      if (!isBefore(below, timer)) break;
      heap[index] = below;
      below.queueIndex = index;
      index = child;
    }
    heap[index] = timer;
    timer.queueIndex = index;
  }
}
