import type { FaultPlan } from "../../simulator/faults/fault.ts";
import type { RunOptions, Scenario } from "../../simulator/scenario.ts";
import { runSeed, type RunSettings, type SeedRow, type Simulate } from "./run-seed.ts";

/** Seeds handed to a worker at once: enough to make the message cheap, few enough to stop soon. */
export const CHUNK_SEEDS = 2;

/** One way to run a seed. */
export interface RunVariant {
  /** Fixed beside what the settings fix. */
  readonly fixed: Partial<RunOptions>;
  /** In place of the plan that the seed would draw, or null. */
  readonly plan: FaultPlan | null;
}

/** Consecutive seeds of one scenario. */
export interface Chunk {
  /** Index in the sweep's list of scenarios. */
  readonly scenario: number;
  readonly first: bigint;
  readonly count: number;
  /** Each seed runs once in each of these ways; null: once, as the settings say. */
  readonly variants: readonly RunVariant[] | null;
  /** Wall-clock time (ms since 1970) after which no further seed is begun, or null. */
  readonly deadlineMs: number | null;
}

/** Rows of a chunk in seed order, for each seed in the order of the variants; fewer than asked where it was stopped. */
export type ChunkRows = readonly SeedRow[];

/** Runs chunks somewhere: in this thread, or in workers. */
export interface ChunkRunner {
  /** Chunks it wants to have in hand at once. */
  readonly window: number;
  run(chunk: Chunk): Promise<ChunkRows>;
  /** Begin no further seed; chunks in hand end early. */
  stop(): void;
  close(): Promise<void>;
}

/** Rows that a chunk gives where nothing stops it. */
export function runsOf({ count, variants }: Chunk): number {
  return count * (variants === null ? 1 : variants.length);
}

/** One run of a chunk. */
interface ChunkRun {
  readonly seed: string;
  readonly settings: RunSettings;
}

function* runsIn(chunk: Chunk, settings: RunSettings): Generator<ChunkRun, undefined> {
  const each = chunk.variants?.map(({ fixed, plan }): RunSettings => ({ ...settings, fixed: { ...settings.fixed, ...fixed }, plan }));
  for (let i = 0; i < chunk.count; i++) {
    const seed = String(chunk.first + BigInt(i));
    for (const one of each ?? [settings]) yield { seed, settings: one };
  }
}

/** Makes the runs of a chunk one after the other until it is told to stop or its time is over. */
export function runChunk(
  chunk: Chunk,
  scenario: Scenario,
  settings: RunSettings,
  simulate: Simulate,
  isStopped: () => boolean,
): SeedRow[] {
  const rows: SeedRow[] = [];
  for (const run of runsIn(chunk, settings)) {
    if (isStopped() || isLate(chunk)) break;
    rows.push(runSeed(scenario, run.seed, run.settings, simulate));
  }
  return rows;
}

function isLate({ deadlineMs }: Chunk): boolean {
  return deadlineMs !== null && Date.now() >= deadlineMs;
}

/** Runs chunks in this thread; between two runs the event loop turns, so that signals get through. */
export function localRunner(scenarios: readonly Scenario[], settings: RunSettings, simulate: Simulate): ChunkRunner {
  let stopped = false;
  return {
    window: 1,
    async run(chunk): Promise<ChunkRows> {
      const rows: SeedRow[] = [];
      for (const run of runsIn(chunk, settings)) {
        await new Promise((resolve) => setImmediate(resolve));
        if (stopped || isLate(chunk)) break;
        rows.push(runSeed(scenarios[chunk.scenario] as Scenario, run.seed, run.settings, simulate));
      }
      return rows;
    },
    stop(): void {
      stopped = true;
    },
    async close(): Promise<void> {},
  };
}
