import type { Scenario } from "../simulator/scenario.ts";
import { bigState } from "./big-state.ts";
import { flightsLate, flightsLateScenario } from "./flights-late.ts";
import { flightsScenario, flightsTwentyThousand, flightsTwoThousand } from "./flights.ts";
import type { Flight } from "./flight.ts";
import { foundingCheckpointing } from "./founding-checkpointing.ts";
import { sparse } from "./sparse.ts";
import { timers } from "./timers.ts";
import { twoPipelines } from "./two-pipelines.ts";
import { wordCount } from "./word-count.ts";

/** The scenarios that come with Whitewater. Their order is that of lists and reports. */
export const scenarios: readonly Scenario[] = [
  foundingCheckpointing,
  wordCount,
  flightsTwoThousand,
  flightsTwentyThousand,
  flightsLate,
  sparse,
  timers,
  twoPipelines,
  bigState,
];

export function scenarioNamed(name: string): Scenario | null {
  return scenarios.find((scenario) => scenario.name === name) ?? null;
}

/** The scenarios that `--input` is for, over the user's flights instead of those that come with Whitewater. */
export function scenariosOverFlights(flights: readonly Flight[]): readonly Scenario[] {
  return [flightsScenario(flights), flightsLateScenario(flights)];
}
