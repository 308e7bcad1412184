import { present } from "../../engine/base/assert.ts";
import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import { CrashEverywhere } from "../../simulator/explore/crash-everywhere.ts";
import type { FaultPlan } from "../../simulator/faults/fault.ts";
import type { RunRequest } from "../../simulator/run-result.ts";
import type { InputTopic, RunOptions, Scenario } from "../../simulator/scenario.ts";
import { combinationOf } from "../../simulator/run-result.ts";
import { Simulator } from "../../simulator/simulate.ts";
import type { CrashReport } from "../document/report-document.ts";
import type { RunCommandOptions } from "./run-options.ts";

/** What `--profile crash-everywhere` runs. */
export interface ChosenCrashes {
  /** By scenario. */
  readonly plans: readonly (readonly FaultPlan[])[];
  readonly reports: readonly CrashReport[];
  /** What holds for all runs: a plan names the events of one combination. */
  readonly fixed: Partial<RunOptions>;
}

/** Few subtasks, so that a run is short; more than one, so that there is something to align. */
const PARALLELISM = 2;

/** The plans for the one seed that there is. */
export function chooseCrashes(scenarios: readonly Scenario[], options: RunCommandOptions, libraries: StateLibraries): ChosenCrashes {
  const fixed = fixedForCrashes(scenarios, options.fixed);
  const plans: FaultPlan[][] = [];
  const reports: CrashReport[] = [];
  for (const scenario of scenarios) {
    const simulator = new Simulator(scenario, libraries);
    const seed = String(options.seeds.first);
    const request: RunRequest = { seed, profile: "crash-everywhere", fixed, plan: [], oracles: true, checked: false, maxSteps: options.maxSteps };
    const everywhere = new CrashEverywhere(simulator, request);
    const { plans: singles, total } = everywhere.singles(options.maxRuns);
    const pairs = everywhere.pairs(options.pairs);
    // The run without faults comes first.
    plans.push([[], ...singles, ...pairs]);
    const whole = preparationOf(simulator, { ...request, profile: "calm" });
    const small = preparationOf(simulator, request);
    reports.push({
      scenario: scenario.name,
      seed,
      combination: combinationOf(small.options),
      points: everywhere.points.length,
      crashes: total,
      crashesRun: singles.length,
      pairsRun: pairs.length,
      records: recordsIn(small.inputs),
      recordsWhole: recordsIn(whole.inputs),
    });
  }
  return { plans, reports, fixed };
}

function fixedForCrashes(scenarios: readonly Scenario[], fixed: Partial<RunOptions>): Partial<RunOptions> {
  if (fixed.parallelism !== undefined || scenarios.some(({ parallelisms }) => !parallelisms.includes(PARALLELISM))) return fixed;
  return { parallelism: PARALLELISM, parallelismAfter: PARALLELISM, ...fixed };
}

function preparationOf(simulator: Simulator, request: RunRequest): { readonly options: RunOptions; readonly inputs: readonly InputTopic[] } {
  const run = simulator.prepare(request);
  if ("verdict" in run) throw new Error(`a run without faults is refused: ${present(run.findings[0], "it says why").message}`);
  run.world.release();
  return run.preparation;
}

function recordsIn(inputs: readonly InputTopic[]): number {
  return inputs.flatMap(({ partitions }) => partitions).reduce((sum, { length }) => sum + length, 0);
}
