import { SPEEDS } from "./ui-state.ts";
import type { UiStore } from "./ui-store.ts";

/** A digit that is followed by nothing for so long is the number of a panel. */
const DIGITS_PAUSE_MS = 450;
/** Steps are shown at most so often while a run plays. */
const FRAME_MS = 50;
/** Nobody pressed a key for so long: time to prepare. */
const IDLE_MS = 40;
/** Work that a key may have to wait for. */
const SLICE_MS = 8;
const FIRST_SLICE = 16;

/** Everything about the screen that happens by itself, after some time. Real time: nothing of a run depends on it. */
export class UiClock {
  readonly #store: UiStore;
  readonly #unsubscribe: () => void;
  #digits: NodeJS.Timeout | null = null;
  #play: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #count: number | null = null;
  #slice = FIRST_SLICE;

  constructor(store: UiStore) {
    this.#store = store;
    this.#unsubscribe = store.subscribe(() => this.#changed());
    this.#changed();
  }

  stop(): void {
    this.#unsubscribe();
    for (const timer of [this.#digits, this.#play, this.#idle]) if (timer !== null) clearTimeout(timer);
  }

  #changed(): void {
    const { count, playing } = this.#store.state;
    if (count !== this.#count) this.#countChanged(count);
    if (playing && this.#play === null) this.#tickLater(performance.now(), 0);
    this.#prepareLater(IDLE_MS);
  }

  #countChanged(count: number | null): void {
    this.#count = count;
    if (this.#digits !== null) clearTimeout(this.#digits);
    this.#digits = count === null ? null : setTimeout(() => this.#store.dispatch({ type: "digits-ended" }), DIGITS_PAUSE_MS);
  }

  /** `owed`: the part of a step that time has passed for. */
  #tickLater(sinceMs: number, owed: number): void {
    const speed = SPEEDS[this.#store.state.speed] ?? 1;
    this.#play = setTimeout(() => {
      this.#play = null;
      if (!this.#store.state.playing) return;
      const now = performance.now();
      // A slow view makes it play slower, not in bursts.
      const due = owed + (Math.min(now - sinceMs, 2 * Math.max(FRAME_MS, 1000 / speed)) * speed) / 1000;
      const steps = Math.floor(due);
      this.#tickLater(now, due - steps);
      if (steps > 0) this.#store.dispatch({ type: "tick", steps });
    }, Math.max(FRAME_MS, 1000 / speed));
  }

  #prepareLater(delayMs: number): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#prepare(), delayMs);
  }

  /** One slice of getting ready for seeks. As large as what a slice took last time allows. */
  #prepare(): void {
    this.#idle = null;
    const { explorer } = this.#store;
    const wasSound = explorer.journey.machine.deviation === null;
    const began = performance.now();
    const isMore = explorer.journey.machine.prepare(this.#slice);
    const tookMs = performance.now() - began;
    this.#slice = Math.max(1, Math.min(4096, Math.floor(this.#slice * Math.max(0.25, Math.min(1.25, SLICE_MS / Math.max(tookMs, 0.01))))));
    if (wasSound && explorer.journey.machine.deviation !== null) this.#store.refresh();
    if (isMore) this.#prepareLater(0);
  }
}
