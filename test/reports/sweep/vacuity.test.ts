import { describe, expect, it } from "vitest";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import { runSeed, type Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { Tally } from "#whitewater/reports/sweep/tally.js";
import { vacuity } from "#whitewater/reports/sweep/vacuity.js";
import { fakeResult, fakeScenario } from "../fake-simulator.js";

function tallyOf(runs: number, changes: (seed: number) => Partial<RunResult>): Tally {
  const tally = new Tally();
  const simulate: Simulate = (_scenario, run) => fakeResult(run, changes(Number(run.seed)));
  const settings = { profile: "swarm", fixed: {}, maxSteps: 1, selfCheckMillionths: 0 } as const;
  for (let seed = 0; seed < runs; seed++) tally.add(runSeed(fakeScenario(), String(seed), settings, simulate));
  return tally;
}

function reasons(tally: Tally, declared: readonly string[] = [], profile: "swarm" | "network" = "swarm"): string[] {
  return vacuity("fake", tally.totals, declared, tally.sometimes, profile);
}

describe("vacuity", () => {
  it("names the declared paths that a swarm sweep of 200 runs never reached", () => {
    const tally = tallyOf(200, () => ({ sometimes: { reached: 2 } }));
    expect(reasons(tally, ["reached", "never"])).toEqual(["fake: never reached in 200 runs: never"]);
    expect(reasons(tally, ["reached", "never"], "network")).toEqual([]);
    expect(reasons(tallyOf(199, () => ({})), ["never"])).toEqual([]);
  });

  it("refuses a sweep in which nothing ran", () => {
    expect(reasons(new Tally())).toEqual(["fake: nothing ran"]);
  });

  it("accepts 5% expected failures and refuses more", () => {
    const everyNth = (n: number) => tallyOf(100, (seed) => (seed % n === 0 ? { verdict: "expected-failure" } : {}));
    expect(reasons(everyNth(20))).toEqual([]);
    expect(reasons(everyNth(10))[0]).toContain("10 of 100 runs ended as expected failures");
  });

  it("accepts 20% faults without effect and refuses more", () => {
    const withDuds = (n: number) =>
      tallyOf(100, (seed) => ({
        faults: [
          {
            id: "f1",
            kind: "rpc-drop",
            outcome: seed % n === 0 ? (seed % 2 === 0 ? "dud" : "downgraded") : "fired",
            atUs: null,
            step: null,
            reason: null,
          },
        ],
      }));
    expect(reasons(withDuds(5))).toEqual([]);
    expect(reasons(withDuds(3))[0]).toContain("34 of 100 faults had no effect, 17 duds and 17 downgraded");
  });
});
