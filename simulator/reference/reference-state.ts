import { invariant, present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import type { StateDescriptor, StateFold } from "../../engine/state/descriptors.ts";
import type { AggregatingState, Key, ListState, MapState, Namespace, ValueState } from "../../engine/state/state.ts";
import type { TtlConfig } from "../../engine/state/ttl-config.ts";
import { canonicalKey } from "./canonical-key.ts";

/**
 * One entry of keyed state as the reference expects it. Value state: the value; list: its elements; map:
 * its entries [key, value] in the order in which the keys were first put.
 */
export interface ReferenceEntry {
  readonly state: string;
  readonly key: Key;
  readonly namespace: Namespace;
  /** With a time to live: the value and the time of its last update. */
  readonly value: unknown;
  /** From when on it is not there for who reads it. */
  readonly expiresAtMs?: TimestampMs;
}

/** What the states of reduce and window operators are called in snapshots (part of their format). */
export const REDUCE_STATE_NAME = "reduce";
export const WINDOW_STATE_NAME = "window-contents";

interface Cell {
  readonly key: Key;
  value: unknown;
}

interface Table {
  readonly descriptor: StateDescriptor<unknown>;
  readonly cells: Map<string, Cell>;
  readonly handle: unknown;
}

/** The keyed state of one process operator of the reference: plain maps by canonical key. */
export class ReferenceKeyedState {
  readonly #tables: Map<string, Table> = new Map();
  readonly #nowMs: () => TimestampMs;
  /** How often state was asked for that was expired. */
  expirations = 0;
  #key: Key = "";
  #canonical = "";

  /** `nowMs`: the processing time, for state that expires. */
  constructor(nowMs: () => TimestampMs = () => 0) {
    this.#nowMs = nowMs;
  }

  setCurrentKey(key: Key): void {
    this.#key = key;
    this.#canonical = canonicalKey(key);
  }

  currentKey(): Key {
    return this.#key;
  }

  currentCanonicalKey(): string {
    return this.#canonical;
  }

  bind<S>(descriptor: StateDescriptor<S>): S {
    let table = this.#tables.get(descriptor.name);
    if (table === undefined) {
      const cells = new Map<string, Cell>();
      table = { descriptor, cells, handle: this.#handle(descriptor, cells) };
      this.#tables.set(descriptor.name, table);
    }
    invariant(table.descriptor.kind === descriptor.kind, `state "${descriptor.name}" has one kind`);
    return table.handle as S;
  }

  /** Takes over what another one holds of some keys. */
  adopt(other: ReferenceKeyedState, owns: (key: Key) => boolean): void {
    for (const [name, { descriptor, cells }] of other.#tables) {
      this.bind(descriptor);
      const own = present(this.#tables.get(name), "a state that is bound has a table").cells;
      for (const [canonical, cell] of cells) if (owns(cell.key)) own.set(canonical, cell);
    }
  }

  /** Every entry by canonical key; keys without state have none. */
  entriesByKey(): ReadonlyMap<string, readonly ReferenceEntry[]> {
    const byKey = new Map<string, ReferenceEntry[]>();
    for (const [state, { descriptor, cells }] of this.#tables) {
      for (const [canonical, { key, value }] of cells) {
        const entry = {
          state,
          key,
          namespace: "",
          value: descriptor.kind === "map" ? mapEntries(value) : value,
          ...(descriptor.ttl !== null && { expiresAtMs: (value as TimedValue).lastUpdateMs + descriptor.ttl.ttlMs }),
        };
        const entries = byKey.get(canonical);
        if (entries === undefined) byKey.set(canonical, [entry]);
        else entries.push(entry);
      }
    }
    return byKey;
  }

  /** A value that is never given out once it is expired; asking for it then removes it. */
  #expiringValue(ttl: TtlConfig, read: () => unknown, write: (value: unknown) => void, defaultValue: unknown): ValueState<unknown> {
    return {
      value: () => {
        const kept = read() as TimedValue | undefined;
        if (kept === undefined) return defaultValue ?? null;
        const lastUpdateMs = this.#nowMs();
        if (lastUpdateMs - kept.lastUpdateMs >= ttl.ttlMs) {
          this.expirations += 1;
          write(null);
          return defaultValue ?? null;
        }
        if (ttl.update === "on-read-and-write") write({ value: kept.value, lastUpdateMs });
        return kept.value;
      },
      update: (value) => write(value === null ? null : { value, lastUpdateMs: this.#nowMs() }),
      clear: () => write(null),
    };
  }

  #handle({ kind, defaultValue, fold, ttl }: StateDescriptor<unknown>, cells: Map<string, Cell>): unknown {
    const read = (): unknown => cells.get(this.#canonical)?.value;
    const write = (value: unknown): void => {
      if (value === null || value === undefined) cells.delete(this.#canonical);
      else cells.set(this.#canonical, { key: this.#key, value });
    };
    switch (kind) {
      case "value":
        return ttl === null ? valueHandle(read, write, defaultValue) : this.#expiringValue(ttl, read, write, defaultValue);
      case "list":
        return listHandle(read, write);
      case "map":
        return mapHandle(read, write);
      case "reducing":
      case "aggregating":
        return foldHandle(read, write, present(fold, `${kind} state has a fold`));
      default:
        return unreachable(kind, "ReferenceKeyedState");
    }
  }
}

/** A value with a time to live, as a snapshot holds it. */
interface TimedValue {
  readonly value: unknown;
  readonly lastUpdateMs: TimestampMs;
}

function valueHandle(read: () => unknown, write: (value: unknown) => void, defaultValue: unknown): ValueState<unknown> {
  return {
    value: () => read() ?? defaultValue ?? null,
    update: write,
    clear: () => write(null),
  };
}

function listHandle(read: () => unknown, write: (value: unknown) => void): ListState<unknown> {
  const get = (): readonly unknown[] => (read() as readonly unknown[] | undefined) ?? [];
  const update = (values: readonly unknown[]): void => write(values.length === 0 ? null : [...values]);
  return {
    get,
    add: (value) => update([...get(), value]),
    addAll: (values) => update([...get(), ...values]),
    update,
    clear: () => write(null),
  };
}

/** Kept as an immutable Map from canonical key to [key, value]: what `entries` gave out stays as it was. */
type Entries = ReadonlyMap<string, readonly [Key, unknown]>;

function mapHandle(read: () => unknown, write: (value: unknown) => void): MapState<Key, unknown> {
  const get = (): Entries => (read() as Entries | undefined) ?? new Map();
  return {
    get: (key) => get().get(canonicalKey(key))?.[1] ?? null,
    contains: (key) => get().has(canonicalKey(key)),
    put: (key, value) => write(new Map(get()).set(canonicalKey(key), [key, value])),
    remove: (key) => {
      const entries = new Map(get());
      entries.delete(canonicalKey(key));
      write(entries.size === 0 ? null : entries);
    },
    entries: () => [...get().values()],
    isEmpty: () => get().size === 0,
    clear: () => write(null),
  };
}

function foldHandle(read: () => unknown, write: (value: unknown) => void, fold: StateFold): AggregatingState<unknown, unknown> {
  return {
    get: () => {
      const accumulator = read();
      return accumulator === undefined ? null : fold.getResult(accumulator);
    },
    add: (value) => {
      if (value !== null) write(fold.add(value, read() ?? fold.createAccumulator()));
    },
    clear: () => write(null),
  };
}

function mapEntries(value: unknown): readonly (readonly [Key, unknown])[] {
  return [...(value as Entries).values()];
}
