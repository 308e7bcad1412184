import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { HuntOrder, HuntResult, Sighting } from "./hunt.ts";

const MAX_STEPS = 2_000_000;

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
      const result = simulator.run({
        seed: String(seed),
        profile: "swarm",
        fixed: order.fixed,
        plan: null,
        oracles: true,
        checked: false,
        maxSteps: MAX_STEPS,
      });
      runs += 1;
      digests.push(result.digest);
      found = sightingIn(result, order.noticedBy);
      if (found !== null) break;
      const other = sightingIn(result, null);
      if (other !== null && others.length < 20) others.push(other);
    }
  }
  return { found, others, runs, milliseconds: Math.round(performance.now() - startedMs), digests };
}

/** The first thing that one of `noticedBy` (null: anybody) says of a run. */
function sightingIn(result: RunResult, noticedBy: readonly string[] | null): Sighting | null {
  const { verdict, findings, scenario, combination, seed, digest } = result;
  if (verdict === "ok" || verdict === "expected-failure") return null;
  const run = { scenario, combination, seed, verdict, digest };
  const finding = findings.find(({ oracle }) => noticedBy === null || noticedBy.includes(oracle));
  if (finding !== undefined) return { ...run, oracle: finding.oracle, message: finding.message };
  if (noticedBy !== null && !noticedBy.includes(verdict)) return null;
  return { ...run, oracle: verdict, message: findings[0]?.message ?? verdict };
}
