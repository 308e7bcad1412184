import type { Scenario } from "../../simulator/scenario.ts";
import { runSeed, type RunSettings, type SeedRow, type Simulate } from "./run-seed.ts";

/** Seeds handed to a worker at once: enough to make the message cheap, few enough to stop soon. */
export const CHUNK_SEEDS = 2;

/** Consecutive seeds of one scenario. */
export interface Chunk {
  /** Index in the sweep's list of scenarios. */
  readonly scenario: number;
  readonly first: bigint;
  readonly count: number;
  /** Wall-clock time (ms since 1970) after which no further seed is begun, or null. */
  readonly deadlineMs: number | null;
}

/** Rows of a chunk in seed order; fewer than asked where it was stopped. */
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

/** Runs the seeds of a chunk one after the other until it is told to stop or its time is over. */
export function runChunk(
  chunk: Chunk,
  scenario: Scenario,
  settings: RunSettings,
  simulate: Simulate,
  isStopped: () => boolean,
): SeedRow[] {
  const rows: SeedRow[] = [];
  for (let i = 0; i < chunk.count; i++) {
    if (isStopped() || (chunk.deadlineMs !== null && Date.now() >= chunk.deadlineMs)) break;
    rows.push(runSeed(scenario, String(chunk.first + BigInt(i)), settings, simulate));
  }
  return rows;
}

/** Runs chunks in this thread; between two of them the event loop turns, so that signals get through. */
export function localRunner(scenarios: readonly Scenario[], settings: RunSettings, simulate: Simulate): ChunkRunner {
  let stopped = false;
  return {
    window: 1,
    async run(chunk): Promise<ChunkRows> {
      const rows: SeedRow[] = [];
      for (let i = 0; i < chunk.count; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        const one = { ...chunk, first: chunk.first + BigInt(i), count: 1 };
        const [row] = runChunk(one, scenarios[chunk.scenario] as Scenario, settings, simulate, () => stopped);
        if (row === undefined) break;
        rows.push(row);
      }
      return rows;
    },
    stop(): void {
      stopped = true;
    },
    async close(): Promise<void> {},
  };
}
