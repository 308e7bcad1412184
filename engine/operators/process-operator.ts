import type { KeyedProcessFunction, KeySelector } from "../api/functions.ts";
import type { TimestampMs } from "../base/units.ts";
import type { ProcessNode } from "../graph/stream-graph.ts";
import type { OperatorContext } from "./operator.ts";
import { ProcessFunctionOperator } from "./process-function-operator.ts";

/** Runs a KeyedProcessFunction. */
export class ProcessOperator extends ProcessFunctionOperator<KeyedProcessFunction<unknown, unknown>> {
  readonly #keySelector: KeySelector<unknown>;

  constructor(node: ProcessNode, context: OperatorContext) {
    super(node.fn, context);
    this.#keySelector = node.keySelector;
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    const keySelector = this.#keySelector;
    this.begin(keySelector(value), timestampMs);
    this.fn.processElement(value, this.current, this.collect);
  }
}
