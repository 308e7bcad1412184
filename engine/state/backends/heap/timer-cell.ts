import type { TimestampMs } from "../../../base/units.ts";
import type { Key, Namespace, Timer, TimerDomain } from "../../state.ts";
import type { KeyEntry } from "./key-entry.ts";
import { Versioned } from "./versioned.ts";

/** One (domain, timestamp, key, namespace): a timer while `value` is true, none while it is null. */
export class TimerCell extends Versioned implements Timer {
  readonly entry: KeyEntry;
  readonly domain: TimerDomain;
  readonly key: Key;
  readonly namespace: Namespace;
  readonly timestampMs: TimestampMs;
  /** Another namespace's timer of the same key and timestamp. */
  next: TimerCell | null = null;
  /** Drawn at registration: orders timers of one timestamp. */
  tie = 0;
  /** Orders the few that drew the same. */
  sequence = 0;
  /** Place in the queue, -1 while not in it. */
  queueIndex = -1;

  constructor(entry: KeyEntry, domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs) {
    super();
    this.entry = entry;
    this.domain = domain;
    this.key = entry.key;
    this.namespace = namespace;
    this.timestampMs = timestampMs;
  }

  override detach(): void {
    this.attached = false;
    const entry = this.entry;
    if (entry.recentTimer === this) entry.recentTimer = null;
    const first = entry.timerAt(this.domain, this.timestampMs)!;
    if (first === this) {
      if (this.next === null) entry.removeTimersAt(this.domain, this.timestampMs);
      else entry.setTimerAt(this.domain, this.timestampMs, this.next);
    } else {
      let before = first;
      while (before.next !== this) before = before.next!;
      before.next = this.next;
    }
    entry.table.released(entry);
  }
}
