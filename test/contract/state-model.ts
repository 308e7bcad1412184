import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import type { Key, Namespace, Timer, TimerDomain } from "#whitewater/engine/state/state.js";
import { text } from "./backend-under-test.ts";
import type { Contents } from "./backend-under-test.ts";

/** Something with the time of its last update. */
export type Stamped = readonly [lastUpdateMs: number, value: number];

interface Slot {
  readonly state: string;
  readonly key: Key;
  readonly namespace: Namespace;
  readonly content: unknown;
}

/** Keyed state as plain Maps: what every backend must hold. Contents are never changed, only replaced. */
export class StateModel {
  watermarkMs: number = MIN_WATERMARK;
  private slots: Map<string, Slot> = new Map();
  private timers: [Map<string, Timer>, Map<string, Timer>] = [new Map(), new Map()];

  copy(): StateModel {
    const copy = new StateModel();
    copy.watermarkMs = this.watermarkMs;
    copy.slots = new Map(this.slots);
    copy.timers = [new Map(this.timers[0]), new Map(this.timers[1])];
    return copy;
  }

  /** What stands there, or null. */
  get<T>(state: string, key: Key, namespace: Namespace): T | null {
    return (this.slots.get(text([state, key, namespace]))?.content ?? null) as T | null;
  }

  /** An empty list is nothing, as null is. */
  set(state: string, key: Key, namespace: Namespace, content: unknown): void {
    const place = text([state, key, namespace]);
    if (content === null || (Array.isArray(content) && content.length === 0)) this.slots.delete(place);
    else this.slots.set(place, { state, key, namespace, content });
  }

  register(domain: TimerDomain, timer: Timer): void {
    this.timers[domain].set(text([timer.key, timer.namespace, timer.timestampMs]), timer);
  }

  remove(domain: TimerDomain, timer: Timer): void {
    this.timers[domain].delete(text([timer.key, timer.namespace, timer.timestampMs]));
  }

  /** Takes out what is due, in order of time. */
  due(domain: TimerDomain, upToMs: number): readonly Timer[] {
    const due = [...this.timers[domain].values()].filter(({ timestampMs }) => timestampMs <= upToMs);
    for (const timer of due) this.remove(domain, timer);
    return due.sort((left, right) => left.timestampMs - right.timestampMs);
  }

  timerCount(domain: TimerDomain): number {
    return this.timers[domain].size;
  }

  /** As `Host.contents` gives them; states whose name begins with "ttl" are left out. */
  contents(): Contents {
    const entries = [...this.slots.values()].filter(({ state }) => !state.startsWith("ttl"));
    return {
      watermarkMs: this.watermarkMs,
      entries: entries.map(({ state, key, namespace, content }) => text([state, key, namespace, content])).sort(),
      eventTime: [...this.timers[0].keys()].sort(),
      processingTime: [...this.timers[1].keys()].sort(),
    };
  }
}
