import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { HuntOrder, HuntResult, Sighting } from "./hunt.ts";

const MAX_STEPS = 2_000_000;
const OTHERS_KEPT = 20;
const NOWHERE: Sighting = { scenario: "", combination: "", seed: "", verdict: "crashed", digest: "", oracle: "exception", message: "" };

/** Runs the seeds in order until somebody who may notice the bug does. Runs inside the child process. */
export function hunt(order: HuntOrder): HuntResult {
  const startedMs = performance.now();
  const simulators = order.scenarios.map((name) => {
    const scenario = scenarioNamed(name);
    if (scenario === null) throw new Error(`there is no scenario "${name}"`);
    return new Simulator(scenario);
  });
  const others: Sighting[] = [];
  const digests: string[] = [];
  let runs = 0;
  let found: Sighting | null = null;
  for (let seed = 1; seed <= order.seeds && found === null; seed += 1) {
    for (const simulator of simulators) {
      const result = runOnce(simulator, String(seed), order);
      runs += 1;
      if (typeof result === "string") {
        others.push({ ...NOWHERE, scenario: simulator.scenario.name, seed: String(seed), message: result });
        continue;
      }
      digests.push(result.digest);
      found = sightingIn(result, order.noticedBy);
      if (found !== null) break;
      const other = sightingIn(result, null);
      if (other !== null) others.push(other);
    }
    if (others.length > OTHERS_KEPT) others.length = OTHERS_KEPT;
  }
  return { found, others, runs, milliseconds: Math.round(performance.now() - startedMs), digests };
}

/** What was thrown, where the simulator itself trips over what the mutated engine does. */
function runOnce(simulator: Simulator, seed: string, { fixed }: HuntOrder): RunResult | string {
  try {
    return simulator.run({ seed, profile: "swarm", fixed, plan: null, oracles: true, checked: false, maxSteps: MAX_STEPS });
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** The first thing that one of `noticedBy` (null: anybody) says of a run. */
function sightingIn(result: RunResult, noticedBy: readonly string[] | null): Sighting | null {
  const { verdict, findings, scenario, combination, seed, digest } = result;
  if (verdict === "ok" || verdict === "expected-failure") return null;
  const run = { scenario, combination, seed, verdict, digest };
  const finding = findings.find(({ oracle }) => noticedBy === null || noticedBy.includes(oracle));
  if (finding !== undefined) return { ...run, oracle: finding.oracle, message: finding.message };
  return noticedBy === null ? { ...run, oracle: verdict, message: verdict } : null;
}
