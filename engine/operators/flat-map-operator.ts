import type { FlatMapFunction } from "../api/functions.ts";
import type { TimestampMs } from "../base/units.ts";
import { NO_TIMESTAMP } from "../base/units.ts";
import type { FlatMapNode } from "../graph/stream-graph.ts";
import type { OperatorContext } from "./operator.ts";
import { StatelessOperator } from "./stateless-operator.ts";

export class FlatMapOperator extends StatelessOperator {
  readonly #fn: FlatMapFunction<unknown, unknown>;
  readonly #collect: (value: unknown) => void;
  /** Of the record at hand: what it becomes carries its timestamp. */
  #timestampMs: TimestampMs = NO_TIMESTAMP;

  constructor(node: FlatMapNode, context: OperatorContext) {
    super();
    this.#fn = node.fn;
    const output = context.output;
    this.#collect = (value): void => output.collect(value, this.#timestampMs);
  }

  override processElement(value: unknown, timestampMs: TimestampMs): void {
    this.#timestampMs = timestampMs;
    const fn = this.#fn;
    fn(value, this.#collect);
  }
}
