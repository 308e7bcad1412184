import { randomUUID } from "node:crypto";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import type { Chunk, ChunkRows, ChunkRunner } from "./chunk.ts";
import type { RunSettings } from "./run-seed.ts";

/** What a worker thread knows from its start. */
export interface WorkerSetup {
  readonly sources: readonly ScenarioSource[];
  readonly settings: RunSettings;
  /** Names this sweep among all of the process. */
  readonly sweep: string;
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
  const setup: WorkerSetup = { sources, settings, sweep: `whitewater-sweep-${randomUUID()}`, stopFlag };
  const pool = new Piscina<Chunk, ChunkRows>({
    filename: new URL("./seed-worker.js", import.meta.url).href,
    name: "runChunkInWorker",
    minThreads: jobs,
    maxThreads: jobs,
    workerData: setup,
  });
  const inHand = new Set<Promise<unknown>>();
  return {
    window: jobs * 3,
    run(chunk): Promise<ChunkRows> {
      const rows = pool.run(chunk);
      const settled: Promise<unknown> = rows.catch(() => null).finally(() => inHand.delete(settled));
      inHand.add(settled);
      return rows;
    },
    stop(): void {
      Atomics.store(stopFlag, 0, 1);
    },
    async close(): Promise<void> {
      Atomics.store(stopFlag, 0, 1);
      // A pool that is destroyed while an answer is on its way fails on that answer.
      await Promise.all(inHand);
      await pool.destroy();
    },
  };
}
