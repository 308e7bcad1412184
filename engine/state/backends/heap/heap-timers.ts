import { invariant } from "../../../base/assert.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import type { Namespace, Timer, TimerDomain, TimerStore } from "../../state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { KeyEntry } from "./key-entry.ts";
import { TimerCell } from "./timer-cell.ts";
import { TimerQueue } from "./timer-queue.ts";

/** Wide enough that timers of one timestamp hardly ever draw the same. */
const TIE_BOUND = 0x100000000;

/** The timers of a heap backend: indexed by key for the set semantics, queued by time for firing. */
export class HeapTimers implements TimerStore {
  private readonly table: HeapTable;
  private readonly tieBreak: RandomStream;
  private readonly queues: readonly [TimerQueue, TimerQueue] = [new TimerQueue(), new TimerQueue()];
  private registered = 0;

  constructor(table: HeapTable, tieBreak: RandomStream) {
    this.table = table;
    this.tieBreak = tieBreak;
  }

  register(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    const entry = this.table.entryForWrite();
    const recent = entry.recentTimer;
    const timer =
      recent !== null &&
      recent.timestampMs === timestampMs &&
      recent.domain === domain &&
      recent.namespace === namespace
        ? recent
        : this.timerOf(entry, domain, namespace, timestampMs);
    if (timer.value !== null) return;
    this.table.write(timer, true);
    timer.tie = this.tieBreak.below(TIE_BOUND);
    timer.sequence = this.registered++;
    this.queues[domain].add(timer);
  }

  remove(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    const entry = this.table.entry;
    if (entry === null) return;
    const timer = findTimer(entry, domain, namespace, timestampMs);
    if (timer === null || timer.value === null) return;
    this.queues[domain].remove(timer);
    this.table.clear(timer);
  }

  peek(domain: TimerDomain): TimestampMs | null {
    const timer = this.queues[domain].peek();
    return timer === null ? null : timer.timestampMs;
  }

  poll(domain: TimerDomain, upToMs: TimestampMs): Timer | null {
    const timer = this.queues[domain].peek();
    if (timer === null || timer.timestampMs > upToMs) return null;
    this.queues[domain].remove(timer);
    this.table.clear(timer);
    return timer;
  }

  size(domain: TimerDomain): number {
    return this.queues[domain].size;
  }

  all(domain: TimerDomain): readonly Timer[] {
    return this.queues[domain].all().map(({ key, namespace, timestampMs }) => ({ key, namespace, timestampMs }));
  }

  /** The timer's cell, made (without a timer in it) where there is none. */
  private timerOf(entry: KeyEntry, domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): TimerCell {
    let timer = findTimer(entry, domain, namespace, timestampMs);
    if (timer === null) {
      invariant(Number.isSafeInteger(timestampMs), "a timer's timestamp is a whole number of milliseconds");
      timer = new TimerCell(entry, domain, typeof namespace === "number" ? namespace + 0 : namespace, timestampMs + 0);
      timer.next = entry.timerAt(domain, timestampMs);
      entry.setTimerAt(domain, timestampMs, timer);
      entry.attached++;
    }
    entry.recentTimer = timer;
    return timer;
  }
}

function findTimer(
  entry: KeyEntry,
  domain: TimerDomain,
  namespace: Namespace,
  timestampMs: TimestampMs,
): TimerCell | null {
  let timer = entry.timerAt(domain, timestampMs);
  while (timer !== null && timer.namespace !== namespace) timer = timer.next;
  return timer;
}
