import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { Finding, RunResult } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { CONTROLS } from "./controls.ts";
import type { HuntOrder, HuntResult, Sighting } from "./hunt.ts";

const MAX_STEPS = 2_000_000;
const OTHERS_KEPT = 20;
const NOWHERE: Sighting = { scenario: "", combination: "", seed: "", verdict: "crashed", digest: "", oracle: "exception", message: "" };

/** Something that a seed can be tried on: a scenario or a control. */
interface Subject {
  readonly name: string;
  run(seed: string): Judged;
}

type Judged = Pick<RunResult, "verdict" | "combination" | "digest"> & { readonly findings: readonly Pick<Finding, "oracle" | "message">[] };

/** Runs the seeds in order until somebody who may notice the bug does. Runs inside the child process. */
export async function hunt(order: HuntOrder): Promise<HuntResult> {
  const { loadStateLibraries } = await import("#whitewater/scenarios/load-state-libraries.js");
  const libraries = await loadStateLibraries(order.fixed.backend);
  const startedMs = performance.now();
  const subjects = order.scenarios.map((name) => subjectNamed(name, order, libraries));
  const others: Sighting[] = [];
  const digests: string[] = [];
  let runs = 0;
  let found: Sighting | null = null;
  for (let seed = 1; seed <= order.seeds && found === null; seed += 1) {
    for (const subject of subjects) {
      const result = runOnce(subject, String(seed));
      runs += 1;
      if (typeof result === "string") {
        others.push({ ...NOWHERE, scenario: subject.name, seed: String(seed), message: result });
        continue;
      }
      digests.push(result.digest);
      found = sightingIn(subject.name, String(seed), result, order.noticedBy);
      if (found !== null) break;
      const other = sightingIn(subject.name, String(seed), result, null);
      if (other !== null) others.push(other);
    }
    if (others.length > OTHERS_KEPT) others.length = OTHERS_KEPT;
  }
  return { found, others, runs, milliseconds: Math.round(performance.now() - startedMs), outOfTime: false, digests };
}

function subjectNamed(name: string, { fixed }: HuntOrder, libraries: StateLibraries): Subject {
  const control = CONTROLS.find((one) => one.name === name);
  if (control !== undefined) {
    return {
      name,
      run: (seed) => {
        const { digest, findings } = control.run(seed, libraries);
        return { digest, findings, combination: "", verdict: findings.length === 0 ? "ok" : "violation" };
      },
    };
  }
  const scenario = scenarioNamed(name);
  if (scenario === null) throw new Error(`there is no scenario or control "${name}"`);
  const simulator = new Simulator(scenario, libraries);
  const request = { profile: "swarm", fixed, plan: null, oracles: true, checked: false, maxSteps: MAX_STEPS } as const;
  return { name, run: (seed) => simulator.run({ ...request, seed }) };
}

/** What was thrown, where the simulator itself trips over what the mutated engine does. */
function runOnce(subject: Subject, seed: string): Judged | string {
  try {
    return subject.run(seed);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** The first thing that one of `noticedBy` (null: anybody) says of a run. */
function sightingIn(scenario: string, seed: string, result: Judged, noticedBy: readonly string[] | null): Sighting | null {
  const { verdict, findings, combination, digest } = result;
  if (verdict === "ok" || verdict === "expected-failure") return null;
  const run = { scenario, combination, seed, verdict, digest };
  const finding = findings.find(({ oracle }) => noticedBy === null || noticedBy.includes(oracle));
  if (finding !== undefined) return { ...run, oracle: finding.oracle, message: finding.message };
  return noticedBy === null ? { ...run, oracle: verdict, message: verdict } : null;
}
