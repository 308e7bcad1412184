// Prints the digests of fixed seeds as JSON; run by the determinism test in fresh processes, on several
// versions of Node.
import { loadStateLibraries } from "../../dist/scenarios/load-state-libraries.js";
import { scenarioNamed } from "../../dist/scenarios/registry.js";
import { Simulator } from "../../dist/simulator/simulate.js";

const libraries = await loadStateLibraries();
const digests = {};
for (const [name, seeds] of JSON.parse(process.argv[2])) {
  const simulator = new Simulator(scenarioNamed(name), libraries);
  for (const seed of seeds) {
    const request = { seed, profile: "swarm", fixed: {}, plan: null, oracles: true, checked: true, maxSteps: 1_000_000 };
    const { digest, verdict, steps } = simulator.run(request);
    digests[`${name}@${seed}`] = `${verdict} ${digest} ${steps}`;
  }
}
process.stdout.write(`${JSON.stringify(digests)}\n`);
