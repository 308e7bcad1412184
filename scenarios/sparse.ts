import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { AggregateFunction } from "../engine/api/functions.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { partitionOfKey, WORKLOAD_US } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

/** A reading of one of a few sensors. */
export interface Reading {
  readonly sensor: string;
  readonly value: number;
}

export interface SensorSum {
  readonly sensor: string;
  readonly windowStartMs: number;
  readonly readings: number;
  readonly total: number;
}

/** A partition without readings for longer than this holds nobody back. */
const IDLE_AFTER_MS = 300;
const WINDOW_MS = 1000;
const SENSORS = 8;

const sumReadings: AggregateFunction<Reading, readonly [number, number], readonly [number, number]> = {
  createAccumulator: () => [0, 0],
  add: ({ value }, [readings, total]) => [readings + 1, total + value],
  getResult: (sums) => sums,
};

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options);
  env
    .fromSource(
      new LogSource<Reading>("readings"),
      WatermarkStrategies.forMonotonousTimestamps<Reading>().withIdleness(IDLE_AFTER_MS),
    )
    .uid("readings")
    .keyBy(({ sensor }) => sensor)
    .window(TumblingEventTimeWindows.of(WINDOW_MS))
    .aggregate(sumReadings, ([readings, total], key, window): SensorSum => {
      return { sensor: String(key), windowStartMs: window.start, readings, total };
    })
    .uid("sums")
    .name("sums")
    .sinkTo(
      new TransactionalLogSink<SensorSum>({
        topic: "sensor-sums",
        partitionOf: ({ sensor }, partitions) => partitionOfKey(sensor, partitions),
      }),
    )
    .uid("sensor-sums");
  return env.execute("Sparse Readings");
}

/** Short runs of readings, with gaps between them that are longer than the idle timeout. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("readings");
  const records: ArrivingRecord[] = [];
  let atMs = 100;
  while (atMs * 1000 < WORKLOAD_US) {
    const run = 4 + draws.below(12);
    for (let i = 0; i < run; i++) {
      const sensor = `sensor-${draws.below(SENSORS)}`;
      const value = Object.freeze({ sensor, value: draws.below(100) - 50 });
      records.push({ arrivesAtUs: atMs * 1000, timestampMs: atMs, value });
      if (draws.below(3) === 0) atMs += 10 + draws.below(150);
    }
    atMs += IDLE_AFTER_MS + 100 + draws.below(1200);
  }
  return [{ topic: "readings", partitions: [records] }];
}

export const sparse: Scenario = defineScenario({
  name: "sparse",
  title: "one partition for several source subtasks, with gaps that make it idle",
  doc: `A topic of one partition is read by a source of two to four subtasks: all but one of them have nothing to
read. The readings come in short runs with gaps longer than the idle timeout, so that from time to time
every channel is idle. Event time is the time of arrival and never goes back, so no reading is ever late, and
the sums per sensor and second have one right answer.

Hunts: a watermark taken as the minimum over no channels, which is the end of time, after which all that follows is
late; idle subtasks that hold the watermark back; checkpoints that wait for a subtask with nothing to do; a source
without partitions that ends too early.`,
  job,
  workload,
  outputs: [{ topic: "sensor-sums", partitions: 2, keyOf: (value) => (value as SensorSum).sensor }],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  parallelisms: [2, 3, 4],
  drawnBackends: ["heap"],
  confluent: true,
  sometimes: [...RECOVERY_PATHS, "a timer fired after a restore"],
});
