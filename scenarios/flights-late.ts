import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { outputTag } from "../engine/api/functions.ts";
import type { OutputTag } from "../engine/api/functions.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { RunOptions, Scenario } from "../simulator/scenario.ts";
import { airportDelays, airportOf, sumDelays } from "./flight-delays.ts";
import type { AirportDelays } from "./flight-delays.ts";
import { DAY_MS } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { flights2k } from "./flights-data.ts";
import { FlightsInput, FLIGHTS_TOPIC, windowOffsetMs } from "./flights-workload.ts";
import type { Stragglers } from "./flights-workload.ts";
import { partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

const WINDOW_DAYS = 7;
/** A straggler comes 2 to 12 days after its turn: into a window that is open, or long gone. */
const STRAGGLERS: Stragglers = { percent: 5, leastMs: 2 * DAY_MS, mostMs: 12 * DAY_MS };
const LATE: OutputTag<Flight> = outputTag<Flight>("late");

function job(options: RunOptions, disorderMs: number): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options);
  const weeks = TumblingEventTimeWindows.of(WINDOW_DAYS * DAY_MS, windowOffsetMs(WINDOW_DAYS));
  const flights = env
    .fromSource(
      new LogSource<Flight>(FLIGHTS_TOPIC),
      WatermarkStrategies.forBoundedOutOfOrderness<Flight>(disorderMs).withTimestampAssigner(
        (flight: Flight) => flight.departureMs,
      ),
    )
    .uid("flights");

  const departures = flights
    .keyBy((flight) => flight.origin)
    .window(weeks)
    .sideOutputLateData(LATE)
    .aggregate(sumDelays, airportDelays)
    .uid("departures")
    .name("departures");
  departures.sinkTo(byAirport("departure-delays", ({ airport }) => airport)).uid("departure-delays");
  departures.getSideOutput(LATE).sinkTo(byAirport("late-flights", ({ origin }) => origin)).uid("late-flights");

  flights
    .keyBy((flight) => flight.destination)
    .window(weeks)
    .aggregate(sumDelays, airportDelays)
    .uid("arrivals")
    .name("arrivals")
    .sinkTo(byAirport<AirportDelays>("arrival-delays", ({ airport }) => airport))
    .uid("arrival-delays");
  return env.execute("Late Flights");
}

function byAirport<T>(topic: string, airport: (value: T) => string): TransactionalLogSink<T> {
  return new TransactionalLogSink<T>({
    topic,
    partitionOf: (value, partitions) => partitionOfKey(airport(value), partitions),
  });
}

/** The scenario over flights of one's own (at least one). */
export function flightsLateScenario(flights: readonly Flight[]): Scenario {
  return lazyFlightsLateScenario(() => flights);
}

function lazyFlightsLateScenario(flights: () => readonly Flight[]): Scenario {
  const input = new FlightsInput(flights);
  return defineScenario({
    name: "flights-late",
    title: "flights per airport and week, some of them too late",
    doc: `As flights, but one flight in twenty is held up by days, and some of these come after their week is
closed. Departures are summed per airport of origin, with late flights in an output of their own; arrivals
per airport of destination, where late flights are dropped. Whether a flight that is nearly too late still counts
depends on how watermarks and records interleave, so there is no one right answer: what must hold is that each
flight counts exactly once in departures or in the late output, and at most once in arrivals, consistently
with what the surviving history saw.

Hunts: late flights that are counted and put aside, or neither; side outputs that miss a barrier; a watermark
lost by a restore, which lets a closed week fire a second time.`,
    job: (options) => job(options, input.disorderMs),
    workload: (context) => [input.topic(STRAGGLERS, context)],
    outputs: [
      { topic: "departure-delays", partitions: 2, keyOf: airportOf },
      { topic: "late-flights", partitions: 1, keyOf: null },
      { topic: "arrival-delays", partitions: 2, keyOf: airportOf },
    ],
    cluster: THREE_WORKERS,
    budget: SURVIVES_EVERYTHING,
    ...CONFIGURED,
    parallelisms: [1, 2, 3, 4],
    drawnBackends: ["heap"],
    confluent: false,
    sometimes: [
      ...RECOVERY_PATHS,
      "barriers in flight on two channels at a crash",
      "a timer fired after a restore",
      "a late record dropped",
    ],
  });
}

export const flightsLate: Scenario = lazyFlightsLateScenario(flights2k);
