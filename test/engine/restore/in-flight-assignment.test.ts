import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import type { ChannelContents, ChannelState } from "#whitewater/engine/checkpoint/channel-state.js";
import type { VertexCheckpoint } from "#whitewater/engine/checkpoint/checkpoint-metadata.js";
import type { FileHandle } from "#whitewater/engine/checkpoint/checksummed-file.js";
import type { SubtaskSnapshot } from "#whitewater/engine/checkpoint/snapshot-file.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { buildJobGraph } from "#whitewater/engine/graph/build-job-graph.js";
import type { JobEdge, JobGraph, JobVertex } from "#whitewater/engine/graph/job-graph.js";
import { edgesWithoutPlace, InFlightAssignment } from "#whitewater/engine/restore/in-flight-assignment.js";
import { keyGroupOf, subtaskOfKeyGroup } from "#whitewater/engine/stream/key-groups.js";

const MAX_PARALLELISM = 16;

/** numbers -(hash)-> spread -(rebalance)-> out; a parallelism each. */
function jobWith(numbers: number, spread: number, out: number): JobGraph {
  const env = StreamExecutionEnvironment.create().setMaxParallelism(MAX_PARALLELISM).setBufferElements(4);
  env
    .fromSource(new LogSource<number>("numbers"), WatermarkStrategies.noWatermarks<number>())
    .uid("numbers")
    .setParallelism(numbers)
    .keyBy((value) => value)
    .reduce((left, right) => left + right)
    .uid("spread")
    .setParallelism(spread)
    .rebalance()
    .map((value) => value)
    .uid("out")
    .setParallelism(out)
    .sinkTo(new DiscardingSink())
    .setParallelism(out);
  return buildJobGraph(env.execute("job"));
}

/** The files of a checkpoint of the job, subtask by subtask, from the channel state of each. */
class Checkpoint {
  readonly vertices: VertexCheckpoint[] = [];
  readonly #snapshots: Map<string, SubtaskSnapshot> = new Map();

  constructor(graph: JobGraph, stateOf: (vertex: JobVertex, subtask: number) => ChannelState | null) {
    for (const vertex of graph.vertices) {
      const subtasks = Array.from({ length: vertex.parallelism }, (_, subtask) => {
        const channels = stateOf(vertex, subtask);
        if (channels === null) return null;
        const file = { key: `v${vertex.id}-s${subtask}`, sizeBytes: 1, checksum: 1 };
        this.#snapshots.set(file.key, { checkpointId: 1, vertex: vertex.id, subtask, operators: [], channels });
        const keys = (side: readonly ChannelContents[]) => [...new Set(side.map(({ edge }) => edge))];
        return { file, lists: [], inFlight: { inputs: keys(channels.inputs), outputs: keys(channels.outputs) }, shared: [] };
      });
      this.vertices.push({ vertex: vertex.id, isFinished: false, uids: vertex.chain.map(({ uid }) => uid), subtasks });
    }
  }

  readonly snapshotIn = ({ key }: FileHandle): SubtaskSnapshot => this.#snapshots.get(key) as SubtaskSnapshot;
}

function edgeInto(graph: JobGraph, uid: string): JobEdge {
  return graph.edges.find(({ to }) => graph.vertices[to]?.chain[0]?.uid === uid) as JobEdge;
}

function contents(edge: JobEdge, fromSubtask: number, toSubtask: number, values: readonly number[], watermarkMs: number | null = null): ChannelContents {
  return { edge: edge.key, fromSubtask, toSubtask, buffers: [{ values, timestamps: values.map((value) => value * 10), watermarkMs }] };
}

function valuesOf(channels: readonly ChannelContents[]): [number, ...unknown[]][] {
  return channels.map(({ fromSubtask, buffers }) => [fromSubtask, ...buffers.flatMap(({ values }) => values)]);
}

/** Each old channel of an edge holds the given numbers, the first ones at its receiver, the others at its sender. */
function inFlightOf(graph: JobGraph, uid: string, of: (from: number, to: number) => readonly [readonly number[], readonly number[]]): Checkpoint {
  const edge = edgeInto(graph, uid);
  const senders = graph.vertices[edge.from]?.parallelism as number;
  const receivers = graph.vertices[edge.to]?.parallelism as number;
  const all = (count: number) => [...Array(count).keys()];
  return new Checkpoint(graph, (vertex, subtask) => {
    const inputs = vertex.id === edge.to ? all(senders).map((from) => contents(edge, from, subtask, of(from, subtask)[0], 7)) : [];
    const outputs = vertex.id === edge.from ? all(receivers).map((to) => contents(edge, subtask, to, of(subtask, to)[1])) : [];
    return inputs.length + outputs.length === 0 ? null : { inputs, outputs };
  });
}

function restored(checkpoint: Checkpoint, graph: JobGraph, uid: string, subtask: number) {
  const vertex = graph.vertices.find(({ chain }) => chain[0]?.uid === uid) as JobVertex;
  const assignment = new InFlightAssignment(checkpoint.vertices, { graph, vertex, subtask });
  return { files: assignment.files().map(({ key }) => key), channels: assignment.channels(checkpoint.snapshotIn) };
}

describe("in-flight data of a checkpoint", () => {
  test("goes back to the side that had it where neither changed its parallelism, watermarks and all", () => {
    const graph = jobWith(2, 2, 1);
    const checkpoint = inFlightOf(graph, "spread", (from, to) => [[from * 10 + to], [from * 10 + to + 100]]);
    const receiver = restored(checkpoint, graph, "spread", 1);
    expect(receiver.files).toEqual(["v1-s1"]);
    expect(valuesOf(receiver.channels.inputs)).toEqual([[0, 1], [1, 11]]);
    expect(receiver.channels.inputs[0]?.buffers[0]?.watermarkMs).toBe(7);
    expect(receiver.channels.outputs).toEqual([]);
    const sender = restored(checkpoint, graph, "numbers", 1);
    expect(sender.files).toEqual(["v0-s1"]);
    expect(sender.channels.outputs.map(({ toSubtask, buffers }) => [toSubtask, buffers[0]?.values[0]])).toEqual([[0, 110], [1, 111]]);
  });

  test.each([
    ["of the receiver", [2, 3, 1]],
    ["of the sender alone", [3, 2, 1]],
    ["of both", [1, 4, 1]],
  ] as const)("is taken by the receivers where the parallelism %s changed: by key group, input state first", (_what, [numbers, spread, out]) => {
    const before = jobWith(2, 2, 1);
    const after = jobWith(numbers, spread, out);
    const keys = [...Array(40).keys()];
    const ownerBefore = (key: number) => subtaskOfKeyGroup(keyGroupOf(key, MAX_PARALLELISM), MAX_PARALLELISM, 2);
    // Even numbers were received, odd ones were not sent yet; sender 1 had the greater half.
    const checkpoint = inFlightOf(before, "spread", (from, to) => {
      const mine = keys.filter((key) => (key >= 20) === (from === 1) && ownerBefore(key) === to);
      return [mine.filter((key) => key % 2 === 0), mine.filter((key) => key % 2 === 1)];
    });
    const seen: number[] = [];
    for (let subtask = 0; subtask < spread; subtask += 1) {
      const { channels } = restored(checkpoint, after, "spread", subtask);
      for (const channel of channels.inputs) {
        expect(channel.fromSubtask).toBeLessThan(numbers);
        expect(channel.toSubtask).toBe(subtask);
        const values = channel.buffers.flatMap((one) => one.values) as number[];
        expect(channel.buffers.every((one) => one.watermarkMs === null)).toBe(true);
        expect(channel.buffers.flatMap((one) => one.timestamps)).toEqual(values.map((value) => value * 10));
        for (const value of values) {
          expect(subtaskOfKeyGroup(keyGroupOf(value, MAX_PARALLELISM), MAX_PARALLELISM, spread)).toBe(subtask);
        }
        const firstOdd = values.findIndex((value) => value % 2 === 1);
        expect(values.slice(firstOdd < 0 ? values.length : firstOdd).every((value) => value % 2 === 1)).toBe(true);
        seen.push(...values);
      }
    }
    expect(seen.toSorted((left, right) => left - right)).toEqual(keys);
    for (let subtask = 0; subtask < numbers; subtask += 1) {
      expect(restored(checkpoint, after, "numbers", subtask).channels.outputs).toEqual([]);
    }
  });

  test("of a rebalance edge goes by whole channels, also between stateless operators", () => {
    const before = jobWith(1, 2, 2);
    const after = jobWith(1, 2, 3);
    const checkpoint = inFlightOf(before, "out", (from, to) => [[from * 10 + to, 5], [100 + from * 10 + to]]);
    const perSubtask = [0, 1, 2].map((subtask) => valuesOf(restored(checkpoint, after, "out", subtask).channels.inputs));
    expect(perSubtask).toEqual([
      [[0, 0, 5, 100], [1, 11, 5, 111]],
      [[0, 1, 5, 101]],
      [[1, 10, 5, 110]],
    ]);
  });

  test("is decided edge by edge: a task may take its own back on one side and be taken from on the other", () => {
    const before = jobWith(2, 2, 2);
    const after = jobWith(3, 2, 2);
    const hash = edgeInto(before, "spread");
    const rebalance = edgeInto(before, "out");
    const checkpoint = new Checkpoint(before, (vertex, subtask) =>
      vertex.id !== hash.to
        ? null
        : { inputs: [contents(hash, 0, subtask, [3 + subtask])], outputs: [contents(rebalance, subtask, 1, [50 + subtask])] },
    );
    const spread = restored(checkpoint, after, "spread", 0).channels;
    expect(valuesOf(spread.outputs)).toEqual([[0, 50]]);
    const all = [0, 1].flatMap((subtask) => valuesOf(restored(checkpoint, after, "spread", subtask).channels.inputs));
    expect(all.flatMap(([, ...values]) => values).toSorted()).toEqual([3, 4]);
    expect(restored(checkpoint, after, "out", 1).channels.inputs).toEqual([]);
  });

  test("of an edge that the job does not have is named, so that it can be refused", () => {
    const before = jobWith(2, 2, 2);
    const checkpoint = inFlightOf(before, "out", () => [[1], [2]]);
    expect(edgesWithoutPlace(checkpoint.vertices, jobWith(2, 3, 1))).toEqual([]);
    const env = StreamExecutionEnvironment.create();
    env.fromElements(1).uid("numbers").sinkTo(new DiscardingSink());
    expect(edgesWithoutPlace(checkpoint.vertices, buildJobGraph(env.execute("other")))).toEqual(["spread->out"]);
  });

  test("is restored once each, whatever the parallelism of both sides before and after", () => {
    const parallelism = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(fc.array(parallelism, { minLength: 6, maxLength: 6 }), fc.constantFrom("spread", "out"), (all, uid) => {
        const [a, b, c, d, e, f] = all as [number, number, number, number, number, number];
        const before = jobWith(a, b, c);
        const after = jobWith(d, e, f);
        let next = 0;
        const numbers = new Map<string, readonly [readonly number[], readonly number[]]>();
        const checkpoint = inFlightOf(before, uid, (from, to) => {
          const known = numbers.get(`${from}>${to}`) ?? ([[next++, next++], [next++]] as const);
          numbers.set(`${from}>${to}`, known);
          return known;
        });
        const seen = [];
        for (const vertex of after.vertices) {
          for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) {
            const { channels } = restored(checkpoint, after, vertex.chain[0]?.uid as string, subtask);
            for (const { buffers } of [...channels.inputs, ...channels.outputs]) seen.push(...buffers.flatMap(({ values }) => values as number[]));
          }
        }
        expect(seen.toSorted((left, right) => left - right)).toEqual([...Array(next).keys()]);
      }),
      { numRuns: 60, seed: 20_261_125 },
    );
  });
});
