import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { RunOptions, Scenario } from "../simulator/scenario.ts";
import { countEvents, type EventCount, EVENTS, FOUNDING } from "./founding-events.ts";

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create().setParallelism(options.parallelism);
  env.setStateBackend("heap");
  env.enableCheckpointing(1000);
  env
    .fromElements(EVENTS, { everyMs: 2000 })
    .keyBy((event) => event)
    .window(TumblingEventTimeWindows.of(5000))
    .aggregate(countEvents, (count, key): EventCount => ({ event: String(key), count }))
    .sinkTo(new TransactionalLogSink<EventCount>({ topic: "counts" }));
  return env.execute("State Backend Example");
}

export const foundingStateBackend: Scenario = defineScenario({
  name: "founding-state-backend",
  title: "three elements, a five-second window, state in memory",
  doc: `The founding example of a state backend: the job of founding-checkpointing, which says itself where its state
is kept: in memory ("heap", Flink's MemoryStateBackend). The checkpoints go to remote storage as with any backend.
Everything that it does not say is the engine's default, the timeout of checkpoints too.

Hunts: state that only survives because its process does; a job's own backend that the cluster's default overrides;
a checkpoint that hangs and holds up the next ones.`,
  job,
  ...FOUNDING,
  backends: ["heap"],
});
