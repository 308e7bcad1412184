import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { CensusShare } from "../../simulator/explore/census-share.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { Simulator } from "../../simulator/simulate.ts";
import type { Simulate } from "./run-seed.ts";

/** Keeps a Simulator for each scenario: what it learns of the calm run serves all seeds, and by way of `share` those of others. */
export function keptSimulators(libraries: StateLibraries, share: CensusShare | null = null): Simulate {
  const kept = new Map<Scenario, Simulator>();
  return (scenario, request) => {
    let simulator = kept.get(scenario);
    if (simulator === undefined) kept.set(scenario, (simulator = new Simulator(scenario, libraries, share)));
    return simulator.run(request);
  };
}
