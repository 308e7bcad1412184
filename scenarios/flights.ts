import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import type { StateBackendName } from "../engine/state/state-backend.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { RunOptions, Scenario } from "../simulator/scenario.ts";
import { airportDelays, airportOf, sumDelays } from "./flight-delays.ts";
import type { AirportDelays } from "./flight-delays.ts";
import { DAY_MS } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { flights20k, flights2k } from "./flights-data.ts";
import { FlightsInput, FLIGHTS_TOPIC, windowOffsetMs } from "./flights-workload.ts";
import { partitionOfKey } from "./pacing.ts";
import { AT_LEAST_ONCE_PATHS, configure, CONFIGURED, LOCAL_COPY_PATHS, RECOVERY_PATHS, SHARED_FILE_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

export interface FlightsOptions {
  readonly name: string;
  readonly title: string;
  /** Length of a window. */
  readonly days: number;
  readonly bufferSizes: readonly number[];
  readonly drawnBackends?: readonly StateBackendName[];
}

const FLIGHTS: FlightsOptions = {
  name: "flights",
  title: "flights and mean delay per airport and 28 days, real US flights of 2001",
  days: 28,
  bufferSizes: [1, 4, 16, 64],
};

const FLIGHTS_20K: FlightsOptions = {
  name: "flights-20k",
  title: "flights and mean delay per airport and week, 20,000 real US flights of 2001",
  days: 7,
  // Buffers of one record would make it the same as flights, ten times as long.
  bufferSizes: [16, 64],
  // The small one goes through all of them.
  drawnBackends: ["heap"],
};

function flightsJob(options: RunOptions, disorderMs: number, days: number): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options);
  env
    .fromSource(
      new LogSource<Flight>(FLIGHTS_TOPIC),
      WatermarkStrategies.forBoundedOutOfOrderness<Flight>(disorderMs).withTimestampAssigner(
        (flight: Flight) => flight.departureMs,
      ),
    )
    .uid("flights")
    .keyBy((flight) => flight.origin)
    .window(TumblingEventTimeWindows.of(days * DAY_MS, windowOffsetMs(days)))
    .aggregate(sumDelays, airportDelays)
    .uid("delays")
    .name("delays")
    .sinkTo(
      new TransactionalLogSink<AirportDelays>({
        topic: "airport-delays",
        partitionOf: ({ airport }, partitions) => partitionOfKey(airport, partitions),
      }),
    )
    .uid("airport-delays");
  return env.execute("Flights");
}

/**
 * The scenario over flights of one's own (at least one). They may come in any order: the workload sorts
 * them by date and disturbs that order within the bound that the job allows for.
 */
export function flightsScenario(flights: readonly Flight[], options: FlightsOptions = FLIGHTS): Scenario {
  return lazyFlightsScenario(() => flights, options);
}

function lazyFlightsScenario(flights: () => readonly Flight[], { name, title, days, bufferSizes, drawnBackends }: FlightsOptions): Scenario {
  const input = new FlightsInput(flights);
  return defineScenario({
    name,
    title,
    doc: `Real flights within the United States, January to March 2001. They are read from a topic partitioned by
airport of origin; event time is the date of the flight. The flights of a partition arrive out of order, as drawn
from the seed, by at most half a day, which is the bound of the job's watermarks: none is late. Three months
pass in 24 virtual seconds, in bursts. Per airport and ${days} days the job counts flights and sums their delays
(in whole numbers: no order of adding changes the result), and puts count, total and mean into a transactional
sink, the windows of an airport in order. --input FILE runs it over flights of your own.

Hunts: flights counted twice or lost across restarts; windows that fire twice, early, or not at all after a
restore; watermarks that go back or run ahead; timers lost; output committed too early, twice or never.`,
    job: (runOptions) => flightsJob(runOptions, input.disorderMs, days),
    workload: (context) => [input.topic(null, context)],
    outputs: [{ topic: "airport-delays", partitions: 2, keyOf: airportOf }],
    cluster: THREE_WORKERS,
    budget: SURVIVES_EVERYTHING,
    ...CONFIGURED,
    parallelisms: [1, 2, 3, 4],
    bufferSizes,
    ...(drawnBackends !== undefined && { drawnBackends }),
    confluent: true,
    sometimesWith: { "at-least-once": AT_LEAST_ONCE_PATHS, local: LOCAL_COPY_PATHS, incremental: SHARED_FILE_PATHS },
    sometimes: [...RECOVERY_PATHS, "barriers in flight on two channels at a crash", "a timer fired after a restore"],
  });
}

export const flightsTwoThousand: Scenario = lazyFlightsScenario(flights2k, FLIGHTS);
export const flightsTwentyThousand: Scenario = lazyFlightsScenario(flights20k, FLIGHTS_20K);
