import type { TimestampMs } from "../../engine/base/units.ts";
import { isKeyed } from "../../engine/graph/keyed-node.ts";
import type { InputIndex, StreamNode } from "../../engine/graph/stream-graph.ts";
import type { Key } from "../../engine/state/state.ts";
import type { ReferenceOperator } from "../reference/dataflow.ts";
import type { RecordIds, Tagged } from "./graph-rewriting-ids.ts";

/** A record on its way into a keyed operator; `next`: another one of the same id. */
export interface Arrival {
  readonly record: Tagged;
  readonly timestampMs: TimestampMs;
  readonly input: InputIndex;
  next: Arrival | null;
}

/** What comes to a keyed operator in a replay, until its subtasks take it. */
export class Arrivals implements ReferenceOperator {
  readonly #node: StreamNode;
  readonly #ids: RecordIds;
  /** Records stay, and may be taken again. */
  readonly #isKept: boolean;
  /** By id. */
  readonly #waiting: Map<number, Arrival> = new Map();
  /** Those that were never taken, where they stay. */
  readonly #open: Set<Arrival> = new Set();
  /** Where records stay: how many of an id's several records each attempt has taken. */
  readonly #taken: WeakMap<object, Map<number, number>> = new WeakMap();

  constructor(node: StreamNode, ids: RecordIds, isKept: boolean) {
    this.#node = node;
    this.#ids = ids;
    this.#isKept = isKept;
  }

  process(value: unknown, timestampMs: TimestampMs): void {
    this.#arrive({ record: value as Tagged, timestampMs, input: 0, next: null });
  }

  process2(value: unknown, timestampMs: TimestampMs): void {
    this.#arrive({ record: value as Tagged, timestampMs, input: 1, next: null });
  }

  /**
   * Takes a record of that id; of several, the first that is for this subtask. Null: there is none. `attempt`:
   * whoever takes; where records stay, each attempt gets each of them once.
   */
  take(id: number, owns: (key: Key) => boolean, attempt: object): Arrival | null {
    const first = this.#waiting.get(id);
    if (first === undefined) return null;
    if (this.#isKept) return this.#takeAgain(first, owns, attempt);
    if (first.next === null) {
      this.#waiting.delete(id);
      return first;
    }
    if (owns(this.#keyOf(first))) {
      this.#waiting.set(id, first.next);
      return first;
    }
    let before = first;
    while (before.next !== null && !owns(this.#keyOf(before.next))) before = before.next;
    const found = before.next;
    if (found !== null) before.next = found.next;
    return found;
  }

  /** Id of a record before the offsets (by uid of the source) that was never taken; null where there is none. */
  firstNotTaken(offsets: ReadonlyMap<string, readonly number[]>): number | null {
    if (!this.#isKept) {
      for (const id of this.#waiting.keys()) return id;
      return null;
    }
    for (const { record } of this.#open) {
      const place = this.#ids.placeOf(record.id);
      if (place !== null && place.offset < (offsets.get(place.uid)?.[place.partition] ?? 0)) return record.id;
    }
    return null;
  }

  #arrive(arrival: Arrival): void {
    if (this.#isKept) this.#open.add(arrival);
    let last = this.#waiting.get(arrival.record.id);
    if (last === undefined) {
      this.#waiting.set(arrival.record.id, arrival);
      return;
    }
    while (last.next !== null) last = last.next;
    last.next = arrival;
  }

  /** An attempt that sees an id sees its records from the first one on, in order. */
  #takeAgain(first: Arrival, owns: (key: Key) => boolean, attempt: object): Arrival | null {
    if (first.next === null) {
      this.#open.delete(first);
      return first;
    }
    const taken = this.#taken.get(attempt) ?? new Map<number, number>();
    this.#taken.set(attempt, taken);
    let left = taken.get(first.record.id) ?? 0;
    for (let one: Arrival | null = first; one !== null; one = one.next) {
      if (!owns(this.#keyOf(one))) continue;
      if (left > 0) {
        left -= 1;
        continue;
      }
      taken.set(first.record.id, (taken.get(first.record.id) ?? 0) + 1);
      this.#open.delete(one);
      return one;
    }
    return null;
  }

  #keyOf({ record, input }: Arrival): Key {
    const node = this.#node;
    if (!isKeyed(node)) return "";
    const keySelector = node.kind === "coProcess" ? node.keySelectors[input] : node.keySelector;
    return keySelector(record);
  }
}
