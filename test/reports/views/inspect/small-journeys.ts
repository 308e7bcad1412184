import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { NO_LIBRARIES } from "#whitewater/engine/state/backends/state-libraries.js";
import { present } from "#whitewater/engine/base/assert.js";
import type { View } from "#whitewater/reports/views/view.js";
import { textOf } from "#whitewater/reports/views/line.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { journeyOf } from "#whitewater/reports/travel/journey.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

/** A run of a scenario of the library, to be travelled through; `machine.release()` when done. */
export function smallJourney(scenario: string, seed: string, request: Partial<RunRequest> = {}, libraries: StateLibraries = NO_LIBRARIES): Journey {
  const simulator = new Simulator(present(scenarioNamed(scenario), "the scenario exists"), libraries);
  return journeyOf(simulator, { seed, profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000, ...request });
}

export function textsOf({ lines }: View): readonly string[] {
  return lines.map(textOf);
}

/** The first step, from one on, of which something holds. */
export function firstStep(journey: Journey, from: number, holds: (step: number) => boolean): number {
  for (let step = from; step <= journey.tape.steps; step += 1) if (holds(step)) return step;
  throw new Error("there is such a step");
}

/** The first step, from one on, in which there is a point of this kind. */
export function stepOf(journey: Journey, event: string, from = 1): number {
  return firstStep(journey, from, (step) => journey.tape.pointsOf(step).some((point) => point.event === event));
}
