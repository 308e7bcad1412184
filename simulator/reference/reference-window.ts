import type { TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import type { WindowNode } from "../../engine/graph/stream-graph.ts";
import type { Key } from "../../engine/state/state.ts";
import { canonicalKey, keyIdentity } from "./canonical-key.ts";
import type { Emitter, ReferenceOperator } from "./dataflow.ts";
import { WINDOW_STATE_NAME } from "./reference-state.ts";
import type { ReferenceEntry } from "./reference-state.ts";
import { ReferenceTimers } from "./reference-timers.ts";

/** The start of the window that holds a timestamp: the greatest one congruent to offset that is not later. */
export function windowStartOf(timestampMs: TimestampMs, sizeMs: number, offsetMs: number): TimestampMs {
  const past = (timestampMs - offsetMs) % sizeMs;
  return timestampMs - (past < 0 ? past + sizeMs : past);
}

/** When a window's contents go: at its last millisecond plus the allowed lateness, or never. */
export function cleanupTimeOf(node: WindowNode, start: TimestampMs): TimestampMs {
  return Math.min(start + node.sizeMs - 1 + node.allowedLatenessMs, MAX_WATERMARK);
}

interface Pane {
  readonly key: Key;
  readonly start: TimestampMs;
  accumulator: unknown;
}

/** Tumbling event-time windows, sequentially. */
export class ReferenceWindow implements ReferenceOperator {
  readonly #node: WindowNode;
  readonly #emitter: Emitter;
  /** By identity of the key, then window start. */
  readonly #panes: Map<unknown, Map<TimestampMs, Pane>> = new Map();
  readonly #timers: ReferenceTimers<Pane> = new ReferenceTimers();
  #watermarkMs: TimestampMs = MIN_WATERMARK;
  #wasResumed = false;

  constructor(node: WindowNode, emitter: Emitter) {
    this.#node = node;
    this.#emitter = emitter;
  }

  process(value: unknown, timestampMs: TimestampMs): void {
    const node = this.#node;
    const start = windowStartOf(timestampMs, node.sizeMs, node.offsetMs);
    const cleanupMs = cleanupTimeOf(node, start);
    if (cleanupMs <= this.#watermarkMs) {
      if (node.lateTag !== null) this.#emitter.collectSide(node.lateTag, value, timestampMs);
      return;
    }
    const pane = this.#pane(node.keySelector(value), start);
    pane.accumulator = node.aggregate.add(value, pane.accumulator);
    // Its timers were registered with the pane; registering them again changes nothing, unless the watermark went
    // back behind one that fired.
    if (this.#wasResumed) this.#registerTimers(pane);
    if (start + node.sizeMs - 1 <= this.#watermarkMs) this.#fire(pane);
  }

  advance(watermarkMs: TimestampMs): void {
    this.#watermarkMs = watermarkMs;
    for (let timer = this.#timers.poll(watermarkMs); timer !== null; timer = this.#timers.poll(watermarkMs)) {
      const pane = timer.target;
      if (timer.timestampMs === pane.start + this.#node.sizeMs - 1) this.#fire(pane);
      if (timer.timestampMs === cleanupTimeOf(this.#node, pane.start)) this.#clear(pane);
    }
  }

  /** The watermark that it goes on from, when the parallelism changes. */
  resume(watermarkMs: TimestampMs): void {
    this.#watermarkMs = watermarkMs;
    this.#wasResumed = true;
  }

  /** Takes over what another one holds of some keys, when the parallelism changes. */
  adopt(other: ReferenceWindow, owns: (key: Key) => boolean): void {
    for (const [identity, panes] of other.#panes) {
      const [first] = panes.values();
      if (first !== undefined && owns(first.key)) this.#panes.set(identity, panes);
    }
    for (const { timestampMs, target } of other.#timers.all()) {
      if (owns(target.key)) this.#timers.register(timestampMs, target, target);
    }
  }

  entriesByKey(): ReadonlyMap<string, readonly ReferenceEntry[]> {
    const byKey = new Map<string, readonly ReferenceEntry[]>();
    for (const panes of this.#panes.values()) {
      const entries = [...panes.values()].map((pane) => ({
        state: WINDOW_STATE_NAME,
        key: pane.key,
        namespace: pane.start,
        value: pane.accumulator,
      }));
      for (const { key } of entries.slice(0, 1)) byKey.set(canonicalKey(key), entries);
    }
    return byKey;
  }

  #pane(key: Key, start: TimestampMs): Pane {
    const identity = keyIdentity(key);
    let panes = this.#panes.get(identity);
    if (panes === undefined) {
      panes = new Map();
      this.#panes.set(identity, panes);
    }
    let pane = panes.get(start);
    if (pane === undefined) {
      pane = { key, start, accumulator: this.#node.aggregate.createAccumulator() };
      panes.set(start, pane);
      this.#registerTimers(pane);
    }
    return pane;
  }

  #registerTimers(pane: Pane): void {
    const lastMs = pane.start + this.#node.sizeMs - 1;
    if (lastMs > this.#watermarkMs) this.#timers.register(lastMs, pane, pane);
    const cleanupMs = cleanupTimeOf(this.#node, pane.start);
    if (cleanupMs < MAX_WATERMARK) this.#timers.register(cleanupMs, pane, pane);
  }

  #fire(pane: Pane): void {
    const { aggregate, windowFn, sizeMs } = this.#node;
    const result = aggregate.getResult(pane.accumulator);
    const end = pane.start + sizeMs;
    const value = windowFn === null ? result : windowFn(result, pane.key, { start: pane.start, end });
    this.#emitter.collect(value, end - 1);
  }

  #clear(pane: Pane): void {
    const identity = keyIdentity(pane.key);
    const panes = this.#panes.get(identity);
    panes?.delete(pane.start);
    if (panes?.size === 0) this.#panes.delete(identity);
  }
}
