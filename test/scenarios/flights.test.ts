import { describe, expect, test } from "vitest";
import type { AirportDelays } from "#whitewater/scenarios/flight-delays.js";
import { roundedMean } from "#whitewater/scenarios/flight-delays.js";
import type { Flight } from "#whitewater/scenarios/flight.js";
import { flights20k, flights2k } from "#whitewater/scenarios/flights-data.js";
import { flightsLate } from "#whitewater/scenarios/flights-late.js";
import { disorderBoundMs } from "#whitewater/scenarios/flights-workload.js";
import { flightsScenario, flightsTwentyThousand, flightsTwoThousand } from "#whitewater/scenarios/flights.js";
import { interpret } from "#whitewater/simulator/reference/interpreter.js";
import type { InputTopic, Scenario } from "#whitewater/simulator/scenario.js";
import { optionsOf, workloadOf } from "./seeded-workload.ts";

const DAY_MS = 86_400_000;
const YEAR_2001_MS = Date.UTC(2001, 0, 1);

/** By how much the most overtaken record of any partition is behind the greatest timestamp before it. */
function mostDisorderMs(inputs: readonly InputTopic[]): number {
  let most = 0;
  for (const records of inputs.flatMap(({ partitions }) => partitions)) {
    let greatest = -Infinity;
    for (const { timestampMs } of records) {
      most = Math.max(most, greatest - timestampMs);
      greatest = Math.max(greatest, timestampMs);
    }
  }
  return most;
}

function watermarkBoundMs(scenario: Scenario): number {
  for (const node of scenario.job(optionsOf(1)).nodes) {
    if (node.kind !== "source") continue;
    const generator = node.watermarks.createGenerator();
    generator.onEvent(1_000_000_000_000);
    return 1_000_000_000_000 - generator.currentWatermarkMs() - 1;
  }
  throw new Error("a job without a source");
}

describe("the disorder of the flights", () => {
  test("is at most the bound of the job's watermarks for 200 seeds, so that nothing is late, and comes near it", () => {
    const boundMs = watermarkBoundMs(flightsTwoThousand);
    expect(boundMs).toBe(disorderBoundMs(flights2k()));
    expect(boundMs).toBe(12 * 3_600_000);
    let most = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const disorderMs = mostDisorderMs(workloadOf(flightsTwoThousand, seed));
      expect(disorderMs).toBeLessThanOrEqual(boundMs);
      expect(disorderMs).toBeGreaterThan(boundMs / 2);
      most = Math.max(most, disorderMs);
    }
    expect(most).toBeGreaterThan(boundMs * 0.9);
  });

  test("keeps the bound for 20,000 flights and for flights close together", () => {
    const boundMs = watermarkBoundMs(flightsTwentyThousand);
    for (let seed = 1; seed <= 10; seed++) {
      expect(mostDisorderMs(workloadOf(flightsTwentyThousand, seed))).toBeLessThanOrEqual(boundMs);
    }
    const oneDay = flightsScenario(flights2k().slice(0, 30));
    expect(watermarkBoundMs(oneDay)).toBeLessThan(boundMs / 10);
    expect(mostDisorderMs(workloadOf(oneDay, 1))).toBeLessThanOrEqual(watermarkBoundMs(oneDay));
  });

  test("makes some flights late in flights-late, none of which is counted, and each goes to the late output", () => {
    const scenario = flightsLate;
    const inputs = workloadOf(scenario, 3);
    const { outputs } = interpret(scenario.job(optionsOf(2)), inputs);
    const late = (outputs.get("late-flights") ?? []) as readonly Flight[];
    const counted = (uid: string): number =>
      (outputs.get(uid) as readonly AirportDelays[]).reduce((sum, { flights }) => sum + flights, 0);
    expect(late.length).toBeGreaterThan(10);
    expect(counted("departure-delays") + late.length).toBe(2000);
    // The same watermark decides there, but nothing catches what it drops.
    expect(counted("arrival-delays")).toBe(2000 - late.length);
  });
});

describe.each([
  { scenario: flightsTwoThousand, flights: flights2k, days: 28 },
  { scenario: flightsTwentyThousand, flights: flights20k, days: 7 },
])("$scenario.name", ({ scenario, flights, days }) => {
  test("gives flights, total and mean delay of each airport and window of days since 2001-01-01, in order", () => {
    const expected = new Map<string, { count: number; total: number }>();
    for (const { origin, departureMs, delay } of flights()) {
      const start = YEAR_2001_MS + Math.floor((departureMs - YEAR_2001_MS) / (days * DAY_MS)) * days * DAY_MS;
      const sums = expected.get(`${origin}@${start}`) ?? { count: 0, total: 0 };
      expected.set(`${origin}@${start}`, { count: sums.count + 1, total: sums.total + delay });
    }
    const { outputs, state } = interpret(scenario.job(optionsOf(3)), workloadOf(scenario, 11));
    const rows = outputs.get("airport-delays") as readonly AirportDelays[];
    expect(rows.length).toBe(expected.size);
    const lastStart = new Map<string, number>();
    for (const { airport, windowStartMs, windowEndMs, flights: count, totalDelay, meanDelay } of rows) {
      expect({ count, total: totalDelay }).toEqual(expected.get(`${airport}@${windowStartMs}`));
      expect(windowEndMs - windowStartMs).toBe(days * DAY_MS);
      expect(meanDelay).toBe(Math.floor(totalDelay / count + 0.5));
      expect(windowStartMs).toBeGreaterThan(lastStart.get(airport) ?? 0);
      lastStart.set(airport, windowStartMs);
    }
    expect(state.get("delays")?.size).toBe(0);
  });
});

test("means are rounded to the nearest whole number, halves up", () => {
  const cases = [[3, 2, 2], [-3, 2, -1], [-1, 2, 0], [7, 3, 2], [8, 3, 3], [-7, 3, -2], [-8, 3, -3], [0, 5, 0], [12, 4, 3]];
  for (const [total, count, mean] of cases as [number, number, number][]) {
    expect(Object.is(roundedMean(total, count), mean)).toBe(true);
  }
});

test("a single flight of one's own makes a scenario", () => {
  const [flight] = flights2k();
  const scenario = flightsScenario(flight === undefined ? [] : [flight]);
  const { outputs } = interpret(scenario.job(optionsOf(1)), workloadOf(scenario, 1));
  expect(outputs.get("airport-delays")).toMatchObject([{ airport: "LAX", flights: 1, totalDelay: -19, meanDelay: -19 }]);
});
