import type { KeyGroup } from "../../../base/units.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { TimerCell } from "./timer-cell.ts";
import { Versioned } from "./versioned.ts";

/**
 * Everything that is kept for one key. Small, because the entries of a job's hot keys should stay in the
 * processor's cache: what most keys do not have is null until one needs it, and the state bound first, for
 * most operators the only one, needs no array.
 */
export class KeyEntry {
  readonly key: Key;
  readonly keyGroup: KeyGroup;
  readonly table: HeapTable;
  /** Cells and timers attached; at 0 the entry leaves the table. */
  attached = 0;
  /** The timer last asked for: an operator that registers one for every record mostly asks for the same. */
  recentTimer: TimerCell | null = null;
  private first: StateCell | null = null;
  private others: (StateCell | null)[] | null = null;
  private namespaces: (Map<Namespace, StateCell> | null)[] | null = null;
  private eventTimers: Map<number, TimerCell> | null = null;
  private processingTimers: Map<number, TimerCell> | null = null;

  constructor(table: HeapTable, key: Key, keyGroup: KeyGroup) {
    this.table = table;
    this.key = key;
    this.keyGroup = keyGroup;
  }

  /** The cell of a state in the void namespace. */
  cellAt(state: number): StateCell | null {
    if (state === 0) return this.first;
    return this.others === null ? null : (this.others[state] ?? null);
  }

  /** The cells of a state in all other namespaces. */
  namespacedAt(state: number): Map<Namespace, StateCell> | null {
    return this.namespaces === null ? null : (this.namespaces[state] ?? null);
  }

  /** By timestamp; timers of other namespaces hang at `next` of the first. */
  timersAt(domain: TimerDomain): Map<number, TimerCell> | null {
    return domain === 0 ? this.eventTimers : this.processingTimers;
  }

  attachCell(cell: StateCell): void {
    this.attached++;
    if (cell.namespace === "") this.setCell(cell.state, cell);
    else this.namespacedForWrite(cell.state).set(cell.namespace, cell);
  }

  /** To be called once for each cell, by the cell. */
  detachCell(cell: StateCell): void {
    if (cell.namespace === "") this.setCell(cell.state, null);
    else this.removeNamespaced(cell.state, cell.namespace);
    this.table.released(this);
  }

  /** Drops the last timer's index with it: a Map makes a new table of itself when it becomes empty. */
  removeTimersAt(domain: TimerDomain, timestampMs: number): void {
    const timers = this.timersForWrite(domain);
    if (timers.size > 1) timers.delete(timestampMs);
    else if (domain === 0) this.eventTimers = null;
    else this.processingTimers = null;
  }

  timersForWrite(domain: TimerDomain): Map<number, TimerCell> {
    if (domain === 0) return (this.eventTimers ??= new Map<number, TimerCell>());
    return (this.processingTimers ??= new Map<number, TimerCell>());
  }

  private setCell(state: number, cell: StateCell | null): void {
    if (state === 0) {
      this.first = cell;
      return;
    }
    this.others ??= new Array<StateCell | null>(this.table.states).fill(null);
    this.others[state] = cell;
  }

  private removeNamespaced(state: number, namespace: Namespace): void {
    const cells = this.namespacedForWrite(state);
    if (cells.size > 1) cells.delete(namespace);
    else this.namespaces![state] = null;
  }

  private namespacedForWrite(state: number): Map<Namespace, StateCell> {
    this.namespaces ??= new Array<Map<Namespace, StateCell> | null>(this.table.states).fill(null);
    let cells = this.namespaces[state] ?? null;
    if (cells === null) {
      cells = new Map<Namespace, StateCell>();
      this.namespaces[state] = cells;
    }
    return cells;
  }
}

/** The state of one (state, key, namespace). */
export class StateCell extends Versioned {
  readonly entry: KeyEntry;
  readonly state: number;
  readonly namespace: Namespace;

  constructor(entry: KeyEntry, state: number, namespace: Namespace) {
    super();
    this.entry = entry;
    this.state = state;
    this.namespace = namespace;
  }

  override detach(): void {
    this.attached = false;
    this.entry.detachCell(this);
  }
}
