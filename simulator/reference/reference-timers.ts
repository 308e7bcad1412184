import type { TimestampMs } from "../../engine/base/units.ts";

/** A timer of the reference: `seq` breaks ties by the order of registration. */
export interface ReferenceTimer<Target> {
  readonly timestampMs: TimestampMs;
  readonly seq: number;
  /** The same for timers that are one and the same at one timestamp. */
  readonly identity: unknown;
  readonly target: Target;
}

/**
 * A set of timers over (timestamp, identity), earliest first. A binary heap; a timer that is
 * removed is only forgotten in `#live`, and leaves the heap when it comes to the top.
 */
export class ReferenceTimers<Target> {
  readonly #heap: ReferenceTimer<Target>[] = [];
  /** By timestamp, then identity: the seq of the timer that is registered. */
  readonly #live: Map<TimestampMs, Map<unknown, number>> = new Map();
  #nextSeq = 0;

  register(timestampMs: TimestampMs, identity: unknown, target: Target): void {
    let live = this.#live.get(timestampMs);
    if (live === undefined) {
      live = new Map();
      this.#live.set(timestampMs, live);
    }
    if (live.has(identity)) return;
    const timer = { timestampMs, seq: this.#nextSeq++, identity, target };
    live.set(identity, timer.seq);
    this.#heap.push(timer);
    this.#siftUp(this.#heap.length - 1);
  }

  remove(timestampMs: TimestampMs, identity: unknown): void {
    this.#forget(timestampMs, identity);
  }

  /** Takes out the earliest timer with timestamp <= upToMs, or null. */
  poll(upToMs: TimestampMs): ReferenceTimer<Target> | null {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || top.timestampMs > upToMs) return null;
      this.#removeTop();
      if (this.#live.get(top.timestampMs)?.get(top.identity) !== top.seq) continue;
      this.#forget(top.timestampMs, top.identity);
      return top;
    }
  }

  /** Those registered, in the order in which they are polled. */
  all(): readonly ReferenceTimer<Target>[] {
    const live = this.#heap.filter(({ timestampMs, identity, seq }) => this.#live.get(timestampMs)?.get(identity) === seq);
    return live.sort((left, right) => left.timestampMs - right.timestampMs || left.seq - right.seq);
  }

  #forget(timestampMs: TimestampMs, identity: unknown): void {
    const live = this.#live.get(timestampMs);
    live?.delete(identity);
    if (live?.size === 0) this.#live.delete(timestampMs);
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let at = 0;
    for (;;) {
      let least = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2; child++) if (this.#before(child, least)) least = child;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #siftUp(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #before(i: number, j: number): boolean {
    const left = this.#heap[i];
    const right = this.#heap[j];
    if (left === undefined || right === undefined) return false;
    return left.timestampMs < right.timestampMs || (left.timestampMs === right.timestampMs && left.seq < right.seq);
  }

  #swap(i: number, j: number): void {
    const left = this.#heap[i];
    const right = this.#heap[j];
    if (left === undefined || right === undefined) return;
    this.#heap[i] = right;
    this.#heap[j] = left;
  }
}
