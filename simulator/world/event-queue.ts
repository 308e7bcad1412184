import { invariant } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { SimProcess } from "./kernel.ts";

const SLOTS = 1 << 20;

/**
 * Events in the order (time, tie, sequence). A binary heap over numbered slots: times, ties and sequence
 * numbers are plain number arrays, so that an event costs no object of its own.
 */
export class EventQueue {
  readonly #heap: number[] = [];
  readonly #times: number[] = [];
  readonly #ties: number[] = [];
  readonly #sequences: number[] = [];
  readonly #processes: (SimProcess | null)[] = [];
  readonly #callbacks: ((() => void) | null)[] = [];
  /** Asked for through a process's Scheduler port (its running is a trace point of its own). */
  readonly #isTimer: boolean[] = [];
  readonly #free: number[] = [];
  #sequence = 0;
  #takenSequence = 0;
  #takenTie = 0;
  /** Of the event last taken. */
  timeUs: TimeUs = 0;
  process: SimProcess | null = null;
  isTimer = false;

  /** Events waiting, cancelled ones included. */
  get size(): number {
    return this.#heap.length;
  }

  /** Returns a handle for `cancel`. */
  push(timeUs: TimeUs, tie: number, process: SimProcess | null, callback: () => void, isTimer: boolean): number {
    const slot = this.#free.pop() ?? this.#times.length;
    invariant(slot < SLOTS, "the event queue is bounded");
    this.#sequence += 1;
    this.#times[slot] = timeUs;
    this.#ties[slot] = tie;
    this.#sequences[slot] = this.#sequence;
    this.#processes[slot] = process;
    this.#callbacks[slot] = callback;
    this.#isTimer[slot] = isTimer;
    this.#heap.push(slot);
    this.#siftUp(this.#heap.length - 1);
    return this.#sequence * SLOTS + slot;
  }

  /** Forgets an event that was not taken yet; a handle of a taken one is ignored. */
  cancel(handle: number): void {
    const slot = handle % SLOTS;
    if (this.#sequences[slot] !== (handle - slot) / SLOTS) return;
    this.#callbacks[slot] = null;
    this.#processes[slot] = null;
  }

  /** Takes the next event that was not cancelled; sets `timeUs` and `process`. Null when there is none. */
  take(): (() => void) | null {
    while (this.#heap.length > 0) {
      const slot = this.#heap[0] as number;
      const last = this.#heap.pop() as number;
      if (this.#heap.length > 0) {
        this.#heap[0] = last;
        this.#siftDown();
      }
      const callback = this.#callbacks[slot] as (() => void) | null;
      this.timeUs = this.#times[slot] as number;
      this.process = this.#processes[slot] as SimProcess | null;
      this.isTimer = this.#isTimer[slot] as boolean;
      this.#takenSequence = this.#sequences[slot] as number;
      this.#takenTie = this.#ties[slot] as number;
      this.#callbacks[slot] = null;
      this.#processes[slot] = null;
      this.#sequences[slot] = 0;
      this.#free.push(slot);
      if (callback !== null) return callback;
    }
    return null;
  }

  /** Puts the event just taken back, for later; its handle stays good. Nothing was pushed in between. */
  postponeTaken(timeUs: TimeUs, callback: () => void): void {
    const slot = this.#free.pop();
    invariant(slot !== undefined, "an event was just taken");
    this.#times[slot] = timeUs;
    this.#ties[slot] = this.#takenTie;
    this.#sequences[slot] = this.#takenSequence;
    this.#processes[slot] = this.process;
    this.#callbacks[slot] = callback;
    this.#isTimer[slot] = this.isTimer;
    this.#heap.push(slot);
    this.#siftUp(this.#heap.length - 1);
  }

  /** Time of the next event, or null; drops cancelled ones on the way. */
  peekTimeUs(): TimeUs | null {
    while (this.#heap.length > 0) {
      const slot = this.#heap[0] as number;
      if (this.#callbacks[slot] !== null) return this.#times[slot] as number;
      const last = this.#heap.pop() as number;
      if (this.#heap.length > 0) {
        this.#heap[0] = last;
        this.#siftDown();
      }
      this.#sequences[slot] = 0;
      this.#free.push(slot);
    }
    return null;
  }

  #before(left: number, right: number): boolean {
    const leftTime = this.#times[left] as number;
    const rightTime = this.#times[right] as number;
    if (leftTime !== rightTime) return leftTime < rightTime;
    const leftTie = this.#ties[left] as number;
    const rightTie = this.#ties[right] as number;
    if (leftTie !== rightTie) return leftTie < rightTie;
    return (this.#sequences[left] as number) < (this.#sequences[right] as number);
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    let index = from;
    const slot = heap[index] as number;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as number;
      if (!this.#before(slot, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = slot;
  }

  #siftDown(): void {
    const heap = this.#heap;
    const length = heap.length;
    const slot = heap[0] as number;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#before(heap[child + 1] as number, heap[child] as number)) child += 1;
      const below = heap[child] as number;
      if (!this.#before(below, slot)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = slot;
  }
}
