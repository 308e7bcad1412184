import { beforeAll, describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { CrashEverywhere, SMALL_INPUT_RECORDS, smallInput } from "#whitewater/simulator/explore/crash-everywhere.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest, RunResult } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const simulator = new Simulator(present(scenarioNamed("word-count"), "the scenario is there"));
const fixed = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2 } as const;
const request: RunRequest = {
  seed: "1",
  profile: "crash-everywhere",
  fixed,
  plan: [],
  oracles: true,
  checked: false,
  maxSteps: 1_000_000,
};
const PROCESSES = ["jm-1", "worker-1", "worker-2", "worker-3"];

function run(plan: FaultPlan): RunResult {
  return simulator.run({ ...request, plan });
}

describe("a crash everywhere", () => {
  let everywhere: CrashEverywhere;
  beforeAll(() => {
    everywhere = new CrashEverywhere(simulator, request);
  });

  test("has one crash point for each trace point of the run without faults, and a crash for each process", () => {
    const calm = run([]);
    expect(calm.verdict).toBe("ok");
    expect(calm.checkpointsCompleted).toBeGreaterThan(2);
    expect(everywhere.points).toHaveLength(calm.tracePoints);
    const { plans, total } = everywhere.singles(Number.MAX_SAFE_INTEGER);
    expect(plans).toHaveLength(total);
    expect(total).toBeGreaterThan(3.9 * calm.tracePoints);
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(total);
  });

  test("thins out evenly what is beyond the limit, always in the same way", () => {
    const { plans, total } = everywhere.singles(50);
    expect(total).toBeGreaterThan(50);
    expect(plans).toHaveLength(50);
    expect(plans).toEqual(new CrashEverywhere(simulator, request).singles(50).plans);
    const all = everywhere.singles(total).plans.map((plan) => JSON.stringify(plan));
    const places = plans.map((plan) => all.indexOf(JSON.stringify(plan)));
    const gaps = places.map((place, index) => place - (places[index - 1] ?? 0)).slice(1);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
    expect(everywhere.singles(1).plans).toHaveLength(1);
  });

  test("finds nothing, and every crash strikes where it is meant to", () => {
    const { plans } = everywhere.singles(40);
    for (const plan of plans) {
      const { verdict, findings, faults } = run(plan);
      expect([plan, verdict, findings]).toEqual([plan, "ok", []]);
      expect(faults.map(({ outcome }) => outcome)).toEqual(["fired"]);
    }
    expect(new Set(plans.map(([fault]) => (fault?.kind === "process-crash" ? fault.process : "")))).toEqual(new Set(PROCESSES));
  });

  test("crashes again during the recovery, before the job runs again", () => {
    const pairs = everywhere.pairs(16);
    expect(pairs.length).toBeGreaterThan(10);
    let during = 0;
    for (const plan of pairs) {
      const { verdict, findings, faults } = run(plan);
      expect([plan, verdict, findings]).toEqual([plan, "ok", []]);
      const [first, second] = faults;
      expect(first?.outcome).toBe("fired");
      if (second?.outcome === "fired" && (second.step ?? 0) >= (first?.step ?? 0)) during += 1;
    }
    expect(during).toBeGreaterThan(pairs.length / 2);
    expect(everywhere.pairs(0)).toEqual([]);
  });
});

test("a small input is the beginning of the whole one, in its order, and short", () => {
  const records = Array.from({ length: 500 }, (_, n) => ({ arrivesAtUs: n * 20_000, timestampMs: n, value: n }));
  const inputs = [{ topic: "numbers", partitions: [records.filter((_, n) => n % 2 === 0), records.filter((_, n) => n % 2 === 1)] }];
  const [topic] = smallInput(inputs);
  const kept = topic?.partitions.flat() ?? [];
  expect(kept.length).toBeLessThanOrEqual(SMALL_INPUT_RECORDS + 2);
  expect(kept.length).toBeGreaterThan(SMALL_INPUT_RECORDS / 2);
  expect(Math.max(...kept.map(({ arrivesAtUs }) => arrivesAtUs))).toBeGreaterThan(3_000_000);
  for (const partition of topic?.partitions ?? []) {
    expect(partition.map(({ value }) => value)).toEqual(partition.map(({ value }) => value as number).toSorted((a, b) => a - b));
  }
});
