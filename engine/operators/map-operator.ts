import type { MapFunction } from "../api/functions.ts";
import type { TimestampMs } from "../base/units.ts";
import type { MapNode } from "../graph/stream-graph.ts";
import type { OperatorContext, Output } from "./operator.ts";
import { StatelessOperator } from "./stateless-operator.ts";

export class MapOperator extends StatelessOperator {
  readonly #fn: MapFunction<unknown, unknown>;
  readonly #output: Output;

  constructor(node: MapNode, context: OperatorContext) {
    super();
    this.#fn = node.fn;
    this.#output = context.output;
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    const fn = this.#fn;
    this.#output.collect(fn(value), timestampMs);
  }
}
