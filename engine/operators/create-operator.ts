import { unreachable } from "../base/assert.ts";
import type { StreamNode } from "../graph/stream-graph.ts";
import { CoProcessOperator } from "./co-process-operator.ts";
import { FilterOperator } from "./filter-operator.ts";
import { FlatMapOperator } from "./flat-map-operator.ts";
import { MapOperator } from "./map-operator.ts";
import type { OperatorContext, StreamOperator } from "./operator.ts";
import { ProcessOperator } from "./process-operator.ts";
import { ReduceOperator } from "./reduce-operator.ts";
import { SinkOperator } from "./sink-operator.ts";
import { PartitionedSourceOperator } from "./source-operator.ts";
import { WindowOperator } from "./window-operator.ts";

/** The operator that runs a node of the graph. */
export function createOperator(node: StreamNode, context: OperatorContext): StreamOperator {
  switch (node.kind) {
    case "source":
      return new PartitionedSourceOperator(node, context);
    case "map":
      return new MapOperator(node, context);
    case "flatMap":
      return new FlatMapOperator(node, context);
    case "filter":
      return new FilterOperator(node, context);
    case "reduce":
      return new ReduceOperator(node, context);
    case "process":
      return new ProcessOperator(node, context);
    case "coProcess":
      return new CoProcessOperator(node, context);
    case "window":
      return new WindowOperator(node, context);
    case "sink":
      return new SinkOperator(node, context);
    default:
      return unreachable(node, "createOperator");
  }
}
