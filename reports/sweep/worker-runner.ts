import type { ScenarioSource } from "../catalog/scenario-source.ts";
import type { Chunk, ChunkRows, ChunkRunner } from "./chunk.ts";
import type { RunSettings } from "./run-seed.ts";

/** What a worker thread knows from its start. */
export interface WorkerSetup {
  readonly sources: readonly ScenarioSource[];
  readonly settings: RunSettings;
  /** One 32-bit word: not 0 once no further seed may begin. */
  readonly stopFlag: Int32Array;
}

/** Runs chunks in `jobs` worker threads, each of which loads the scenarios itself. */
export async function workerRunner(
  sources: readonly ScenarioSource[],
  settings: RunSettings,
  jobs: number,
): Promise<ChunkRunner> {
  const { Piscina } = await import("piscina");
  const stopFlag = new Int32Array(new SharedArrayBuffer(4));
  const setup: WorkerSetup = { sources, settings, stopFlag };
  const pool = new Piscina<Chunk, ChunkRows>({
    filename: new URL("./seed-worker.js", import.meta.url).href,
    name: "runChunkInWorker",
    minThreads: jobs,
    maxThreads: jobs,
    workerData: setup,
  });
  return {
    window: jobs * 3,
    run: (chunk) => pool.run(chunk),
    stop(): void {
      Atomics.store(stopFlag, 0, 1);
    },
    async close(): Promise<void> {
      Atomics.store(stopFlag, 0, 1);
      await pool.destroy();
    },
  };
}
