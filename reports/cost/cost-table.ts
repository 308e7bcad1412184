import type { RestoreStrategyName } from "../../engine/graph/job-modes.ts";
import { RESTORE_STRATEGIES, invalidCombination } from "../../engine/graph/job-modes.ts";
import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { StateBackendName } from "../../engine/state/state-backend.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import type { RunOptions, Scenario } from "../../simulator/scenario.ts";
import { COST_FORMAT, COST_INCIDENTS, COST_VERSION } from "../document/cost-document.ts";
import type { CheckpointCosts, CostDocument, CostGap, CostIncident, CostRow, RecoveryCost } from "../document/cost-document.ts";
import { UsageError } from "../files/usage-error.ts";
import { costRun } from "./cost-run.ts";

const SEED = "1";
const BUFFER_ELEMENTS = 16;
/** Where the scenario leaves a choice. */
const WANTED_PARALLELISM = 4;

/** Where the runs of a table come from, and who is told how far it is. */
export interface CostTableContext {
  readonly tool: string;
  readonly libraries: StateLibraries;
  progress(done: number, total: number): void;
}

/** Measures every pair of state backend and restore strategy that the scenario runs with. */
export function costTable(scenario: Scenario, { tool, libraries, progress }: CostTableContext): CostDocument {
  const parallelism = scenario.parallelisms.includes(WANTED_PARALLELISM) ? WANTED_PARALLELISM : Math.max(...scenario.parallelisms);
  const pairs = STATE_BACKENDS.flatMap((backend) => RESTORE_STRATEGIES.map((strategy) => ({ backend, strategy })));
  const notMeasured: CostGap[] = [];
  const rows: CostRow[] = [];
  let afterCheckpoints: number | null = null;
  pairs.forEach(({ backend, strategy }, index) => {
    progress(index, pairs.length);
    const reason = whyNot(scenario, backend, strategy);
    if (reason !== null) {
      notMeasured.push({ backend, strategy, reason });
      return;
    }
    const options = optionsOf(scenario, backend, strategy, parallelism);
    afterCheckpoints ??= checkpointsBeforeIncident(scenario, options, libraries);
    const measured = measure(scenario, options, afterCheckpoints, libraries);
    if (typeof measured === "string") notMeasured.push({ backend, strategy, reason: measured });
    else rows.push({ backend, strategy, ...measured });
  });
  progress(pairs.length, pairs.length);
  return {
    format: COST_FORMAT,
    version: COST_VERSION,
    tool,
    scenario: scenario.name,
    seed: SEED,
    parallelism,
    afterCheckpoints: afterCheckpoints ?? 1,
    rows,
    notMeasured,
  };
}

function whyNot({ backends, restores = ["full"] }: Scenario, backend: StateBackendName, strategy: RestoreStrategyName): string | null {
  const invalid = invalidCombination({ backend, restore: strategy, failover: "job", rescales: false });
  if (invalid !== null) return invalid.reason;
  if (backends !== undefined && !backends.includes(backend)) return `the scenario does not run with the backend ${backend}`;
  return restores.includes(strategy) ? null : `the scenario does not run with the restore strategy ${strategy}`;
}

function optionsOf({ modes = ["aligned"] }: Scenario, backend: StateBackendName, restore: RestoreStrategyName, parallelism: number): RunOptions {
  const mode = modes.includes("aligned") ? "aligned" : (modes[0] ?? "aligned");
  return { backend, mode, restore, parallelism, parallelismAfter: parallelism, failover: "job", bufferElements: BUFFER_ELEMENTS };
}

/** Half of those that a run has in which nothing happens. */
function checkpointsBeforeIncident(scenario: Scenario, options: RunOptions, libraries: StateLibraries): number {
  const { completed, end } = costRun(scenario, options, SEED, null, libraries);
  if (completed < 2 || end !== "finished") {
    const what = end === "finished" ? `completes ${completed} checkpoints` : `is ${end}`;
    throw new UsageError(`scenario ${scenario.name}`, `its job ${what} where nothing goes wrong, so there is no restore to measure`, "choose a longer one, with checkpoints (see list)");
  }
  return completed >> 1;
}

/** Or why it cannot be measured. */
function measure(
  scenario: Scenario,
  options: RunOptions,
  afterCheckpoints: number,
  libraries: StateLibraries,
): { readonly checkpoints: CheckpointCosts; readonly recoveries: Record<CostIncident, RecoveryCost> } | string {
  let checkpoints: CheckpointCosts | null = null;
  const recoveries: Partial<Record<CostIncident, RecoveryCost>> = {};
  for (const kind of COST_INCIDENTS) {
    const run = costRun(scenario, options, SEED, { kind, afterCheckpoints }, libraries);
    if (run.end !== "finished") return `the job is ${run.end} after ${kind}`;
    if (run.recovery === null || run.checkpoints === null) return `nothing was restored after ${kind}`;
    checkpoints ??= run.checkpoints;
    recoveries[kind] = run.recovery;
  }
  return checkpoints === null ? "nothing was run" : { checkpoints, recoveries: recoveries as Record<CostIncident, RecoveryCost> };
}
