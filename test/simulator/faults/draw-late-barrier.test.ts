import { describe, expect, it } from "vitest";
import { libraryScenarios } from "#whitewater/scenarios/registry.js";
import type { CheckpointMode } from "#whitewater/engine/graph/job-modes.js";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const wordCount = libraryScenarios.find(({ name }) => name === "word-count") as Scenario;
const SEEDS = Array.from({ length: 24 }, (_, index) => String(index + 1));

function run(simulator: Simulator, seed: string, mode: CheckpointMode, profile: "swarm" | "network" = "swarm"): RunResult {
  return simulator.run({ seed, profile, fixed: { mode, backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 2_000_000 });
}

function hasLateBarrier({ faults }: RunResult): boolean {
  return faults.some(({ id }) => id === "late-barrier");
}

describe("a late barrier", () => {
  const simulator = new Simulator(wordCount);
  const results = SEEDS.map((seed) => run(simulator, seed, "at-least-once"));

  it("is drawn for about half of the runs of an at-least-once job, with a crash after it, and nearly always strikes", () => {
    const drawn = results.filter(hasLateBarrier);
    expect(drawn.length).toBeGreaterThanOrEqual(SEEDS.length / 4);
    expect(drawn.length).toBeLessThanOrEqual((SEEDS.length * 3) / 4);
    for (const { faults } of drawn) expect(faults.map(({ id }) => id)).toContain("late-barrier-crash");
    const fired = drawn.filter(({ faults }) => faults.some(({ id, outcome }) => id === "late-barrier" && outcome === "fired"));
    expect(fired.length * 10).toBeGreaterThanOrEqual(drawn.length * 8);
  });

  it("makes records come again in half of them, and nobody finds anything wrong with that", () => {
    const seen = results.filter(({ sometimes }) => (sometimes["a record applied twice (at-least-once)"] ?? 0) > 0);
    expect(seen.length * 2).toBeGreaterThanOrEqual(results.filter(hasLateBarrier).length);
    expect(results.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it("is drawn for no other job, and in no profile that draws no crashes", () => {
    const others = [run(simulator, "1", "aligned"), ...SEEDS.slice(0, 6).map((seed) => run(simulator, seed, "at-least-once", "network"))];
    expect(others.filter(hasLateBarrier)).toEqual([]);
  });

  it("keeps to a budget that allows none", () => {
    const poor: Scenario = { ...wordCount, budget: { ...wordCount.budget, most: { "process-crash": 1 } } };
    const unable = new Simulator(poor);
    expect(SEEDS.slice(0, 12).map((seed) => run(unable, seed, "at-least-once")).filter(hasLateBarrier)).toEqual([]);
  });
});
