import { present } from "../../engine/base/assert.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import { failoverRegions } from "../../engine/graph/failover-regions.ts";
import { invalidCombination } from "../../engine/graph/job-modes.ts";
import type { CheckpointMode, FailoverScope, RestoreStrategyName } from "../../engine/graph/job-modes.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import type { StateBackendName } from "../../engine/state/state-backend.ts";
import type { RunOptions, Scenario } from "../scenario.ts";

/** Three runs of four keep their state on the heap: they are the fastest, and most bugs do not lie in a backend. */
const DRAWN_BACKENDS: readonly StateBackendName[] = [
  ...STATE_BACKENDS.filter((name) => name !== "heap"),
  ...new Array<StateBackendName>(3 * (STATE_BACKENDS.length - 1)).fill("heap"),
];
const BUFFER_SIZES = [1, 4, 16, 64] as const;
/** What the seed draws from, the more often one is named, the likelier. */
const DRAWN_MODES: readonly CheckpointMode[] = ["aligned", "aligned", "aligned", "aligned-timeout", "unaligned", "unaligned", "at-least-once"];
const DRAWN_RESTORES: readonly RestoreStrategyName[] = ["full", "full", "incremental", "local"];
/** What a scenario that says nothing runs with. */
const ALIGNED_ALONE: readonly CheckpointMode[] = ["aligned"];
const FULL_ALONE: readonly RestoreStrategyName[] = ["full"];
const JOB_ALONE: readonly FailoverScope[] = ["job"];
/** One run in so many of a job that can be rescaled is. */
const RESCALED_ONE_IN = 4;

/** What a run varies: drawn, unless it is fixed by the caller. What is fixed decides what else can be drawn. */
export function drawOptions(scenario: Scenario, fixed: Partial<RunOptions>, draw: RandomStream): RunOptions {
  const { parallelisms, bufferSizes = BUFFER_SIZES } = scenario;
  const drawnParallelism = oneOf(parallelisms, draw);
  const bufferElements = oneOf(bufferSizes, draw);
  const drawnBackend = oneOf(backendsOf(scenario), draw);
  const parallelism = fixed.parallelism ?? drawnParallelism;
  const mode = fixed.mode ?? oneOf(common(DRAWN_MODES, scenario.modes ?? ALIGNED_ALONE), draw);
  const drawnAfter = drawParallelismAfter(scenario, parallelism, draw);
  const parallelismAfter = fixed.parallelismAfter ?? (fixed.parallelism !== undefined || fixed.failover === "region" ? parallelism : drawnAfter);
  const rescales = parallelismAfter !== parallelism;
  const backend = fixed.backend ?? (fixed.restore === "incremental" && drawnBackend === "heap" ? "lsm" : drawnBackend);
  const valid = (restore: RestoreStrategyName, failover: FailoverScope): boolean =>
    invalidCombination({ backend, restore, failover, rescales }) === null;
  const restores = common(DRAWN_RESTORES, scenario.restores ?? FULL_ALONE).filter((restore) => valid(restore, "job"));
  const restore = fixed.restore ?? oneOf(restores, draw);
  const options = { backend, mode, restore, parallelism, parallelismAfter, bufferElements: fixed.bufferElements ?? bufferElements };
  if (fixed.failover !== undefined) return { ...options, failover: fixed.failover };
  const scopes = scopesOf(scenario, options).filter((scope) => valid(restore, scope));
  return { ...options, failover: oneOf(scopes, draw) };
}

/** Where the whole job is one region, the scope makes no difference: regions are drawn where there are several. */
function scopesOf(scenario: Scenario, options: Omit<RunOptions, "failover">): readonly FailoverScope[] {
  const { failovers = JOB_ALONE } = scenario;
  if (failovers.length === 1 || options.parallelismAfter !== options.parallelism) return failovers;
  const graph = buildJobGraph(scenario.job({ ...options, failover: "region" }));
  return failoverRegions(graph, "region").all.length > 1 ? failovers : JOB_ALONE;
}

function backendsOf({ backends, drawnBackends = DRAWN_BACKENDS }: Scenario): readonly StateBackendName[] {
  return backends === undefined ? drawnBackends : drawnBackends.filter((name) => backends.includes(name));
}

function drawParallelismAfter({ rescales, parallelisms }: Scenario, parallelism: number, draw: RandomStream): number {
  const others = parallelisms.filter((one) => one !== parallelism);
  if (rescales !== true || others.length === 0) return parallelism;
  return draw.below(RESCALED_ONE_IN) === 0 ? oneOf(others, draw) : parallelism;
}

/** Where what is likely and what the scenario runs with have nothing in common, what it runs with. */
function common<T>(likely: readonly T[], allowed: readonly T[]): readonly T[] {
  const both = likely.filter((one) => allowed.includes(one));
  return both.length > 0 ? both : allowed;
}

/** A choice without an alternative draws nothing. */
function oneOf<T>(choices: readonly T[], draw: RandomStream): T {
  const index = choices.length > 1 ? draw.below(choices.length) : 0;
  return present(choices[index], "there is something to choose from");
}
