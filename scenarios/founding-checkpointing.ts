import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { RunOptions, Scenario } from "../simulator/scenario.ts";
import { countEvents, type EventCount, EVENTS, FOUNDING } from "./founding-events.ts";

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create().setParallelism(options.parallelism);
  env.enableCheckpointing(1000);
  env.getCheckpointConfig().setCheckpointTimeout(4000);
  env
    .fromElements(EVENTS, { everyMs: 2000 })
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
  ...FOUNDING,
});
