import type { TimestampMs } from "../../../base/units.ts";
import type { Namespace, Timer, TimerDomain, TimerStore } from "../../state.ts";
import type { ChangeLog } from "./change-log.ts";

/** The nested backend's timers; what changes their set is logged. */
export class LoggedTimers implements TimerStore {
  private readonly nested: TimerStore;
  private readonly log: ChangeLog;

  constructor(nested: TimerStore, log: ChangeLog) {
    this.nested = nested;
    this.log = log;
  }

  register(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    const before = this.nested.size(domain);
    this.nested.register(domain, namespace, timestampMs);
    // Most operators register the same timer again and again.
    if (this.nested.size(domain) === before) return;
    this.log.registerTimer(domain, namespace, timestampMs);
  }

  remove(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    const before = this.nested.size(domain);
    this.nested.remove(domain, namespace, timestampMs);
    if (this.nested.size(domain) === before) return;
    this.log.deregisterTimer(this.log.currentKey, domain, namespace, timestampMs);
  }

  peek(domain: TimerDomain): TimestampMs | null {
    return this.nested.peek(domain);
  }

  poll(domain: TimerDomain, upToMs: TimestampMs): Timer | null {
    const timer = this.nested.poll(domain, upToMs);
    if (timer !== null) this.log.deregisterTimer(timer.key, domain, timer.namespace, timer.timestampMs);
    return timer;
  }

  size(domain: TimerDomain): number {
    return this.nested.size(domain);
  }

  all(domain: TimerDomain): readonly Timer[] {
    return this.nested.all(domain);
  }
}
