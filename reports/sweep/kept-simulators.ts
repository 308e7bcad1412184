import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { Simulator } from "../../simulator/simulate.ts";
import type { Simulate } from "./run-seed.ts";

/** Keeps a Simulator for each scenario: what it learns of the calm run serves all seeds. */
export function keptSimulators(libraries: StateLibraries): Simulate {
  const kept = new Map<Scenario, Simulator>();
  return (scenario, request) => {
    let simulator = kept.get(scenario);
    if (simulator === undefined) kept.set(scenario, (simulator = new Simulator(scenario, libraries)));
    return simulator.run(request);
  };
}
