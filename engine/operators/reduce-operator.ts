import type { KeySelector, ReduceFunction } from "../api/functions.ts";
import { invariant } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import type { ReduceNode } from "../graph/stream-graph.ts";
import { valueState } from "../state/descriptors.ts";
import type { ValueState } from "../state/state.ts";
import { KeyedOperator } from "./keyed-operator.ts";
import type { OperatorContext, Output } from "./operator.ts";

/** Name of the state that holds the running value of each key. */
export const REDUCE_STATE = "reduce";

/** Keyed running reduce: emits the new value of the key for every record. */
export class ReduceOperator extends KeyedOperator {
  readonly #keySelector: KeySelector<unknown>;
  readonly #fn: ReduceFunction<unknown>;
  readonly #output: Output;
  #value!: ValueState<unknown>;

  constructor(node: ReduceNode, context: OperatorContext) {
    super(context);
    this.#keySelector = node.keySelector;
    this.#fn = node.fn;
    this.#output = context.output;
  }

  override open(): void {
    super.open();
    this.#value = this.backend.bind(valueState<unknown>(REDUCE_STATE)).state;
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    const keySelector = this.#keySelector;
    this.backend.setCurrentKey(keySelector(value));
    const before = this.#value.value();
    let after = value;
    if (before !== null) {
      const fn = this.#fn;
      after = fn(before, value);
    }
    this.#value.update(after);
    this.#output.collect(after, timestampMs);
  }

  protected override onTimer(): void {
    invariant(false, "a running reduce registers no timers");
  }
}
