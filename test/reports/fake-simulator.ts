import type { Finding, RunRequest, RunResult } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import type { Simulate } from "#whitewater/reports/sweep/run-seed.js";

/** A scenario that only a fake simulator can run. */
export function fakeScenario(changes: Partial<Scenario> = {}): Scenario {
  return {
    name: "fake",
    title: "A scenario for tests of the reports",
    doc: "Nothing runs.",
    job: () => {
      throw new Error("a fake scenario has no job");
    },
    workload: () => [],
    outputs: [],
    cluster: { jobManagers: 1, workers: 2, slotsPerWorker: 2, processRestartUs: 1, hostRestartUs: 1 },
    budget: { most: { "process-crash": 1 }, jobMayFail: false },
    parallelisms: [1, 2, 4],
    confluent: true,
    sometimes: [],
    ...changes,
  };
}

export function aFinding(changes: Partial<Finding> = {}): Finding {
  return { oracle: "exactly-once state", message: 'key "ORD": expected 42, got 43', step: 867, atUs: 3_121_000, ...changes };
}

/** A result as the simulator gives it for a request: the digest depends on the seed and on checked mode. */
export function fakeResult(request: RunRequest, changes: Partial<RunResult> = {}): RunResult {
  const parallelism = request.fixed.parallelism ?? 2;
  const mix = (BigInt(request.seed) * 0x9e3779b97f4a7c15n + (request.checked ? 1n << 63n : 0n)) & 0xffff_ffff_ffff_ffffn;
  return {
    scenario: "fake",
    combination: `heap/aligned/full/${parallelism}to${parallelism}/job`,
    options: { backend: "heap", mode: "aligned", restore: "full", parallelism, parallelismAfter: parallelism, failover: "job", bufferElements: 16 },
    seed: request.seed,
    verdict: "ok",
    findings: [],
    digest: mix.toString(16).padStart(16, "0"),
    steps: 100,
    tracePoints: 1000,
    virtualTimeUs: 2_000_000,
    plan: [
      {
        id: "f1",
        kind: "process-crash",
        process: "worker-2",
        at: { on: "event", event: "snapshotTaken", subject: "sum[1]", x: 4, nth: 1, when: "after" },
      },
    ],
    faults: [{ id: "f1", kind: "process-crash", outcome: "fired", atUs: 427_000, step: 300, reason: null }],
    sometimes: { "crash during restore": 1 },
    restarts: 1,
    checkpointsCompleted: 5,
    restoredFrom: 4,
    ...changes,
  };
}

/** A simulator in which each seed of `failing` violates an oracle. */
export function fakeSimulate(failing: readonly string[] = []): Simulate {
  return (_scenario, request) =>
    failing.includes(request.seed)
      ? fakeResult(request, { verdict: "violation", findings: [aFinding()] })
      : fakeResult(request);
}
