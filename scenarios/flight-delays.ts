import type { AggregateFunction, TimeWindow } from "../engine/api/functions.ts";
import type { Key } from "../engine/state/state.ts";
import type { Flight } from "./flight.ts";

/** Sums of one airport and window. Whole numbers, so that the order of adding does not matter. */
export interface DelaySums {
  readonly flights: number;
  readonly totalDelay: number;
}

/** One line of output. */
export interface AirportDelays extends DelaySums {
  readonly airport: string;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  /** Minutes, rounded to the nearest, halves up. */
  readonly meanDelay: number;
}

export const sumDelays: AggregateFunction<Flight, DelaySums, DelaySums> = {
  createAccumulator: () => ({ flights: 0, totalDelay: 0 }),
  add: ({ delay }, sums) => ({ flights: sums.flights + 1, totalDelay: sums.totalDelay + delay }),
  getResult: (sums) => sums,
  merge: (left, right) => ({
    flights: left.flights + right.flights,
    totalDelay: left.totalDelay + right.totalDelay,
  }),
};

export function airportDelays({ flights, totalDelay }: DelaySums, airport: Key, window: TimeWindow): AirportDelays {
  return {
    airport: String(airport),
    windowStartMs: window.start,
    windowEndMs: window.end,
    flights,
    totalDelay,
    meanDelay: roundedMean(totalDelay, flights),
  };
}

/** total / count to the nearest whole number, halves up, by remainders only. */
export function roundedMean(total: number, count: number): number {
  const doubled = 2 * total + count;
  const divisor = 2 * count;
  const rest = doubled % divisor;
  return (doubled - (rest < 0 ? rest + divisor : rest)) / divisor + 0;
}

/** For `OutputTopic.keyOf`. */
export function airportOf(value: unknown): string {
  return (value as AirportDelays).airport;
}
