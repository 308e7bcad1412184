import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { defaultSources, libraryScenarios, loadScenario, scenarioSource } from "#whitewater/reports/catalog/load-scenario.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import type { RunRequest, RunResult } from "#whitewater/simulator/run-result.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { whitewater } from "../reports/cli/in-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const record = readRecord(join(root, "scenarios/tour/tour.json"), "scenarios/tour/tour.json");
const simulator = new Simulator(tour);

function run(plan: FaultPlan): RunResult {
  const { seed, profile, options, maxSteps } = record;
  const request: RunRequest = { seed, profile, fixed: options, plan, oracles: true, checked: false, restoreEvery: false, maxSteps };
  return simulator.run(request);
}

describe("the run of the tour", () => {
  it("is what its record says; where it is not, scripts/tour-record.mjs makes it anew", () => {
    const { verdict, digest, findings, steps } = run(record.plan);
    expect({ verdict, digest, findings, steps }).toEqual({
      verdict: record.expected,
      digest: record.digest,
      findings: record.findings,
      steps: record.counts.steps,
    });
  });

  it("is one crash, after which what is kept in a field is too small and what is kept in state is right", () => {
    expect(record.plan).toHaveLength(1);
    expect(record.expected).toBe("violation");
    expect(new Set(record.findings.map(({ oracle }) => oracle))).toEqual(new Set(["exactly-once output"]));
    for (const { message } of record.findings) {
      const [, expectedTakings, expectedSold, sold, takings] =
        /expected \{fruit: "\w+", takings: (\d+), sold: (\d+)\}, got \{fruit: "\w+", sold: (\d+), takings: (\d+)\}/.exec(message) ?? [];
      expect(takings).toBe(expectedTakings);
      expect(Number(sold)).toBeLessThan(Number(expectedSold));
    }
  });

  it("finds nothing without the crash", () => {
    const { verdict, findings } = run([]);
    expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
  });

  it("is small enough to be understood", () => {
    expect(record.counts.steps).toBeLessThan(700);
  });
});

it("says how to make it happen again: by the record, because no seed draws its plan", async () => {
  const { code, stdout } = await whitewater(root, ["replay", "scenarios/tour/tour.json"], { simulate: (_scenario, request) => simulator.run(request) });
  expect(code).toBe(1);
  expect(stdout).toContain("the same as the record scenarios/tour/tour.json");
  expect(stdout).toContain("reproduce:  npx whitewater replay scenarios/tour/tour.json\n");
});

describe("the scenario of the tour", () => {
  it("is found by its name, and in no list and no sweep", async () => {
    const { scenario } = await loadScenario(scenarioSource("tour", null, "/"));
    expect(scenario).toBe(tour);
    expect((await libraryScenarios()).map(({ name }) => name)).not.toContain("tour");
    expect((await defaultSources(null, "/")).map((source) => source.kind === "library" && source.name)).not.toContain("tour");
  });
});
