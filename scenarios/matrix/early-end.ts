import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import type { SmallTopic } from "./small-job.ts";
import { IN_ALL_COMBINATIONS, keyedSink, SMALL_WORKLOAD_MS, smallEnvironment, smallTopic } from "./small-job.ts";

interface Sale {
  readonly item: string;
  readonly sold: number;
}

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  const watermarks = WatermarkStrategies.noWatermarks<Sale>();
  const backlog = env.fromSource(new LogSource<Sale>("backlog"), watermarks).uid("backlog");
  const sales = env.fromSource(new LogSource<Sale>("sales"), watermarks).uid("sales");
  backlog
    .union(sales)
    .keyBy(({ item }) => item)
    .reduce((sum, { sold }) => ({ item: sum.item, sold: sum.sold + sold }))
    .uid("sold")
    .name("sold")
    .sinkTo(keyedSink<Sale>("totals", ({ item }) => item))
    .uid("totals");
  return env.execute("Early End");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const shape: Omit<SmallTopic<Sale>, "topic" | "partitions"> = {
    least: 60,
    most: 140,
    keyOf: ({ item }) => item,
    draw: (draws) => ({ item: `item-${draws.below(10)}`, sold: 1 }),
  };
  return [
    smallTopic(random("backlog"), { ...shape, topic: "backlog", partitions: 2, untilMs: Math.floor(SMALL_WORKLOAD_MS / 4) }),
    smallTopic(random("sales"), { ...shape, topic: "sales", partitions: 2 }),
  ];
}

export const matrixEarlyEnd: Scenario = defineScenario({
  name: "matrix-early-end",
  title: "a source that finishes long before the other",
  doc: `A backlog and the sales of the day are united and counted for each item. The backlog has ended after a quarter
of the time: from then on checkpoints are taken, and the job is restored, with source subtasks that have nothing to
do any more.

The counts of an item come out as 1, 2, 3 … without a gap or a repetition.

Hunts: checkpoints that wait for a finished source, or that forget that it finished, so that it reads its backlog
again after a restore; a channel whose end counts as the end of all.`,
  job,
  workload,
  outputs: [{ topic: "totals", partitions: 2, keyOf: (value) => (value as Sale).item }],
  ...IN_ALL_COMBINATIONS,
});
