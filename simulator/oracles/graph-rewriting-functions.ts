import type { AggregateFunction, KeySelector } from "../../engine/api/functions.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import type { ReduceNode, WindowNode } from "../../engine/graph/stream-graph.ts";
import { USER_CALLS } from "../trace/kinds.ts";
import type { UserCodeGate } from "./graph-rewriting-gate.ts";
import type { Tagged } from "./graph-rewriting-ids.ts";

/** What the user functions of a keyed operator tell of what it does, and where its new records get ids. */
export interface Lineage {
  isRepeatable: boolean;
  record(id: number, applied: 0 | 1): void;
  applied(): void;
  /** The processing time at which the last record is looked at: what decides about state that expires. */
  at(nowMs: TimestampMs): void;
  derive(): number;
}

/** The value of a reduce's state: the running value, how many records went into it, and the sum of their ids. */
export interface ShadowedValue extends Tagged {
  /** Of the reduce that made it: for any other one it is a record like any. */
  readonly node: number;
  readonly count: number;
  readonly sum: number;
}

/** A window's accumulator: the user's, count and sum. Null stays null, so that an empty window stays empty. */
export type ShadowedAccumulator = readonly [accumulator: unknown, count: number, sum: number];

/** Name of the state in which a process operator keeps count and sum of each key. */
export const SHADOW_STATE = "whitewater/shadow";
export type Shadow = readonly [count: number, sum: number];

/** The key selector of a keyed operator itself (that of its edges runs elsewhere). */
export function observingSelector(selector: KeySelector<any>, lineage: Lineage, applied: 0 | 1): KeySelector<Tagged> {
  return (record) => {
    lineage.record(record.id, applied);
    return selector(record.value);
  };
}

export function shadowedReduce(node: ReduceNode, gate: UserCodeGate): (left: Tagged, right: Tagged) => ShadowedValue {
  const { fn, id } = node;
  return (left, right) => {
    gate.before(USER_CALLS.process);
    const value = gate.emitted(fn(left.value, right.value));
    gate.after();
    const before = left as ShadowedValue;
    return before.node === id
      ? { id: right.id, value, node: id, count: before.count + 1, sum: before.sum + right.id }
      : { id: right.id, value, node: id, count: 2, sum: left.id + right.id };
  };
}

export class ShadowedAggregate implements AggregateFunction<Tagged, ShadowedAccumulator | null, unknown> {
  readonly merge?: (left: ShadowedAccumulator | null, right: ShadowedAccumulator | null) => ShadowedAccumulator;
  readonly #fn: AggregateFunction<unknown, unknown, unknown>;
  readonly #gate: UserCodeGate;
  readonly #lineage: Lineage;
  /** Results go out as they are, without a window function. */
  readonly #emits: boolean;

  constructor({ aggregate, windowFn }: WindowNode, gate: UserCodeGate, lineage: Lineage) {
    this.#fn = aggregate;
    this.#gate = gate;
    this.#lineage = lineage;
    this.#emits = windowFn === null;
    if (aggregate.merge !== undefined) {
      this.merge = (left, right) => [
        aggregate.merge?.(left?.[0] ?? null, right?.[0] ?? null),
        (left?.[1] ?? 0) + (right?.[1] ?? 0),
        (left?.[2] ?? 0) + (right?.[2] ?? 0),
      ];
    }
  }

  createAccumulator(): ShadowedAccumulator {
    return [this.#fn.createAccumulator(), 0, 0];
  }

  add(record: Tagged, before: ShadowedAccumulator | null): ShadowedAccumulator | null {
    this.#lineage.applied();
    const gate = this.#gate;
    gate.before(USER_CALLS.process);
    const accumulator = gate.emitted(this.#fn.add(record.value, before === null ? null : before[0]));
    gate.after();
    if (accumulator === null || before === null) return null;
    return [accumulator, before[1] + 1, before[2] + record.id];
  }

  getResult(accumulator: ShadowedAccumulator): unknown {
    const gate = this.#gate;
    gate.before(USER_CALLS.timer);
    const result = this.#fn.getResult(accumulator[0]);
    gate.after();
    return this.#emits ? { id: this.#lineage.derive(), value: gate.emitted(result) } : result;
  }
}
