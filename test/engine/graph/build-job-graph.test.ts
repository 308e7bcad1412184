import { expect, test } from "vitest";
import type { SingleOutputStreamOperator } from "#whitewater/engine/api/data-stream.js";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { outputTag } from "#whitewater/engine/api/functions.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { buildJobGraph } from "#whitewater/engine/graph/build-job-graph.js";
import type { JobGraph } from "#whitewater/engine/graph/job-graph.js";

const sink = new DiscardingSink<unknown>();

function source(env: StreamExecutionEnvironment, name: string): SingleOutputStreamOperator<string> {
  return env.fromSource(new LogSource<string>("in"), WatermarkStrategies.noWatermarks(), name);
}

function verticesOf(graph: JobGraph): readonly string[] {
  return graph.vertices.map((vertex) => `${vertex.name} x${vertex.parallelism}`);
}

function edgesOf(graph: JobGraph): readonly string[] {
  return graph.edges.map((edge) => {
    const fromNode = graph.vertices[edge.from]?.chain.find((node) => node.id === edge.fromNode)?.name;
    return `${fromNode} ${edge.partitioning} ${graph.vertices[edge.to]?.chain[0]?.name}`;
  });
}

test("forward edges of equal parallelism are chained, keyed operators begin a chain", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  source(env, "words")
    .map((word) => word)
    .keyBy((word) => word)
    .reduce((word) => word)
    .name("sum")
    .filter(() => true)
    .sinkTo(sink)
    .setParallelism(1);
  const graph = buildJobGraph(env.execute("job"));
  expect(verticesOf(graph)).toEqual(["words -> map x2", "sum -> filter x2", "discard x1"]);
  expect(edgesOf(graph)).toEqual(["map hash sum", "filter rebalance discard"]);
  expect(graph.edges[0]?.keySelector).not.toBeNull();
  expect(graph.vertices.map((vertex) => [vertex.inputs.length, vertex.outputs.length])).toEqual([
    [0, 1],
    [1, 1],
    [1, 0],
  ]);
});

test("a keyed operator begins a chain at parallelism 1, too, and so does whatever follows a rebalance", () => {
  const env = StreamExecutionEnvironment.create();
  source(env, "words").keyBy((word) => word).reduce((word) => word).rebalance().sinkTo(sink);
  expect(verticesOf(buildJobGraph(env.execute("job")))).toEqual(["words x1", "reduce x1", "discard x1"]);
});

test("a union begins a chain and keeps one edge for each stream, also for the same one twice", () => {
  const env = StreamExecutionEnvironment.create();
  const left = source(env, "left");
  left.union(source(env, "right"), left).map((word) => word).sinkTo(sink);
  const graph = buildJobGraph(env.execute("job"));
  expect(verticesOf(graph)).toEqual(["left x1", "right x1", "map -> discard x1"]);
  expect(edgesOf(graph)).toEqual(["left forward map", "right forward map", "left forward map"]);
  expect(graph.edges.map((edge) => edge.id)).toEqual([0, 1, 2]);
});

test("a chain branches, over side outputs too", () => {
  const env = StreamExecutionEnvironment.create();
  const mapped = source(env, "words").map((word) => word);
  mapped.filter(() => true).sinkTo(sink).name("kept");
  mapped.getSideOutput(outputTag<string>("late")).sinkTo(sink).name("late");
  const graph = buildJobGraph(env.execute("job"));
  expect(verticesOf(graph)).toEqual(["words -> map -> (filter -> kept, late) x1"]);
  expect(graph.edges).toEqual([]);
});

test("vertices come in topological order with their positions as ids", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(3);
  const first = source(env, "a");
  const keyed = first.keyBy((word) => word).reduce((word) => word);
  const second = source(env, "b");
  keyed.union(second).keyBy((word) => word).reduce((word) => word).sinkTo(sink);
  const graph = buildJobGraph(env.execute("job"));
  expect(graph.vertices.map((vertex) => vertex.id)).toEqual([0, 1, 2, 3]);
  expect(graph.edges.every((edge) => edge.from < edge.to)).toBe(true);
  expect(graph.vertices.flatMap((vertex) => vertex.inputs).map((edge) => edge.id).toSorted()).toEqual([0, 1, 2]);
});

test("vertices of one name are told apart, always in the same way", () => {
  const env = StreamExecutionEnvironment.create();
  source(env, "s").sinkTo(sink);
  source(env, "t").sinkTo(sink);
  const graph = env.execute("job");
  const twins = { ...graph, nodes: graph.nodes.map((node) => ({ ...node, name: node.kind })) };
  expect(verticesOf(buildJobGraph(twins))).toEqual(["source -> sink x1", "source -> sink-2 x1"]);
});

test("a graph whose nodes are out of order is a bug, not a job", () => {
  const env = StreamExecutionEnvironment.create();
  source(env, "s").sinkTo(sink);
  const graph = env.execute("job");
  expect(() => buildJobGraph({ ...graph, nodes: graph.nodes.toReversed() })).toThrow(/id of its position/);
});

test("an operator with two inputs begins a chain, and its edges say which input they feed", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  const left = source(env, "left").union(source(env, "more"));
  left
    .connect(source(env, "right"))
    .keyBy((word) => word, (word) => word)
    .process({ processElement1: () => undefined, processElement2: () => undefined })
    .name("both")
    .map((word) => word)
    .sinkTo(sink);
  const graph = buildJobGraph(env.execute("job"));
  expect(verticesOf(graph)).toEqual(["left x2", "more x2", "right x2", "both -> map -> discard x2"]);
  expect(edgesOf(graph)).toEqual(["left hash both", "more hash both", "right hash both"]);
  expect(graph.edges.map(({ input }) => input)).toEqual([0, 0, 1]);
});

test("a stream reinterpreted as keyed stays in its chain: two keyed operators run in one task", () => {
  const env = StreamExecutionEnvironment.create().setParallelism(2);
  const counted = source(env, "words").keyBy((word) => word).reduce((word) => word).name("first");
  counted.filter(() => true).reinterpretAsKeyedStream((word) => word).reduce((word) => word).name("second").sinkTo(sink);
  expect(verticesOf(buildJobGraph(env.execute("job")))).toEqual(["words x2", "first -> filter -> second -> discard x2"]);
});
