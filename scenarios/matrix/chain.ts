import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../../engine/api/functions.ts";
import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { mapState } from "../../engine/state/descriptors.ts";
import type { MapState } from "../../engine/state/state.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import { IN_ALL_COMBINATIONS, keyedSink, smallEnvironment, smallTopic } from "./small-job.ts";

interface Click {
  readonly user: string;
  readonly clicks: number;
}

/** The running number of a user's clicks at the first and the last click of a second. */
interface Second {
  readonly user: string;
  readonly endMs: number;
  readonly from: number;
  readonly to: number;
}

type Span = readonly [from: number, to: number];

/** For each second in which a user clicked: from which number of clicks to which. */
class ClicksPerSecond implements KeyedProcessFunction<Click, Second> {
  /** By the end of a second: the watermark may be some seconds behind. */
  #spans!: MapState<number, Span>;

  open(context: RuntimeContext): void {
    this.#spans = context.getState(mapState<number, Span>("spans"));
  }

  processElement({ clicks }: Click, context: ProcessContext): void {
    const atMs = context.timestampMs() ?? 0;
    const endMs = atMs - (atMs % 1000) + 1000;
    const span = this.#spans.get(endMs);
    this.#spans.put(endMs, [span === null ? clicks : span[0], clicks]);
    context.timers.registerEventTimeTimer(endMs - 1);
  }

  onTimer(timestampMs: number, context: ProcessContext, collect: (value: Second) => void): void {
    const endMs = timestampMs + 1;
    const span = this.#spans.get(endMs);
    if (span === null) return;
    collect({ user: String(context.currentKey()), endMs, from: span[0], to: span[1] });
    this.#spans.remove(endMs);
  }
}

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  env
    .fromSource(new LogSource<Click>("clicks"), WatermarkStrategies.forMonotonousTimestamps<Click>())
    .uid("clicks")
    .keyBy(({ user }) => user)
    .reduce((sum, { clicks }) => ({ user: sum.user, clicks: sum.clicks + clicks }))
    .uid("total")
    .name("total")
    .reinterpretAsKeyedStream(({ user }) => user)
    .process(new ClicksPerSecond())
    .uid("per-second")
    .name("per-second")
    .sinkTo(keyedSink<Second>("seconds", ({ user }) => user))
    .uid("seconds");
  return env.execute("Chain");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  return [
    smallTopic<Click>(random("clicks"), {
      topic: "clicks",
      partitions: 3,
      least: 100,
      most: 200,
      keyOf: ({ user }) => user,
      draw: (draws) => ({ user: `user-${draws.below(12)}`, clicks: 1 }),
    }),
  ];
}

export const matrixChain: Scenario = defineScenario({
  name: "matrix-chain",
  title: "two keyed operators in one chain",
  doc: `Clicks are counted for each user by a running reduce; behind it, in the same chain because its output is
reinterpreted as keyed, a process function with timers of event time notes from which count to which each second
went. One task holds the state of both, in one snapshot, under the same key groups.

Every count and the ends of every second have one right answer: a click that is lost or counted twice in the first
operator shows in the second, and one between the two as a gap.

Hunts: two states of one chain that are mixed up, restored one without the other, or found under the wrong
operator; local copies of which only one is whole.`,
  job,
  workload,
  outputs: [{ topic: "seconds", partitions: 2, keyOf: (value) => (value as Second).user }],
  ...IN_ALL_COMBINATIONS,
});
