import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import { IN_ALL_COMBINATIONS, smallEnvironment, smallTopic } from "./small-job.ts";

interface Vote {
  readonly candidate: string;
  readonly votes: number;
}

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  env
    .fromSource(new LogSource<Vote>("votes"), WatermarkStrategies.noWatermarks<Vote>())
    .uid("votes")
    .keyBy(({ candidate }) => candidate)
    .reduce((sum, { votes }) => ({ candidate: sum.candidate, votes: sum.votes + votes }))
    .uid("standing")
    .name("standing")
    .rebalance()
    .sinkTo(new TransactionalLogSink<Vote>({ topic: "standings" }))
    .uid("standings");
  return env.execute("Shuffled Sink");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  return [
    smallTopic<Vote>(random("votes"), {
      topic: "votes",
      partitions: 3,
      least: 120,
      most: 240,
      keyOf: ({ candidate }) => candidate,
      draw: (draws) => ({ candidate: `candidate-${draws.below(9)}`, votes: 1 + draws.below(3) }),
    }),
  ];
}

export const matrixShuffledSink: Scenario = defineScenario({
  name: "matrix-shuffled-sink",
  title: "a sink behind a shuffle",
  doc: `Votes are added up for each candidate, and every new standing is dealt out in turn over the subtasks of a
transactional sink, which is a vertex of its own: what one keyed subtask emits lies in the transactions of several
sinks, and a checkpoint must cut all of them at the same place. The order of the output is not promised, what it
holds is.

Hunts: sinks that commit more or less than the state behind them holds, records in flight before a sink that are
lost or written twice, transactions of subtasks that no longer exist after the parallelism changed.`,
  job,
  workload,
  outputs: [{ topic: "standings", partitions: 2, keyOf: null }],
  ...IN_ALL_COMBINATIONS,
});
