import { describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const NAMES = ["founding-checkpointing", "founding-state-backend", "founding-restore-strategy"];
const DELAY_US = 5_000_000;

function request(plan: FaultPlan, seed: string = "1"): RunRequest {
  const fixed = { backend: "heap", parallelism: 2 } as const;
  return { seed, profile: "calm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 };
}

function simulatorOf(name: string): Simulator {
  return new Simulator(present(scenarioNamed(name), "the scenario is there"));
}

/** User code throws when it is called for the nth time. */
function exceptionAt(nth: number): FaultPlan {
  const at = { on: "event", event: "userCall", subject: "window[1]", x: null, nth, when: "before" } as const;
  return [{ id: "f1", kind: "user-exception", at }];
}

test.each(NAMES)("%s counts each of its three events once, undisturbed and after crashes", (name) => {
  const plans: FaultPlan[] = [[]];
  for (const atUs of [1_300_000, 3_700_000]) {
    plans.push([{ id: "f1", kind: "process-crash", process: "worker-1", at: { on: "time", atUs } }]);
  }
  for (const plan of plans) {
    const run = simulatorOf(name).prepare(request(plan));
    if ("verdict" in run) throw new Error("refused");
    run.runToEnd();
    const counts = run.world.log.readCommitted("counts", 0).length;
    const { findings, restarts } = run.conclude();
    run.world.release();
    expect(findings).toEqual([]);
    expect(counts).toBe(3);
    expect(restarts).toBe(plan.length);
  }
});

describe("founding-restore-strategy", () => {
  const disturbances: readonly { readonly title: string; readonly plan: FaultPlan }[] = [
    { title: "a crash", plan: [{ id: "f1", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 3_100_000 } }] },
    { title: "an exception in user code", plan: exceptionAt(2) },
    {
      title: "two crashes, one after the other",
      plan: [
        { id: "f1", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 2_200_000 } },
        { id: "f2", kind: "process-crash", process: "worker-2", at: { on: "time", atUs: 7_700_000 } },
      ],
    },
  ];

  test.each(disturbances)("restarts exactly 5,000 virtual ms after a failure, from the latest snapshot: $title", ({ plan }) => {
    const run = simulatorOf("founding-restore-strategy").prepare(request(plan));
    if ("verdict" in run) throw new Error("refused");
    const { kernel } = run.world;
    const failedAtUs: number[] = [];
    const restarts: { readonly afterUs: number; readonly from: number; readonly latest: number }[] = [];
    let latest = -1;
    kernel.on(TRACE.checkpointCompleted, (_process, _subject, checkpointId) => {
      latest = Math.max(latest, checkpointId);
    });
    kernel.on(TRACE.jobFailing, () => void failedAtUs.push(kernel.nowUs));
    kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, from) => {
      const failure = failedAtUs.at(-1);
      if (failure !== undefined) restarts.push({ afterUs: kernel.nowUs - failure, from, latest });
    });
    run.runToEnd();
    expect(run.conclude().findings).toEqual([]);
    run.world.release();
    expect(restarts.map(({ afterUs }) => afterUs)).toEqual(plan.map(() => DELAY_US));
    for (const { from, latest: wanted } of restarts) expect(from).toBe(wanted);
    expect(latest).toBeGreaterThan(1);
  });
});
