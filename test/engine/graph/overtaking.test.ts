import { describe, expect, test } from "vitest";
import type { SingleOutputStreamOperator } from "#whitewater/engine/api/data-stream.js";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { buildJobGraph } from "#whitewater/engine/graph/build-job-graph.js";
import { mayOvertake } from "#whitewater/engine/graph/overtaking.js";

type Words = SingleOutputStreamOperator<string>;

/** What may be overtaken in a job with two sources, edge by edge. */
function overtaking(connect: (left: Words, right: Words) => { sinkTo(sink: DiscardingSink<string>): unknown }): Readonly<Record<string, boolean>> {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  const source = (name: string): Words => env.fromSource(new LogSource<string>(name), WatermarkStrategies.noWatermarks<string>(), name).uid(name);
  connect(source("left"), source("right")).sinkTo(new DiscardingSink<string>());
  const graph = buildJobGraph(env.execute("job"));
  const nameOf = (vertex: number): string => graph.vertices[vertex]?.name ?? "";
  return Object.fromEntries(graph.edges.map((edge) => [`${nameOf(edge.from)} ${edge.partitioning} ${nameOf(edge.to)}`, mayOvertake(graph, edge)]));
}

describe("barriers may overtake data", () => {
  test("on edges by key and by turns", () => {
    const edges = overtaking((left, right) => left.rebalance().union(right.rebalance()).map((word) => word).keyBy((word) => word).reduce((word) => word));
    expect(edges).toEqual({ "left rebalance map": true, "right rebalance map": true, "map hash reduce -> discard": true });
  });

  test("never on a broadcast edge, whose receivers would each keep another part (FLINK-22815)", () => {
    expect(overtaking((left) => left.broadcast().map((word) => word))).toEqual({ "left broadcast map -> discard": false });
  });

  test("never on a forward edge that is not chained, nor on any other edge into the same task", () => {
    const edges = overtaking((left, right) => left.union(right.rebalance()).map((word) => word));
    expect(edges).toEqual({ "left forward map -> discard": false, "right rebalance map -> discard": false });
  });

  test("on the other edges of a job that has such ones", () => {
    const edges = overtaking((left, right) => left.broadcast().union(right.rebalance()).map((word) => word).keyBy((word) => word).reduce((word) => word));
    expect(edges).toEqual({ "left broadcast map": false, "right rebalance map": false, "map hash reduce -> discard": true });
  });
});
