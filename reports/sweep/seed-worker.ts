import { workerData } from "piscina";
import type { Scenario } from "../../simulator/scenario.ts";
import { loadStateLibraries } from "../../scenarios/load-state-libraries.ts";
import { loadScenario } from "../catalog/load-scenario.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import { CensusExchange } from "./census-exchange.ts";
import { runChunk, type Chunk, type ChunkRows } from "./chunk.ts";
import { keptSimulators } from "./kept-simulators.ts";
import type { WorkerSetup } from "./worker-runner.ts";

const setup = workerData as WorkerSetup;
const simulate = keptSimulators(await loadStateLibraries(setup.settings.fixed.backend), new CensusExchange(setup.sweep));
const loaded: (Scenario | undefined)[] = [];

/** Piscina calls the function of this name in each worker thread. */
export async function runChunkInWorker(chunk: Chunk): Promise<ChunkRows> {
  const scenario = (loaded[chunk.scenario] ??= (
    await loadScenario(setup.sources[chunk.scenario] as ScenarioSource)
  ).scenario);
  return runChunk(chunk, scenario, setup.settings, simulate, () => Atomics.load(setup.stopFlag, 0) !== 0);
}
