import { invariant, unreachable } from "../../../base/assert.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { SnapshotWriter } from "../../keyed-backend.ts";
import { KeyedSectionWriter, SectionBuffers } from "../../keyed-section-writer.ts";
import { TIMER_DOMAINS } from "../../snapshot-format.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { TimerDomain } from "../../state.ts";
import type { MapContent } from "./heap-map-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { KeyEntry, StateCell } from "./key-entry.ts";
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
  private walk: Iterator<void, void> | null;
  private section: KeyedSectionWriter | null = null;
  private readonly buffers: SectionBuffers;
  private left: number;
  private budget = 0;
  private released = false;

  constructor(table: HeapTable, states: readonly SectionState[], watermarkMs: TimestampMs) {
    this.table = table;
    this.states = states;
    this.stateCount = states.length;
    this.watermarkMs = watermarkMs;
    this.left = table.live;
    this.version = table.beginSnapshot();
    // One snapshot at a time may use the buffers of the one before it.
    this.buffers = table.spareBuffers ?? new SectionBuffers();
    table.spareBuffers = null;
    this.walk = this.serialize();
  }

  step(entryBudget: number): number {
    invariant(entryBudget >= 1, "a step of a snapshot serializes at least one entry");
    invariant(this.walk !== null, "a cancelled snapshot takes no further step");
    this.budget = entryBudget;
    if (!this.released && this.walk.next().done === true) {
      invariant(this.left === 0, "a snapshot that failed takes no further step");
      this.release();
    }
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
    this.walk = null;
    this.section = null;
    this.release();
  }

  private release(): void {
    if (this.released) return;
    this.released = true;
    this.table.endSnapshot(this.version);
  }

  /** Pauses only where entries are left, so that the step that writes the last one also ends the section. */
  private *serialize(): Generator<void, void> {
    const section = new KeyedSectionWriter(
      this.table.maxParallelism,
      this.table.range,
      this.states.slice(0, this.stateCount),
      this.buffers,
    );
    this.section = section;
    for (const group of this.table.groups) {
      // Once nothing is left, what the groups hold is younger than the snapshot.
      if (this.left > 0) for (const entry of group) yield* this.serializeKey(section, entry);
      section.endGroup(this.watermarkMs);
    }
    invariant(this.left === 0, "a snapshot finds every entry that existed when it was taken");
  }

  private *serializeKey(section: KeyedSectionWriter, entry: KeyEntry): Generator<void, void> {
    section.beginKey(entry.key);
    for (let state = 0; state < this.stateCount; state++) {
      const cell = entry.cellAt(state);
      if (cell !== null && this.writeCell(section, cell)) yield;
      const namespaced = entry.namespacedAt(state);
      if (namespaced === null) continue;
      for (const other of namespaced.values()) if (this.writeCell(section, other)) yield;
    }
    for (let domain = 0; domain < TIMER_DOMAINS; domain++) {
      const timers = entry.timersAt(domain as TimerDomain);
      if (timers === null) continue;
      for (const first of timers.values()) {
        for (let timer: typeof first | null = first; timer !== null; timer = timer.next) {
          if (valueAt(timer, this.version) === null) continue;
          section.timer(domain as TimerDomain, timer.namespace, timer.timestampMs);
          if (this.written()) yield;
        }
      }
    }
  }

  /** True if the step ends after it. */
  private writeCell(section: KeyedSectionWriter, cell: StateCell): boolean {
    const value = valueAt(cell, this.version);
    if (value === null) return false;
    const { kind } = this.states[cell.state]!;
    switch (kind) {
      case "value":
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
    return this.written();
  }

  private written(): boolean {
    this.left--;
    this.budget--;
    return this.budget <= 0 && this.left > 0;
  }
}
