import { parentPort, workerData } from "node:worker_threads";
import { present } from "../../engine/base/assert.ts";
import { loadStateLibraries } from "../../scenarios/load-state-libraries.ts";
import { Simulator } from "../../simulator/simulate.ts";
import { loadScenario } from "../catalog/load-scenario.ts";
import type { CalmPair, PuritySetup } from "./purity.ts";

const { sources, fixed } = workerData as PuritySetup;
const libraries = await loadStateLibraries(fixed.backend);
const pairs: CalmPair[] = [];
for (const source of sources) {
  const simulator = new Simulator((await loadScenario(source)).scenario, libraries);
  pairs.push({ first: simulator.calmDigest(fixed), again: simulator.calmDigest(fixed) });
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
present(parentPort, "this file runs in a thread of its own").postMessage(pairs);
