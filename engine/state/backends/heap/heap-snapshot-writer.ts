import { invariant, unreachable } from "../../../base/assert.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { SnapshotWriter } from "../../keyed-backend.ts";
import { KeyedSectionWriter, SectionBuffers } from "../../keyed-section-writer.ts";
import { TIMER_DOMAINS } from "../../snapshot-format.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { TimerDomain } from "../../state.ts";
import type { MapContent } from "./heap-map-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { HeapSnapshotFilter } from "./heap-ttl.ts";
import type { KeyEntry, StateCell } from "./key-entry.ts";
import { TimerCell } from "./timer-cell.ts";
import { valueAt } from "./versioned.ts";

/**
 * Serializes a heap table as it was when this object was made, in steps, while the table changes. An entry
 * is a value, a list, a map or a timer. The old versions that the table keeps for it are released as soon as
 * the last entry is serialized.
 */
export class HeapSnapshotWriter implements SnapshotWriter {
  private readonly table: HeapTable;
  private readonly version: number;
  private readonly states: readonly SectionState[];
  /** States registered when the snapshot was taken; the table may have learned of more since. */
  private readonly stateCount: number;
  private readonly watermarkMs: TimestampMs;
  /** Null: nothing is left out. */
  private readonly filter: HeapSnapshotFilter | null;
  private cancelled = false;
  private section: KeyedSectionWriter | null = null;
  private readonly buffers: SectionBuffers;
  /** Place of the walk: the key group, what is left of it, the key at hand. */
  private group = -1;
  private readonly pending: (StateCell | TimerCell)[] = [];
  private pendingCount = 0;
  private pendingAt = 0;
  private entry: KeyEntry | null = null;
  private left: number;
  private released = false;
  /** An entry could not be encoded. */
  private failed = false;

  constructor(table: HeapTable, states: readonly SectionState[], watermarkMs: TimestampMs, filter: HeapSnapshotFilter | null = null) {
    this.table = table;
    this.states = states;
    this.stateCount = states.length;
    this.watermarkMs = watermarkMs;
    this.filter = filter;
    this.left = table.live;
    this.version = table.beginSnapshot();
    // One snapshot at a time may use the buffers of the one before it.
    this.buffers = table.spareBuffers ?? new SectionBuffers();
    table.spareBuffers = null;
  }

  step(entryBudget: number): number {
    invariant(entryBudget >= 1, "a step of a snapshot serializes at least one entry");
    invariant(!this.cancelled, "a cancelled snapshot takes no further step");
    invariant(!this.failed, "a snapshot that failed takes no further step");
    if (this.released) return 0;
    this.failed = true;
    this.section ??= this.beginSection();
    for (let budget = entryBudget; budget > 0 && this.left > 0; budget--) this.writeNext(this.section);
    if (this.left === 0) this.endSection(this.section);
    this.failed = false;
    return this.left;
  }

  bytes(): Uint8Array {
    invariant(this.section !== null && this.released, "a snapshot's bytes are taken after its last step");
    const bytes = this.section.toBytes();
    this.section = null;
    this.table.spareBuffers = this.buffers;
    return bytes;
  }

  cancel(): void {
    this.cancelled = true;
    this.section = null;
    this.release();
  }

  private release(): void {
    if (this.released) return;
    this.released = true;
    this.table.endSnapshot(this.version);
  }

  private beginSection(): KeyedSectionWriter {
    const { maxParallelism, range } = this.table;
    return new KeyedSectionWriter(maxParallelism, range, this.states.slice(0, this.stateCount), this.buffers);
  }

  /** Once nothing is left, what the groups hold is younger than the snapshot. */
  private endSection(section: KeyedSectionWriter): void {
    const groups = this.table.groups.length;
    for (let group = Math.max(this.group, 0); group < groups; group++) section.endGroup(this.watermarkMs);
    this.release();
  }

  private writeNext(section: KeyedSectionWriter): void {
    while (this.pendingAt === this.pendingCount) this.nextGroup(section);
    const next = this.pending[this.pendingAt++]!;
    if (next.entry !== this.entry) {
      this.entry = next.entry;
      section.beginKey(next.entry.key);
    }
    if (next instanceof TimerCell) section.timer(next.domain, next.namespace, next.timestampMs);
    else this.writeCell(section, next);
    this.left--;
  }

  /**
   * What the snapshot sees of the next key group, key by key. It stays as it is: the table keeps it as long
   * as the snapshot is in flight.
   */
  private nextGroup(section: KeyedSectionWriter): void {
    if (this.group >= 0) section.endGroup(this.watermarkMs);
    this.group++;
    this.pendingCount = 0;
    this.pendingAt = 0;
    const entries = this.table.groups[this.group];
    invariant(entries !== undefined, "a snapshot finds every entry that existed when it was taken");
    for (const entry of entries) this.collect(entry);
  }

  private collect(entry: KeyEntry): void {
    for (let state = 0; state < this.stateCount; state++) {
      const cell = entry.cellAt(state);
      if (cell !== null) this.add(cell);
      const namespaced = entry.namespacedAt(state);
      if (namespaced instanceof Map) for (const other of namespaced.values()) this.add(other);
      else if (namespaced !== null) this.add(namespaced);
    }
    for (let domain = 0; domain < TIMER_DOMAINS; domain++) {
      const timers = entry.timersAt(domain as TimerDomain);
      if (timers instanceof Map) for (const first of timers.values()) this.addTimers(first);
      else if (timers !== null) this.addTimers(timers);
    }
  }

  private addTimers(first: TimerCell): void {
    for (let timer: TimerCell | null = first; timer !== null; timer = timer.next) this.add(timer);
  }

  private add(cell: StateCell | TimerCell): void {
    if (valueAt(cell, this.version) !== null) this.pending[this.pendingCount++] = cell;
  }

  private writeCell(section: KeyedSectionWriter, cell: StateCell): void {
    const { kind } = this.states[cell.state]!;
    let value = valueAt(cell, this.version);
    if (this.filter !== null) value = this.filter.kept(cell.state, kind, value);
    if (value === null) return;
    switch (kind) {
      case "value":
      case "reducing":
      case "aggregating":
        section.value(cell.state, cell.namespace, value);
        break;
      case "list":
        section.list(cell.state, cell.namespace, value as readonly unknown[]);
        break;
      case "map": {
        const content = value as MapContent;
        section.map(cell.state, cell.namespace, content.values(), content.size);
        break;
      }
      default:
        unreachable(kind, "snapshot writer");
    }
  }
}
