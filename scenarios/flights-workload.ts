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

interface KnownFlights {
  readonly flights: readonly Flight[];
  /** Of each flight. */
  readonly partitions: readonly number[];
  readonly disorderMs: number;
}

/** The flights of a scenario as the input of its job. What follows from the flights alone is worked out once. */
export class FlightsInput {
  readonly #read: () => readonly Flight[];
  #known: KnownFlights | null = null;

  /** `read` is asked when the first run needs the flights, so that listing scenarios reads no data. */
  constructor(read: () => readonly Flight[]) {
    this.#read = read;
  }

  /** How far a flight may come after a later one of its partition (see `disorderBoundMs`). */
  get disorderMs(): number {
    return this.#facts().disorderMs;
  }

  /**
   * The flights as a topic, partitioned by origin, so that each airport's flights keep one order. Each flight
   * is held up by 0 to `disorderMs`, and they arrive in the order that results. So a flight is overtaken only
   * by flights at most `disorderMs` later than itself (a <= b + disorder follows from a <= b + holdup of b -
   * holdup of a): with that bound no flight but a straggler is late. Arrival is paced by rank, not by
   * date: months pass in 24 virtual seconds, evenly.
   */
  topic(stragglers: Stragglers | null, { random }: WorkloadContext): InputTopic {
    const { flights, partitions, disorderMs } = this.#facts();
    const turnsMs = drawTurnsMs(flights, disorderMs, stragglers, random);
    const order = flights.map((_, index) => index);
    order.sort((left, right) => (turnsMs[left] as number) - (turnsMs[right] as number));

    const arriving: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
    for (let rank = 0; rank < order.length; rank += 1) {
      const index = order[rank] as number;
      const flight = flights[index] as Flight;
      const partition = partitions[index] as number;
      const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(rank, order.length));
      arriving[partition]?.push({ arrivesAtUs, timestampMs: flight.departureMs, value: flight });
    }
    return { topic: FLIGHTS_TOPIC, partitions: arriving };
  }

  #facts(): KnownFlights {
    if (this.#known !== null) return this.#known;
    const flights = this.#read();
    const partitions = flights.map(({ origin }) => partitionOfKey(origin, PARTITIONS));
    return (this.#known = { flights, partitions, disorderMs: disorderBoundMs(flights) });
  }
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

/** When it is each flight's turn to arrive: its date and what holds it up. */
function drawTurnsMs(
  flights: readonly Flight[],
  disorderMs: number,
  stragglers: Stragglers | null,
  random: WorkloadContext["random"],
): Float64Array {
  const holdups = random("disorder");
  const late = random("stragglers");
  const bound = disorderMs / MINUTE_MS + 1;
  const turnsMs = new Float64Array(flights.length);
  for (let index = 0; index < flights.length; index += 1) {
    let turnMs = (flights[index] as Flight).departureMs + holdups.below(bound) * MINUTE_MS;
    if (stragglers !== null && late.below(100) < stragglers.percent) {
      const minutes = Math.floor((stragglers.mostMs - stragglers.leastMs) / MINUTE_MS);
      turnMs += stragglers.leastMs + late.below(minutes + 1) * MINUTE_MS;
    }
    turnsMs[index] = turnMs;
  }
  return turnsMs;
}

/** Where windows of whole days begin, so that one begins with the year 2001 (a Monday). */
export function windowOffsetMs(days: number): number {
  return (11_323 * DAY_MS) % (days * DAY_MS);
}
