import type { FaultPlan } from "../../simulator/faults/fault.ts";
import type { RunOptions, Scenario } from "../../simulator/scenario.ts";
import type { Profile, RunRequest, RunResult, VerdictKind } from "../../simulator/run-result.ts";
import { isRestoredEvery, isSelfChecked } from "./seed.ts";

/** Runs a scenario once; handed in, so that the sweep can be tested without a cluster. */
export type Simulate = (scenario: Scenario, request: RunRequest) => RunResult;

/** What all runs of a sweep share. */
export interface RunSettings {
  readonly profile: Profile;
  readonly fixed: Partial<RunOptions>;
  /** In place of the plan that a seed would draw; absent or null: that. */
  readonly plan?: FaultPlan | null;
  readonly maxSteps: number;
  /** Share of the seeds that run twice more, in millionths. */
  readonly selfCheckMillionths: number;
  /** Share of the seeds whose checkpoints are each restored in a fresh cluster, in millionths; absent: none. */
  readonly restoreEveryMillionths?: number;
}

/** A run that failed, whole, with what its confirmation said. */
export interface FailedRun {
  readonly result: RunResult;
  /** The run was one in checked mode (it folds every buffer into its digest). */
  readonly checked: boolean;
  /** How many runs of this seed were compared, and how many of them gave this digest and verdict. */
  readonly runs: number;
  readonly agreeing: number;
}

/** What became of the faults of one kind. */
export interface FaultCounts {
  readonly fired: number;
  readonly dud: number;
  readonly downgraded: number;
}

/** One seed's outcome, small: what the sweep adds up. */
export interface SeedRow {
  readonly seed: string;
  readonly combination: string;
  readonly verdict: VerdictKind;
  readonly digest: string;
  readonly steps: number;
  readonly tracePoints: number;
  readonly virtualTimeUs: number;
  readonly restarts: number;
  readonly checkpointsCompleted: number;
  readonly faults: Readonly<Record<string, FaultCounts>>;
  readonly sometimes: Readonly<Record<string, number>>;
  readonly selfChecked: boolean;
  readonly failure: FailedRun | null;
}

/** Verdicts that fail a sweep; an expected failure is legal where the budget says so. */
export function isFailing(verdict: VerdictKind): boolean {
  return verdict !== "ok" && verdict !== "expected-failure";
}

export function requestFor(seed: string, settings: RunSettings, checked: boolean): RunRequest {
  return {
    seed,
    profile: settings.profile,
    fixed: settings.fixed,
    plan: settings.plan ?? null,
    oracles: true,
    checked,
    restoreEvery: isRestoredEvery(seed, settings.restoreEveryMillionths ?? 0),
    maxSteps: settings.maxSteps,
  };
}

/**
 * Runs one seed: once; once more to confirm if that failed; and for the share of seeds that are checked,
 * twice in checked mode. Runs of one seed that disagree make the verdict "diverged".
 */
export function runSeed(scenario: Scenario, seed: string, settings: RunSettings, simulate: Simulate): SeedRow {
  const run = (checked: boolean): RunResult => runOnce(scenario, requestFor(seed, settings, checked), simulate);
  const first = run(false);
  let failure = isFailing(first.verdict) ? judgePair(first, run(false), false) : null;
  const selfChecked = isSelfChecked(seed, settings.selfCheckMillionths);
  if (selfChecked) {
    const pair = judgePair(run(true), run(true), true);
    if (pair.result.verdict === "diverged") failure = pair;
    else if (failure === null && isFailing(pair.result.verdict)) failure = pair;
  }
  return rowOf(first, selfChecked, failure);
}

/** A run ends in a verdict; what is thrown nevertheless names the run. */
export function runOnce(scenario: Scenario, request: RunRequest, simulate: Simulate): RunResult {
  try {
    return simulate(scenario, request);
  } catch (error) {
    throw new Error(`${scenario.name}, seed ${request.seed}: the simulator threw`, { cause: error });
  }
}

/** Two runs of the same request as one: confirmed, or diverged. */
export function judgePair(first: RunResult, second: RunResult, checked: boolean): FailedRun {
  const same = first.digest === second.digest && first.verdict === second.verdict;
  if (same) return { result: first, checked, runs: 2, agreeing: 2 };
  const message =
    `two runs of this seed differ: digest ${first.digest}, ${first.verdict}, ${first.steps} steps; ` +
    `then digest ${second.digest}, ${second.verdict}, ${second.steps} steps ` +
    "(state kept in a module-level variable, Math.random or Date.now in the job do this)";
  const result: RunResult = {
    ...first,
    verdict: "diverged",
    findings: [{ oracle: "determinism", message, step: Math.min(first.steps, second.steps), atUs: 0 }],
  };
  return { result, checked, runs: 2, agreeing: 1 };
}

function rowOf(result: RunResult, selfChecked: boolean, failure: FailedRun | null): SeedRow {
  const shown = failure?.result ?? result;
  return {
    seed: result.seed,
    combination: result.combination,
    verdict: shown.verdict,
    digest: shown.digest,
    steps: result.steps,
    tracePoints: result.tracePoints,
    virtualTimeUs: result.virtualTimeUs,
    restarts: result.restarts,
    checkpointsCompleted: result.checkpointsCompleted,
    faults: countFaults(result),
    sometimes: result.sometimes,
    selfChecked,
    failure,
  };
}

function countFaults(result: RunResult): Record<string, FaultCounts> {
  const counts: Record<string, { fired: number; dud: number; downgraded: number }> = {};
  for (const fault of result.faults) {
    const count = (counts[fault.kind] ??= { fired: 0, dud: 0, downgraded: 0 });
    count[fault.outcome] += 1;
  }
  return counts;
}
