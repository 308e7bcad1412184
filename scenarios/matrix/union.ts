import type { AggregateFunction } from "../../engine/api/functions.ts";
import { TumblingEventTimeWindows } from "../../engine/api/tumbling-event-time-windows.ts";
import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import type { SmallTopic } from "./small-job.ts";
import { IN_ALL_COMBINATIONS, keyedSink, smallEnvironment, smallTopic } from "./small-job.ts";

interface Reading {
  readonly sensor: string;
  readonly value: number;
}

interface SensorSum {
  readonly sensor: string;
  readonly startMs: number;
  readonly readings: number;
  readonly total: number;
}

const WINDOW_MS = 700;

const sumReadings: AggregateFunction<Reading, readonly [number, number], readonly [number, number]> = {
  createAccumulator: () => [0, 0],
  add: ({ value }, [readings, total]) => [readings + 1, total + value],
  getResult: (sums) => sums,
};

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  const watermarks = WatermarkStrategies.forMonotonousTimestamps<Reading>();
  const north = env.fromSource(new LogSource<Reading>("north"), watermarks).uid("north");
  const south = env.fromSource(new LogSource<Reading>("south"), watermarks).uid("south");
  north
    .map(({ sensor, value }): Reading => ({ sensor, value: -value }))
    .uid("negated")
    .union(south)
    .keyBy(({ sensor }) => sensor)
    .window(TumblingEventTimeWindows.of(WINDOW_MS))
    .aggregate(sumReadings, ([readings, total], key, window): SensorSum => {
      return { sensor: String(key), startMs: window.start, readings, total };
    })
    .uid("sums")
    .name("sums")
    .sinkTo(keyedSink<SensorSum>("sensor-sums", ({ sensor }) => sensor))
    .uid("sensor-sums");
  return env.execute("Union");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const readings: Omit<SmallTopic<Reading>, "topic" | "partitions"> = {
    least: 50,
    most: 120,
    keyOf: ({ sensor }) => sensor,
    draw: (draws) => ({ sensor: `sensor-${draws.below(8)}`, value: draws.below(100) }),
  };
  return [
    smallTopic(random("north"), { ...readings, topic: "north", partitions: 2 }),
    smallTopic(random("south"), { ...readings, topic: "south", partitions: 1 }),
  ];
}

export const matrixUnion: Scenario = defineScenario({
  name: "matrix-union",
  title: "two topics united before a window",
  doc: `The readings of two topics, those of one negated on the way, are united and summed by sensor in windows of
event time. The keyed operator has one input of two edges: channels of both topics hold back its watermark and its
barriers. One topic has a single partition, so that with several subtasks some of its source read nothing.

A window's sum does not depend on the order of its readings, and none is ever late.

Hunts: alignment that forgets the channels of one edge, a watermark that follows one topic alone, subtasks without
partitions that are waited for.`,
  job,
  workload,
  outputs: [{ topic: "sensor-sums", partitions: 2, keyOf: (value) => (value as SensorSum).sensor }],
  ...IN_ALL_COMBINATIONS,
});
