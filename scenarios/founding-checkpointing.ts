import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { AggregateFunction } from "../engine/api/functions.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { RunOptions, Scenario } from "../simulator/scenario.ts";
import { RECOVERY_PATHS, SURVIVES_EVERYTHING, TWO_WORKERS } from "./survival.ts";

export interface EventCount {
  readonly event: string;
  readonly count: number;
}

const countEvents: AggregateFunction<string, number, number> = {
  createAccumulator: () => 0,
  add: (_event, count) => count + 1,
  getResult: (count) => count,
};

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create().setParallelism(options.parallelism);
  env.enableCheckpointing(1000);
  env.getCheckpointConfig().setCheckpointTimeout(4000);
  env
    .fromElements(["event1", "event2", "event3"], { everyMs: 2000 })
    .keyBy((event) => event)
    .window(TumblingEventTimeWindows.of(5000))
    .aggregate(countEvents, (count, key): EventCount => ({ event: String(key), count }))
    .sinkTo(new TransactionalLogSink<EventCount>({ topic: "counts" }));
  return env.execute("Checkpointing Example");
}

export const foundingCheckpointing: Scenario = defineScenario({
  name: "founding-checkpointing",
  title: "three elements, a five-second window, a checkpoint a second",
  doc: `The smallest job with everything in it. Three elements arrive two virtual seconds apart, are keyed by
their value and counted in five-second windows of event time; the counts go through a transactional sink. A
checkpoint is triggered every second, so that most of them cut the stream between two elements, with a window
open. The settings are the engine's defaults but for the interval and the timeout: any failed checkpoint
restarts the job.

Hunts: elements applied twice or lost around a restart, window contents and timers lost by a restore, the last
window not committed at the end of the input.`,
  job,
  workload: () => [],
  outputs: [{ topic: "counts", partitions: 1, keyOf: (value) => (value as EventCount).event }],
  cluster: TWO_WORKERS,
  budget: SURVIVES_EVERYTHING,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimes: RECOVERY_PATHS,
});
