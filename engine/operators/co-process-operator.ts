import type { KeyedCoProcessFunction, KeySelector } from "../api/functions.ts";
import type { TimestampMs } from "../base/units.ts";
import type { CoProcessNode } from "../graph/stream-graph.ts";
import type { OperatorContext } from "./operator.ts";
import { ProcessFunctionOperator } from "./process-function-operator.ts";

/** Runs a KeyedCoProcessFunction: two inputs, one state, one set of timers. */
export class CoProcessOperator extends ProcessFunctionOperator<KeyedCoProcessFunction<unknown, unknown, unknown>> {
  readonly #keySelector1: KeySelector<unknown>;
  readonly #keySelector2: KeySelector<unknown>;

  constructor(node: CoProcessNode, context: OperatorContext) {
    super(node.fn, context);
    const [keySelector1, keySelector2] = node.keySelectors;
    this.#keySelector1 = keySelector1;
    this.#keySelector2 = keySelector2;
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    const keySelector = this.#keySelector1;
    this.begin(keySelector(value), timestampMs);
    this.fn.processElement1(value, this.current, this.collect);
  }

  override processElement2(value: unknown, timestampMs: TimestampMs): void {
    const keySelector = this.#keySelector2;
    this.begin(keySelector(value), timestampMs);
    this.fn.processElement2(value, this.current, this.collect);
  }
}
