import type { TimestampMs } from "../../../base/units.ts";
import type { StateKind } from "../../descriptors.ts";
import type { TtlConfig } from "../../ttl-config.ts";
import { isExpired } from "../../ttl/ttl-value.ts";
import type { TtlValue } from "../../ttl/ttl-value.ts";
import type { MapContent } from "./heap-map-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { KeyEntry, StateCell } from "./key-entry.ts";

/** Key groups without a key that one access passes at most. */
const EMPTY_GROUPS_PASSED = 64;

/** What is not expired of a cell's content, as the kind keeps it: the very same content where nothing is; else null for nothing. */
function unexpiredContent(kind: StateKind, content: unknown, ttl: TtlConfig, nowMs: TimestampMs): unknown {
  if (kind === "list") {
    const elements = content as readonly TtlValue[];
    if (!elements.some((element) => isExpired(element, ttl, nowMs))) return elements;
    const kept = elements.filter((element) => !isExpired(element, ttl, nowMs));
    return kept.length === 0 ? null : kept;
  }
  if (kind === "map") {
    const map = content as MapContent;
    const kept: MapContent = new Map();
    for (const [identity, pair] of map) if (!isExpired(pair[1] as TtlValue, ttl, nowMs)) kept.set(identity, pair);
    if (kept.size === map.size) return map;
    return kept.size === 0 ? null : kept;
  }
  return isExpired(content as TtlValue, ttl, nowMs) ? null : content;
}

/** How often expired state of a backend went, for people: cells as a whole or in part. */
export interface ExpiredCells {
  /** Cleaned up incrementally. */
  cleanedUp: number;
  /** Left out of snapshots. */
  leftOut: number;
}

/** What a snapshot leaves out: frozen when it began. */
export class HeapSnapshotFilter {
  private readonly expired: ExpiredCells;
  private readonly nowMs: TimestampMs;
  /** By state; null: everything stays. */
  private readonly ttls: readonly (TtlConfig | null)[];

  constructor(ttls: readonly (TtlConfig | null)[], nowMs: TimestampMs, expired: ExpiredCells) {
    this.expired = expired;
    this.ttls = ttls.map((ttl) => (ttl !== null && ttl.cleanupInFullSnapshot ? ttl : null));
    this.nowMs = nowMs;
  }

  /** The content to write, or null for none. */
  kept(state: number, kind: StateKind, content: unknown): unknown {
    const ttl = this.ttls[state] ?? null;
    if (ttl === null) return content;
    const kept = unexpiredContent(kind, content, ttl, this.nowMs);
    if (kept !== content) this.expired.leftOut += 1;
    return kept;
  }
}

/**
 * Incremental clean-up of one state: each access looks at the state of a few keys more, and goes round the
 * table so. The walk stands in the middle of a key group between two accesses: a Set's iterator takes keys
 * that come and go meanwhile as they are.
 */
export class HeapTtlCleaner {
  private readonly table: HeapTable;
  private readonly state: number;
  private readonly kind: StateKind;
  private readonly ttl: TtlConfig;
  /** Elements looked at with every access. */
  private readonly most: number;
  private readonly nowMs: () => TimestampMs;
  private readonly expired: ExpiredCells;
  private group = -1;
  private walk: Iterator<KeyEntry> | null = null;

  constructor(
    table: HeapTable,
    state: number,
    kind: StateKind,
    ttl: TtlConfig,
    most: number,
    nowMs: () => TimestampMs,
    expired: ExpiredCells,
  ) {
    this.expired = expired;
    this.table = table;
    this.most = most;
    this.state = state;
    this.kind = kind;
    this.ttl = ttl;
    this.nowMs = nowMs;
  }

  run(): void {
    const nowMs = this.nowMs();
    let empty = 0;
    for (let looked = 0; looked < this.most; ) {
      const next = this.walk?.next();
      if (next === undefined || next.done === true) {
        // A group with keys counts too: a table of one key is not looked at over and over in one access.
        if (this.beginGroup()) looked++;
        else if (++empty === EMPTY_GROUPS_PASSED) return;
      } else {
        looked += Math.max(1, this.clean(next.value, nowMs));
      }
    }
  }

  /** Goes on to the next key group, from the last to the first; false if it has no keys. */
  private beginGroup(): boolean {
    const { groups } = this.table;
    this.group = this.group + 1 < groups.length ? this.group + 1 : 0;
    const entries = groups[this.group];
    const hasKeys = entries !== undefined && entries.size > 0;
    this.walk = hasKeys ? entries.values() : null;
    return hasKeys;
  }

  /** Drops what is expired of one key; returns the number of cells looked at. */
  private clean(entry: KeyEntry, nowMs: TimestampMs): number {
    const cell = entry.cellAt(this.state);
    const others = entry.namespacedAt(this.state);
    if (cell !== null) this.cleanCell(cell, nowMs);
    let looked = cell === null ? 0 : 1;
    if (others instanceof Map) {
      // Cells leave the entry as they are cleared.
      const cells = [...others.values()];
      for (const one of cells) this.cleanCell(one, nowMs);
      looked += cells.length;
    } else if (others !== null) {
      this.cleanCell(others, nowMs);
      looked++;
    }
    return looked;
  }

  private cleanCell(cell: StateCell, nowMs: TimestampMs): void {
    if (cell.value === null) return;
    const kept = unexpiredContent(this.kind, cell.value, this.ttl, nowMs);
    if (kept === cell.value) return;
    this.expired.cleanedUp += 1;
    if (kept === null) {
      this.table.clear(cell);
    } else {
      this.table.write(cell, kept);
      cell.shared = false;
    }
  }
}
