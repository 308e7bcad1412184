import type { Scenario } from "../simulator/scenario.ts";
import { bigState } from "./big-state.ts";
import { deduplication } from "./deduplication.ts";
import { flightsLate, flightsLateScenario } from "./flights-late.ts";
import { flightsScenario, flightsTwentyThousand, flightsTwoThousand } from "./flights.ts";
import type { Flight } from "./flight.ts";
import { JOB_SHAPES } from "./matrix/job-shapes.ts";
import { foundingCheckpointing } from "./founding-checkpointing.ts";
import { foundingRestoreStrategy } from "./founding-restore-strategy.ts";
import { foundingStateBackend } from "./founding-state-backend.ts";
import { hotKey } from "./hot-key.ts";
import { leaderFailover } from "./leader-failover.ts";
import { localRecovery } from "./local-recovery.ts";
import { resumeFromCheckpoint, resumeWithoutClaim } from "./resume-from-checkpoint.ts";
import { rollingUpgrade } from "./rolling-upgrade.ts";
import { sparse } from "./sparse.ts";
import { timers } from "./timers.ts";
import { tour } from "./tour/tour.ts";
import { twoPipelines } from "./two-pipelines.ts";
import { wordCount } from "./word-count.ts";

/** What a sweep runs that names no scenario. Their order is that of lists and reports. */
export const scenarios: readonly Scenario[] = [
  foundingCheckpointing,
  foundingStateBackend,
  foundingRestoreStrategy,
  wordCount,
  flightsTwoThousand,
  flightsTwentyThousand,
  flightsLate,
  sparse,
  timers,
  twoPipelines,
  hotKey,
  localRecovery,
  bigState,
  rollingUpgrade,
  resumeFromCheckpoint,
  resumeWithoutClaim,
  leaderFailover,
  deduplication,
];

/** All that come with Whitewater: those, and the jobs of the matrix. */
export const libraryScenarios: readonly Scenario[] = [...scenarios, ...JOB_SHAPES];

/** Wrong on purpose: no sweep and no list has them, but a name that is given exactly finds them, as in a record. */
export const plantedScenarios: readonly Scenario[] = [tour];

export function scenarioNamed(name: string): Scenario | null {
  return [...libraryScenarios, ...plantedScenarios].find((scenario) => scenario.name === name) ?? null;
}

/** The scenarios that `--input` is for, over the user's flights instead of those that come with Whitewater. */
export function scenariosOverFlights(flights: readonly Flight[]): readonly Scenario[] {
  return [flightsScenario(flights), flightsLateScenario(flights)];
}
