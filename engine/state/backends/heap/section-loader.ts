import { unreachable } from "../../../base/assert.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { StateKind } from "../../descriptors.ts";
import type { KeyGroupVisitor } from "../../keyed-section-reader.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import { HeapListState } from "./heap-list-state.ts";
import { HeapMapState } from "./heap-map-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { HeapTimers } from "./heap-timers.ts";
import { HeapValueState } from "./heap-value-state.ts";

export type HeapPrimitive = HeapValueState | HeapListState | HeapMapState;

export function createPrimitive(table: HeapTable, index: number, kind: StateKind, defaultValue: unknown): HeapPrimitive {
  switch (kind) {
    case "value":
      return new HeapValueState(table, index, defaultValue);
    case "list":
      return new HeapListState(table, index);
    case "map":
      return new HeapMapState(table, index);
    case "reducing":
    case "aggregating":
      return new HeapValueState(table, index, null);
    default:
      return unreachable(kind, "state kind");
  }
}

/** Fills a heap table and its timers with what sections hold. It moves the current key. */
export class SectionLoader implements KeyGroupVisitor {
  private readonly table: HeapTable;
  private readonly timers: HeapTimers;
  /** Its own, so that the namespaces of those in use stay where they are. */
  private readonly primitives: Map<string, HeapPrimitive> = new Map();

  constructor(table: HeapTable, timers: HeapTimers, states: readonly SectionState[]) {
    this.table = table;
    this.timers = timers;
    states.forEach(({ name, kind }, index) => this.primitives.set(name, createPrimitive(table, index, kind, null)));
  }

  entry(state: SectionState, key: Key, namespace: Namespace, content: unknown): void {
    this.table.setCurrentKey(key);
    const primitive = this.primitives.get(state.name)!;
    primitive.setNamespace(namespace);
    if (primitive instanceof HeapMapState) {
      for (const [mapKey, value] of content as readonly (readonly [unknown, unknown])[]) primitive.put(mapKey, value);
    } else {
      // Values as they are, lists as the array of their elements.
      primitive.update(content as readonly unknown[]);
    }
  }

  timer(domain: TimerDomain, key: Key, namespace: Namespace, timestampMs: TimestampMs): void {
    this.table.setCurrentKey(key);
    this.timers.register(domain, namespace, timestampMs);
  }
}
