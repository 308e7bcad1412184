import type { KeyGroup } from "../../../base/units.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { TimerCell } from "./timer-cell.ts";
import { Versioned } from "./versioned.ts";

/** The cells of a state outside the void namespace: none, the only one, or several. */
export type NamespacedCells = StateCell | Map<Namespace, StateCell> | null;
/** The timers of a domain: none, those of the only timestamp, or by timestamp. Those of one hang at `next`. */
export type KeyTimers = TimerCell | Map<number, TimerCell> | null;

/**
 * Everything that is kept for one key. Small, because the entries of a job's hot keys should stay in the
 * processor's cache: what most keys do not have is null until one needs it, the state bound first, for most
 * operators the only one, needs no array, and one window's cell and timer, all that most keys of a window
 * operator have, need no Map.
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
  private firstNamespaced: NamespacedCells = null;
  private otherNamespaced: NamespacedCells[] | null = null;
  private eventTimers: KeyTimers = null;
  private processingTimers: KeyTimers = null;

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
  namespacedAt(state: number): NamespacedCells {
    if (state === 0) return this.firstNamespaced;
    return this.otherNamespaced === null ? null : (this.otherNamespaced[state] ?? null);
  }

  /** The cell of a state in one of the other namespaces. */
  namespacedCell(state: number, namespace: Namespace): StateCell | null {
    const cells = this.namespacedAt(state);
    if (cells instanceof Map) return cells.get(namespace) ?? null;
    return cells !== null && Object.is(cells.namespace, namespace) ? cells : null;
  }

  /** Appends the cells of a state in all namespaces. */
  collectCells(state: number, cells: StateCell[]): void {
    const cell = this.cellAt(state);
    if (cell !== null) cells.push(cell);
    const others = this.namespacedAt(state);
    if (others instanceof Map) for (const other of others.values()) cells.push(other);
    else if (others !== null) cells.push(others);
  }

  timersAt(domain: TimerDomain): KeyTimers {
    return domain === 0 ? this.eventTimers : this.processingTimers;
  }

  /** The first of a timestamp's timers. */
  timerAt(domain: TimerDomain, timestampMs: number): TimerCell | null {
    const timers = this.timersAt(domain);
    if (timers instanceof Map) return timers.get(timestampMs) ?? null;
    return timers !== null && timers.timestampMs === timestampMs ? timers : null;
  }

  attachCell(cell: StateCell): void {
    this.attached++;
    const { state, namespace } = cell;
    if (namespace === "") {
      this.setCell(state, cell);
      return;
    }
    const cells = this.namespacedAt(state);
    if (cells === null) this.setNamespaced(state, cell);
    else if (cells instanceof Map) cells.set(namespace, cell);
    else this.setNamespaced(state, new Map<Namespace, StateCell>().set(cells.namespace, cells).set(namespace, cell));
  }

  /** To be called once for each cell, by the cell. */
  detachCell(cell: StateCell): void {
    if (cell.namespace === "") this.setCell(cell.state, null);
    else this.removeNamespaced(cell.state, cell.namespace);
    this.table.released(this);
  }

  /** Makes this the first of its timestamp's timers. */
  setTimerAt(domain: TimerDomain, timestampMs: number, timer: TimerCell): void {
    const timers = this.timersAt(domain);
    if (timers instanceof Map) timers.set(timestampMs, timer);
    else if (timers === null || timers.timestampMs === timestampMs) this.setTimers(domain, timer);
    else this.setTimers(domain, new Map<number, TimerCell>().set(timers.timestampMs, timers).set(timestampMs, timer));
  }

  /** Drops the index with the last timestamp: a Map makes a new table of itself when it becomes empty. */
  removeTimersAt(domain: TimerDomain, timestampMs: number): void {
    const timers = this.timersAt(domain);
    if (timers instanceof Map && timers.size > 1) timers.delete(timestampMs);
    else this.setTimers(domain, null);
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
    const cells = this.namespacedAt(state);
    if (cells instanceof Map && cells.size > 1) cells.delete(namespace);
    else this.setNamespaced(state, null);
  }

  private setNamespaced(state: number, cells: NamespacedCells): void {
    if (state === 0) {
      this.firstNamespaced = cells;
      return;
    }
    this.otherNamespaced ??= new Array<NamespacedCells>(this.table.states).fill(null);
    this.otherNamespaced[state] = cells;
  }

  private setTimers(domain: TimerDomain, timers: KeyTimers): void {
    if (domain === 0) this.eventTimers = timers;
    else this.processingTimers = timers;
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
