import type { TimestampMs } from "../../engine/base/units.ts";

/** A timer of the reference: `seq` breaks ties by the order of registration. */
export interface ReferenceTimer<Target> {
  readonly timestampMs: TimestampMs;
  readonly seq: number;
  /** Equal for timers that are one and the same at one timestamp. */
  readonly identity: string;
  readonly target: Target;
}

/**
 * A set of timers over (timestamp, identity), earliest first. A binary heap; removal is remembered in
 * `#live` and happens when the timer comes to the top.
 */
export class ReferenceTimers<Target> {
  readonly #heap: ReferenceTimer<Target>[] = [];
  readonly #live: Map<string, number> = new Map();
  #nextSeq = 0;

  register(timestampMs: TimestampMs, identity: string, target: Target): void {
    const name = `${timestampMs}@${identity}`;
    if (this.#live.has(name)) return;
    const timer = { timestampMs, seq: this.#nextSeq++, identity, target };
    this.#live.set(name, timer.seq);
    this.#heap.push(timer);
    this.#siftUp(this.#heap.length - 1);
  }

  remove(timestampMs: TimestampMs, identity: string): void {
    this.#live.delete(`${timestampMs}@${identity}`);
  }

  /** Takes out the earliest timer with timestamp <= upToMs, or null. */
  poll(upToMs: TimestampMs): ReferenceTimer<Target> | null {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || top.timestampMs > upToMs) return null;
      this.#removeTop();
      const name = `${top.timestampMs}@${top.identity}`;
      if (this.#live.get(name) === top.seq) {
        this.#live.delete(name);
        return top;
      }
    }
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
