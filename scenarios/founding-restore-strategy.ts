import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { RestoreStrategies } from "../engine/api/restore-strategies.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { RunOptions, Scenario } from "../simulator/scenario.ts";
import { countEvents, type EventCount, EVENTS, FOUNDING } from "./founding-events.ts";

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create().setParallelism(options.parallelism);
  env.setRestoreStrategy(RestoreStrategies.failureSnapshotRestore(5000));
  env.enableCheckpointing(1000);
  env.getCheckpointConfig().setCheckpointTimeout(4000);
  env
    .fromElements(EVENTS, { everyMs: 2000 })
    .keyBy((event) => event)
    .window(TumblingEventTimeWindows.of(5000))
    .aggregate(countEvents, (count, key): EventCount => ({ event: String(key), count }))
    .sinkTo(new TransactionalLogSink<EventCount>({ topic: "counts" }));
  return env.execute("Restore Strategy Example");
}

export const foundingRestoreStrategy: Scenario = defineScenario({
  name: "founding-restore-strategy",
  title: "three elements, a five-second window, a restart from the latest snapshot after five seconds",
  doc: `The founding example of a restore strategy: the job of founding-checkpointing, which restarts from its latest
snapshot exactly 5,000 virtual milliseconds after a failure, however often it fails. Elements that came due in the
meantime are there at once.

Hunts: restarts that come early or late, or from a snapshot that is not the latest; elements applied twice or lost
while the job was down for longer than a window.`,
  job,
  ...FOUNDING,
  // A successor acts five seconds after the failure: by then whoever was only paused is awake again and fenced.
  sometimes: FOUNDING.sometimes.filter((path) => path !== "a zombie that tried to act"),
});
