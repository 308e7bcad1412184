import type { TimestampMs } from "../../../base/units.ts";
import type { RandomStream } from "../../../ports/rng.ts";
import type { KeyedSectionWriter } from "../../keyed-section-writer.ts";
import { TIMER_DOMAINS } from "../../snapshot-format.ts";
import type { Key, Namespace, Timer, TimerDomain, TimerStore } from "../../state.ts";
import { HeapTable } from "../heap/heap-table.ts";
import { HeapTimers } from "../heap/heap-timers.ts";
import type { KeyEntry } from "../heap/key-entry.ts";
import type { TimerCell } from "../heap/timer-cell.ts";
import { valueAt } from "../heap/versioned.ts";
import type { KeyedRows } from "./keyed-rows.ts";

/**
 * Timers are kept in memory, whatever the store (Flink: `state.backend.rocksdb.timer-service.factory: HEAP`), by
 * the machinery of the heap backend: a heap table that holds timers alone, with copy-on-write for snapshots.
 */
export class StoreTimers implements TimerStore {
  private readonly rows: KeyedRows;
  private readonly table: HeapTable;
  private readonly timers: HeapTimers;
  /** The key's stamp in `rows` that the table follows. */
  private stamp = -1;

  constructor(rows: KeyedRows, tieBreak: RandomStream) {
    this.rows = rows;
    this.table = new HeapTable(rows.range, rows.maxParallelism);
    this.timers = new HeapTimers(this.table, tieBreak);
  }

  register(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    this.followKey();
    this.timers.register(domain, namespace, timestampMs);
  }

  remove(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    this.followKey();
    this.timers.remove(domain, namespace, timestampMs);
  }

  peek(domain: TimerDomain): TimestampMs | null {
    return this.timers.peek(domain);
  }

  poll(domain: TimerDomain, upToMs: TimestampMs): Timer | null {
    return this.timers.poll(domain, upToMs);
  }

  size(domain: TimerDomain): number {
    return this.timers.size(domain);
  }

  all(domain: TimerDomain): readonly Timer[] {
    return this.timers.all(domain);
  }

  /** A timer of a snapshot; to be called in the order in which sections list them. */
  restore(domain: TimerDomain, key: Key, namespace: Namespace, timestampMs: TimestampMs): void {
    this.table.setCurrentKey(key);
    this.stamp = -1;
    this.timers.register(domain, namespace, timestampMs);
  }

  /** The timers as they are now. O(1). */
  freeze(): FrozenTimers {
    return new FrozenTimers(this.table);
  }

  /** Only what concerns a timer of the current key needs the key looked up. */
  private followKey(): void {
    if (this.stamp === this.rows.stamp) return;
    this.table.setCurrentKey(this.rows.currentKey());
    this.stamp = this.rows.stamp;
  }
}

/** The timers of one moment, written key group by key group while they change. */
export class FrozenTimers {
  private readonly table: HeapTable;
  private readonly version: number;
  private readonly pending: TimerCell[] = [];
  private pendingCount = 0;
  private pendingAt = 0;
  private entry: KeyEntry | null = null;
  private released = false;

  constructor(table: HeapTable) {
    this.table = table;
    this.version = table.beginSnapshot();
  }

  /** Begins with the timers of the group at `index` of the range. */
  beginGroup(index: number): void {
    this.pendingCount = 0;
    this.pendingAt = 0;
    this.entry = null;
    for (const entry of this.table.groups[index]!) {
      for (let domain = 0; domain < TIMER_DOMAINS; domain++) {
        const timers = entry.timersAt(domain as TimerDomain);
        if (timers instanceof Map) for (const first of timers.values()) this.collect(first);
        else if (timers !== null) this.collect(timers);
      }
    }
  }

  /** Writes the next timer of the group; false once there is none. */
  writeNext(section: KeyedSectionWriter): boolean {
    if (this.pendingAt === this.pendingCount) return false;
    const { entry, domain, namespace, timestampMs } = this.pending[this.pendingAt++]!;
    if (entry !== this.entry) {
      this.entry = entry;
      section.beginKey(entry.key);
    }
    section.timer(domain, namespace, timestampMs);
    return true;
  }

  /** Idempotent. */
  release(): void {
    if (this.released) return;
    this.released = true;
    this.table.endSnapshot(this.version);
  }

  private collect(first: TimerCell): void {
    for (let timer: TimerCell | null = first; timer !== null; timer = timer.next) {
      if (valueAt(timer, this.version) !== null) this.pending[this.pendingCount++] = timer;
    }
  }
}
