import type { HuntResult, Sighting } from "./hunt.ts";
import { huntBug, huntClean } from "./hunt.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { SEEDS_TO_FIND } from "./planted-bug.ts";

/** What came of one planted bug. */
export interface BugOutcome {
  readonly bug: PlantedBug;
  readonly hunt: HuntResult;
  /** Seeds swept until it was found, or all. */
  readonly seeds: number;
}

/** At least so many seeds are run with the clean engine: silence on one or two says little. */
const CLEAN_SEEDS_AT_LEAST = 10;

/** What the clean engine reported on the seeds that found bugs: nothing, if all is well. */
export interface CleanOutcome {
  readonly scenario: string;
  /** The one that the sweep was fixed to. */
  readonly backend: string | null;
  readonly seeds: number;
  readonly runs: number;
  readonly milliseconds: number;
  readonly outOfTime: boolean;
  readonly sightings: readonly Sighting[];
}

/** Hunts each bug, at most `jobs` at a time; `done` learns of each as it is over. */
export async function huntAll(
  bugs: readonly PlantedBug[],
  jobs: number,
  done: (outcome: BugOutcome) => void,
): Promise<readonly BugOutcome[]> {
  return pooled(bugs, jobs, async (bug) => {
    const most = bug.seedsToFind ?? SEEDS_TO_FIND;
    const hunt = await huntBug(bug, most);
    const outcome: BugOutcome = { bug, hunt, seeds: hunt.found === null ? most : Number(hunt.found.seed) };
    done(outcome);
    return outcome;
  });
}

/** Runs the clean engine once over each scenario, on all the seeds that any bug was hunted with there. */
export async function checkClean(outcomes: readonly BugOutcome[], jobs: number): Promise<readonly CleanOutcome[]> {
  const sweeps = new Map<string, { scenario: string; fixed: PlantedBug["fixed"]; seeds: number }>();
  for (const { bug, seeds } of outcomes) {
    for (const scenario of bug.scenarios) {
      const key = `${scenario} ${JSON.stringify(bug.fixed)}`;
      const known = sweeps.get(key);
      sweeps.set(key, { scenario, fixed: bug.fixed, seeds: Math.max(seeds, known?.seeds ?? CLEAN_SEEDS_AT_LEAST) });
    }
  }
  return pooled([...sweeps.values()], jobs, async ({ scenario, fixed, seeds }) => {
    const { found, others, runs, milliseconds, outOfTime } = await huntClean([scenario], fixed, seeds);
    return { scenario, backend: fixed.backend ?? null, seeds, runs, milliseconds, outOfTime, sightings: found === null ? others : [found, ...others] };
  });
}

/** Maps in order, with at most `jobs` under way. */
async function pooled<T, R>(items: readonly T[], jobs: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as T);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return results;
}
