import fc from "fast-check";
import { expect, test } from "vitest";
import type { DataStream } from "#whitewater/engine/api/data-stream.js";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { buildJobGraph } from "#whitewater/engine/graph/build-job-graph.js";
import { failoverRegions } from "#whitewater/engine/graph/failover-regions.js";
import type { JobGraph } from "#whitewater/engine/graph/job-graph.js";

const sink = new DiscardingSink<string>();

function source(env: StreamExecutionEnvironment, name: string): DataStream<string> {
  return env.fromSource(new LogSource<string>("in"), WatermarkStrategies.noWatermarks(), name);
}

/** Each region as the names of its subtasks. */
function regionsOf(graph: JobGraph, strategy: "job" | "region" = "region"): readonly (readonly string[])[] {
  return failoverRegions(graph, strategy).all.map(({ subtasks }) =>
    subtasks.map(({ vertex, subtask }) => `${graph.vertices[vertex]?.name}[${subtask}]`),
  );
}

test("parallel pipelines of forward edges are a region each", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(3);
  source(env, "in").map((word) => word).sinkTo(sink);
  const graph = buildJobGraph(env.execute("job"));
  expect(graph.vertices.length).toBe(1);
  expect(regionsOf(graph)).toEqual([["in -> map -> discard[0]"], ["in -> map -> discard[1]"], ["in -> map -> discard[2]"]]);
});

test("forward edges between chains join equal subtasks alone", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  source(env, "left").union(source(env, "right")).sinkTo(sink);
  const graph = buildJobGraph(env.execute("job"));
  expect(regionsOf(graph)).toEqual([
    ["left[0]", "right[0]", "discard[0]"],
    ["left[1]", "right[1]", "discard[1]"],
  ]);
});

test.each([
  ["keyBy", (stream: DataStream<string>) => stream.keyBy((word) => word).reduce((word) => word)],
  ["rebalance", (stream: DataStream<string>) => stream.rebalance().map((word) => word)],
])("one %s makes one region of all that it joins", (_what, exchange) => {
  const env = StreamExecutionEnvironment.create().setParallelism(3);
  exchange(source(env, "in")).sinkTo(sink);
  expect(regionsOf(buildJobGraph(env.execute("job"))).length).toBe(1);
});

test("two disjoint pipelines in one job are two regions, and one more where an end of one is parallel", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  source(env, "a").keyBy((word) => word).reduce((word) => word).name("sum-a").sinkTo(sink);
  source(env, "b").keyBy((word) => word).reduce((word) => word).name("sum-b").sinkTo(sink);
  source(env, "c").sinkTo(sink);
  expect(regionsOf(buildJobGraph(env.execute("job")))).toEqual([
    ["a[0]", "a[1]", "sum-a -> discard[0]", "sum-a -> discard[1]"],
    ["b[0]", "b[1]", "sum-b -> discard-2[0]", "sum-b -> discard-2[1]"],
    ["c -> discard-3[0]"],
    ["c -> discard-3[1]"],
  ]);
});

test("pipelines that meet in a union are one region from there on, and back to their sources", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  const left = source(env, "left");
  left.union(source(env, "right")).keyBy((word) => word).reduce((word) => word).sinkTo(sink);
  left.sinkTo(sink);
  expect(regionsOf(buildJobGraph(env.execute("job"))).length).toBe(1);
});

test("the strategy job makes one region of everything", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  source(env, "a").sinkTo(sink);
  source(env, "b").sinkTo(sink);
  expect(regionsOf(buildJobGraph(env.execute("job")), "job").length).toBe(1);
});

/** Pipelines by how they are built: each step goes on forward or exchanges, at some parallelism. */
const pipelines = fc.array(
  fc.array(fc.record({ exchange: fc.boolean(), parallelism: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 4 }),
  { minLength: 1, maxLength: 3 },
);

test("regions part the subtasks, and no channel leads from one into another", () => {
  fc.assert(
    fc.property(pipelines, (shapes) => {
      const env = StreamExecutionEnvironment.create();
      shapes.forEach((steps, index) => {
        let stream = source(env, `in-${index}`);
        for (const { exchange, parallelism } of steps) {
          stream = (exchange ? stream.rebalance() : stream).map((word) => word).setParallelism(parallelism);
        }
        stream.sinkTo(sink);
      });
      const graph = buildJobGraph(env.execute("job"));
      const regions = failoverRegions(graph, "region");
      const names = regionsOf(graph).flat();
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBe(graph.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0));
      expect(regions.all.map(({ index }) => index)).toEqual([...regions.all.keys()]);
      for (const region of regions.all) for (const place of region.subtasks) expect(regions.of(place)).toBe(region);
      for (const { from, to, partitioning } of graph.edges) {
        for (let sender = 0; sender < (graph.vertices[from]?.parallelism ?? 0); sender += 1) {
          for (let receiver = 0; receiver < (graph.vertices[to]?.parallelism ?? 0); receiver += 1) {
            if (partitioning === "forward" && sender !== receiver) continue;
            expect(regions.of({ vertex: from, subtask: sender })).toBe(regions.of({ vertex: to, subtask: receiver }));
          }
        }
      }
    }),
    { seed: 20_260_611, numRuns: 200 },
  );
});
