import { Worker } from "node:worker_threads";
import type { RunOptions } from "../../simulator/scenario.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";

/** Digests of two undisturbed runs of one scenario, one after the other. */
export interface CalmPair {
  readonly first: string;
  readonly again: string;
}

/**
 * Runs each scenario twice, undisturbed, in a thread in which nothing ran before: its modules are its own.
 * Rejected where `stop` is aborted.
 */
export type FreshPairs = (
  sources: readonly ScenarioSource[],
  fixed: Partial<RunOptions>,
  stop: AbortSignal,
) => Promise<readonly CalmPair[]>;

/** What the thread knows from its start. */
export interface PuritySetup {
  readonly sources: readonly ScenarioSource[];
  readonly fixed: Partial<RunOptions>;
}

export const freshPairs: FreshPairs = (sources, fixed, stop) =>
  new Promise((resolve, reject) => {
    stop.throwIfAborted();
    const setup: PuritySetup = { sources, fixed };
    const worker = new Worker(new URL("./purity-worker.js", import.meta.url), { workerData: setup });
    stop.addEventListener("abort", () => void worker.terminate(), { once: true });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread that runs scenarios afresh ended without an answer")));
  });

/**
 * Why scenarios are not determined by their seed, in sentences. The commonest mistake is state in a
 * module-level variable: the first run in a process differs from the next, in each process alike. What
 * differs between two first runs comes from outside.
 */
export async function impurities(
  names: readonly string[],
  sources: readonly ScenarioSource[],
  fixed: Partial<RunOptions>,
  pairs: FreshPairs,
  stop: AbortSignal,
): Promise<string[]> {
  const some = await pairs(sources, fixed, stop);
  if (some.every(({ first, again }) => first === again)) return [];
  const others = await pairs(sources, fixed, stop);
  return names.flatMap((name, i) => {
    const [one, other] = [some[i], others[i]];
    if (one === undefined || other === undefined) return [];
    if (one.first !== other.first) {
      return [
        `${name}: undisturbed runs differ even in fresh processes (digest ${one.first}, ${other.first}): the scenario ` +
          "reads a clock or random numbers of its own, or something else outside of the simulation",
      ];
    }
    if (one.first === one.again) return [];
    return [
      `${name}: state outlives a run: undisturbed, the first run of a process gives digest ${one.first}, the next ` +
        `${one.again}; a module-level variable or a static field does this, keep it in the job function or in Flink state`,
    ];
  });
}
