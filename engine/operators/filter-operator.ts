import type { FilterFunction } from "../api/functions.ts";
import type { TimestampMs } from "../base/units.ts";
import type { FilterNode } from "../graph/stream-graph.ts";
import type { OperatorContext, Output } from "./operator.ts";
import { StatelessOperator } from "./stateless-operator.ts";

export class FilterOperator extends StatelessOperator {
  readonly #fn: FilterFunction<unknown>;
  readonly #output: Output;

  constructor(node: FilterNode, context: OperatorContext) {
    super();
    this.#fn = node.fn;
    this.#output = context.output;
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    const fn = this.#fn;
    if (fn(value)) this.#output.collect(value, timestampMs);
  }
}
