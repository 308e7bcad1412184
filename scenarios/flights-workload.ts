import type { ArrivingRecord, InputTopic, WorkloadContext } from "../simulator/scenario.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";

export const FLIGHTS_TOPIC = "flights";
const PARTITIONS = 4;
const BURSTS = { everyUs: 500_000, partitions: PARTITIONS };

/** Flights that come far too late: each with this chance, this much later than their turn. */
export interface Stragglers {
  readonly percent: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/**
 * How far a flight may come after a later one of its partition: half a day, or less where all flights lie
 * close together. Whole minutes.
 */
export function disorderBoundMs(flights: readonly Flight[]): number {
  let first = Infinity;
  let last = -Infinity;
  for (const { departureMs } of flights) {
    first = Math.min(first, departureMs);
    last = Math.max(last, departureMs);
  }
  const share = Math.floor(Math.max(0, last - first) / 50 / MINUTE_MS) * MINUTE_MS;
  return Math.min(12 * HOUR_MS, share);
}

/**
 * The flights as a topic, partitioned by origin, so that each airport's flights keep one order. Each flight
 * is held up by 0 to `disorderMs`, and they arrive in the order that results. So a flight is overtaken only
 * by flights at most `disorderMs` later than itself (a <= b + disorder follows from a <= b + holdup of b -
 * holdup of a): with that bound no flight but a straggler is late. Arrival is paced by rank, not by
 * date: months pass in 24 virtual seconds, evenly.
 */
export function flightsTopic(
  flights: readonly Flight[],
  disorderMs: number,
  stragglers: Stragglers | null,
  { random }: WorkloadContext,
): InputTopic {
  const holdups = random("disorder");
  const late = random("stragglers");
  const turns = flights.map((flight) => {
    const holdupMs = holdups.below(disorderMs / MINUTE_MS + 1) * MINUTE_MS;
    let turnMs = flight.departureMs + holdupMs;
    if (stragglers !== null && late.below(100) < stragglers.percent) {
      const minutes = Math.floor((stragglers.mostMs - stragglers.leastMs) / MINUTE_MS);
      turnMs += stragglers.leastMs + late.below(minutes + 1) * MINUTE_MS;
    }
    return { flight, turnMs };
  });
  turns.sort((left, right) => left.turnMs - right.turnMs);

  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  turns.forEach(({ flight }, index) => {
    const partition = partitionOfKey(flight.origin, PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(index, turns.length));
    partitions[partition]?.push({ arrivesAtUs, timestampMs: flight.departureMs, value: flight });
  });
  return { topic: FLIGHTS_TOPIC, partitions };
}

/** Where windows of whole days begin, so that one begins with the year 2001 (a Monday). */
export function windowOffsetMs(days: number): number {
  return (11_323 * DAY_MS) % (days * DAY_MS);
}
