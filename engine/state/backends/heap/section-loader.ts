import { present, unreachable } from "../../../base/assert.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { KeyGroupVisitor } from "../../keyed-section-reader.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { ItemMigration } from "../../state-migration.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import { HeapListState } from "./heap-list-state.ts";
import { HeapMapState } from "./heap-map-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { HeapTimers } from "./heap-timers.ts";
import { HeapValueState } from "./heap-value-state.ts";

export type HeapPrimitive = HeapValueState | HeapListState | HeapMapState;

export function createPrimitive(table: HeapTable, index: number, state: SectionState, defaultValue: unknown): HeapPrimitive {
  const { kind, keySerializer } = state;
  switch (kind) {
    case "value":
      return new HeapValueState(table, index, defaultValue);
    case "list":
      return new HeapListState(table, index);
    case "map":
      return new HeapMapState(table, index, present(keySerializer, "a map state has a serializer of its keys"));
    case "reducing":
    case "aggregating":
      return new HeapValueState(table, index, null);
    default:
      return unreachable(kind, "state kind");
  }
}

/** Where the entries of a state in a section go. */
export interface LoadedState {
  readonly primitive: HeapPrimitive;
  /** To be applied to each item; null: they stay as they are. */
  readonly migration: ItemMigration | null;
}

/** Fills a heap table and its timers with what a section holds. It moves the current key. */
export class SectionLoader implements KeyGroupVisitor {
  private readonly table: HeapTable;
  private readonly timers: HeapTimers;
  private readonly states: ReadonlyMap<string, LoadedState>;

  /** The states by name. Their primitives are its own: the namespaces of those in use stay where they are. */
  constructor(table: HeapTable, timers: HeapTimers, states: ReadonlyMap<string, LoadedState>) {
    this.table = table;
    this.timers = timers;
    this.states = states;
  }

  entry(state: SectionState, key: Key, namespace: Namespace, content: unknown): void {
    this.table.setCurrentKey(key);
    const { primitive, migration } = this.states.get(state.name)!;
    primitive.setNamespace(namespace);
    if (primitive instanceof HeapMapState) {
      for (const [mapKey, value] of content as readonly (readonly [unknown, unknown])[]) {
        primitive.put(mapKey, migration === null ? value : migration(value));
      }
    } else if (migration !== null && primitive instanceof HeapListState) {
      primitive.update((content as readonly unknown[]).map((element) => migration(element)));
    } else {
      // Values as they are, lists as the array of their elements.
      primitive.update((migration === null ? content : migration(content)) as readonly unknown[]);
    }
  }

  timer(domain: TimerDomain, key: Key, namespace: Namespace, timestampMs: TimestampMs): void {
    this.table.setCurrentKey(key);
    this.timers.register(domain, namespace, timestampMs);
  }
}
