import { describe, expect, it } from "vitest";
import { runSeed, type RunSettings, type Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { localRunner, runChunk, type ChunkRunner } from "#whitewater/reports/sweep/chunk.js";
import { KEPT_FAILURES, sweep, type SweepObserver, type SweepRequest } from "#whitewater/reports/sweep/sweep.js";
import { aFinding, fakeResult, fakeScenario, fakeSimulate } from "../fake-simulator.js";

const settings: RunSettings = { profile: "swarm", fixed: {}, maxSteps: 1000, selfCheckMillionths: 0 };
const everySeedChecked: RunSettings = { ...settings, selfCheckMillionths: 1_000_000 };
const unwatched: SweepObserver = { isInterrupted: () => false, onProgress: () => {}, onScenarioEnd: () => {} };

function request(changes: Partial<SweepRequest> = {}): SweepRequest {
  return { scenarios: ["fake"], seeds: { first: 1n, last: 100n }, bail: null, timeMs: null, matrix: null, plans: null, keepRuns: true, ...changes };
}

/** Many chunks in hand, which end in another order than they were begun. */
function disorderlyRunner(simulate: Simulate): ChunkRunner {
  let turn = 0;
  return {
    window: 7,
    async run(chunk) {
      for (let waits = (turn++ * 5) % 7; waits > 0; waits--) await new Promise((resolve) => setImmediate(resolve));
      return runChunk(chunk, fakeScenario(), settings, simulate, () => false);
    },
    stop: () => {},
    close: async () => {},
  };
}

describe("sweep", () => {
  it("adds up the same whichever worker was faster", async () => {
    const simulate = fakeSimulate(["17", "50", "51"]);
    const inOrder = await sweep(request(), localRunner([fakeScenario()], settings, simulate), unwatched);
    const disorderly = await sweep(request(), disorderlyRunner(simulate), unwatched);
    expect(disorderly).toEqual(inOrder);
    expect(inOrder.runs?.map((run) => run.seed)).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 1)));
  });

  it("counts runs, verdicts, faults and sometimes", async () => {
    const { tallies, failureCount } = await sweep(
      request({ scenarios: ["a", "b"] }),
      localRunner([fakeScenario(), fakeScenario()], settings, fakeSimulate(["17"])),
      unwatched,
    );
    expect(failureCount).toBe(2);
    for (const { totals, faults, sometimes, groups } of tallies) {
      expect(totals).toMatchObject({ runs: 100, steps: 10_000, tracePoints: 100_000, virtualTimeUs: 200_000_000 });
      expect(totals.verdicts).toMatchObject({ ok: 99, violation: 1 });
      expect(faults.get("process-crash")).toEqual({ fired: 100, dud: 0, downgraded: 0 });
      expect(sometimes.get("crash during restore")).toBe(100);
      expect([...groups.keys()]).toEqual(["heap/aligned/full"]);
    }
  });

  it("stops at the nth failing run, whatever was already begun", async () => {
    const outcome = await sweep(request({ bail: 2 }), disorderlyRunner(fakeSimulate(["3", "9", "10"])), unwatched);
    expect(outcome.end).toBe("bail");
    expect(outcome.failures.map((failure) => failure.run.result.seed)).toEqual(["3", "9"]);
    expect(outcome.runs?.at(-1)?.seed).toBe("9");
  });

  it("ends with what it has when somebody interrupts", async () => {
    const runner = localRunner([fakeScenario()], settings, fakeSimulate(["2"]));
    let interrupted = false;
    const observer: SweepObserver = {
      ...unwatched,
      isInterrupted: () => interrupted,
      onProgress: () => {
        interrupted = true;
        runner.stop();
      },
    };
    const outcome = await sweep(request(), runner, observer);
    expect(outcome.end).toBe("interrupted");
    expect(outcome.failures).toHaveLength(1);
    expect(outcome.runs?.length).toBeLessThan(100);
  });

  it("begins no seed after its time is over, in any scenario", async () => {
    const outcome = await sweep(
      request({ scenarios: ["a", "b"], timeMs: 0 }),
      localRunner([fakeScenario(), fakeScenario()], settings, fakeSimulate()),
      unwatched,
    );
    expect(outcome.end).toBe("time");
    expect(outcome.runs).toEqual([]);
  });

  it("keeps a bounded number of failures, and the first of each kind however late", async () => {
    const simulate: Simulate = (_scenario, run) =>
      fakeResult(run, {
        verdict: "violation",
        findings: [aFinding(run.seed === "990" ? { oracle: "watermarks" } : {})],
      });
    const outcome = await sweep(
      request({ seeds: { first: 1n, last: 1000n }, keepRuns: false }),
      localRunner([fakeScenario()], settings, simulate),
      unwatched,
    );
    expect(outcome.failureCount).toBe(1000);
    expect(outcome.failures).toHaveLength(KEPT_FAILURES + 1);
    expect(outcome.failures.at(-1)?.run.result.seed).toBe("990");
    expect(outcome.runs).toBeNull();
  });

  it("gives on what the simulator throws", async () => {
    const broken: Simulate = () => {
      throw new TypeError("the simulator is broken");
    };
    const run = sweep(request(), disorderlyRunner(broken), unwatched);
    await expect(run).rejects.toThrow("fake, seed 1: the simulator threw");
  });
});

describe("runSeed", () => {
  it("runs a failing seed once more and keeps how many agreed", () => {
    const { failure, verdict } = runSeed(fakeScenario(), "3", settings, fakeSimulate(["3"]));
    expect(verdict).toBe("violation");
    expect(failure).toMatchObject({ runs: 2, agreeing: 2, checked: false });
  });

  it("calls a failure that does not repeat diverged", () => {
    let runs = 0;
    const flaky: Simulate = (_scenario, run) =>
      fakeResult(run, { verdict: "violation", findings: [aFinding()], digest: String(runs++).padStart(16, "0") });
    const { verdict, failure } = runSeed(fakeScenario(), "3", settings, flaky);
    expect(verdict).toBe("diverged");
    expect(failure).toMatchObject({ runs: 2, agreeing: 1 });
    expect(failure?.result.findings[0]?.message).toContain("0000000000000001");
  });

  it("finds a divergence that only checked mode shows, and reports the ordinary digest of other seeds", () => {
    let runs = 0;
    const random: Simulate = (_scenario, run) =>
      run.checked ? fakeResult(run, { digest: String(runs++).padStart(16, "0") }) : fakeResult(run);
    expect(runSeed(fakeScenario(), "3", everySeedChecked, random).verdict).toBe("diverged");
    const plain = runSeed(fakeScenario(), "3", settings, random);
    const checked = runSeed(fakeScenario(), "3", everySeedChecked, fakeSimulate());
    expect(checked).toMatchObject({ verdict: "ok", selfChecked: true, digest: plain.digest });
  });

  it("reports a failure that only checked mode shows", () => {
    const frozen: Simulate = (_scenario, run) =>
      fakeResult(run, run.checked ? { verdict: "crashed", findings: [aFinding({ oracle: "crashed" })] } : {});
    const row = runSeed(fakeScenario(), "3", everySeedChecked, frozen);
    expect(row.verdict).toBe("crashed");
    expect(row.failure).toMatchObject({ checked: true, agreeing: 2 });
  });
});
