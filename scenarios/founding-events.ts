import type { AggregateFunction } from "../engine/api/functions.ts";
import type { Scenario } from "../simulator/scenario.ts";
import { RECOVERY_PATHS, SURVIVES_EVERYTHING, TWO_WORKERS } from "./survival.ts";

/** What the founding examples have in common: their three elements, what they count, and what they survive. */

export interface EventCount {
  readonly event: string;
  readonly count: number;
}

export const EVENTS = ["event1", "event2", "event3"] as const;

export const countEvents: AggregateFunction<string, number, number> = {
  createAccumulator: () => 0,
  add: (_event, count) => count + 1,
  getResult: (count) => count,
};

export const FOUNDING: Omit<Scenario, "name" | "title" | "doc" | "job"> = {
  workload: () => [],
  outputs: [{ topic: "counts", partitions: 1, keyOf: (value) => (value as EventCount).event }],
  cluster: TWO_WORKERS,
  budget: SURVIVES_EVERYTHING,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimes: RECOVERY_PATHS,
};
