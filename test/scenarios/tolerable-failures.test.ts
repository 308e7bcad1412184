import { describe, expect, test } from "vitest";
import { ABORT_REASONS } from "#whitewater/engine/checkpoint/checkpoint-failure-manager.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

/** One failed checkpoint is tolerated, not two in a row; a checkpoint expires after 600 ms. */
const ONE_TOLERATED: Scenario = {
  ...wordCount,
  budget: { most: { "blob-slow": 9, "process-crash": 1 }, jobMayFail: false },
  job: (options) => {
    const graph = wordCount.job(options);
    const { checkpoint } = graph.config;
    if (checkpoint === null) throw new Error("the scenario takes checkpoints");
    return { ...graph, config: { ...graph.config, checkpoint: { ...checkpoint, timeoutMs: 600, maxConcurrent: 1, tolerableFailures: 1 } } };
  },
};

/** The files of that checkpoint take longer to write than it may take. */
function expiring(checkpointId: number): readonly Fault[] {
  return ["worker-1", "worker-2", "worker-3"].map((worker) => {
    const at = { on: "event", event: "blobPutIssued", subject: worker, x: checkpointId, nth: 1, when: "before" } as const;
    return { id: `slow-${checkpointId}-${worker}`, kind: "blob-slow", delayUs: 900_000, at };
  });
}

/** When that checkpoint was given up, so that no other completes before. */
function crashAfter(checkpointId: number, process: string): Fault {
  const at = { on: "event", event: "checkpointAborted", subject: "jm-1", x: checkpointId, nth: 1, when: "after" } as const;
  return { id: `crash-${process}`, kind: "process-crash", process, at };
}

/** Checkpoints that expired, and for each failure of the job the last of these, or null where another one completed since. */
function failuresUnder(plan: readonly Fault[]): { readonly expired: readonly number[]; readonly failedAfter: readonly (number | null)[] } {
  const fixed = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 4, parallelismAfter: 4, bufferElements: 4 } as const;
  const run = new Simulator(ONE_TOLERATED).prepare({ seed: "1", profile: "calm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
  if ("verdict" in run) throw new Error("the plan is refused");
  const { kernel } = run.world;
  const expired: number[] = [];
  const failedAfter: (number | null)[] = [];
  let last: number | null = null;
  kernel.on(TRACE.checkpointAborted, (_process, _subject, checkpointId, reason) => {
    if (reason !== ABORT_REASONS.expired) return;
    expired.push(checkpointId);
    last = checkpointId;
  });
  kernel.on(TRACE.checkpointCompleted, () => {
    last = null;
  });
  kernel.on(TRACE.jobFailing, () => void failedAfter.push(last));
  run.runToEnd();
  const { verdict, findings } = run.conclude();
  expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
  run.world.release();
  return { expired, failedAfter };
}

describe("failed checkpoints are counted", () => {
  test("across a failover: the second one in a row fails the job, though a worker crashed between them", () => {
    const plan = [...expiring(4), crashAfter(4, "worker-2"), ...expiring(5)];
    expect(failuresUnder(plan)).toEqual({ expired: [4, 5], failedAfter: [4, 5] });
  });

  test("until one completes: then the next one is the first again", () => {
    const plan = [...expiring(4), crashAfter(4, "worker-2"), ...expiring(6)];
    expect(failuresUnder(plan)).toEqual({ expired: [4, 6], failedAfter: [4] });
  });

  test("until the job fails for them: then the next one is the first again", () => {
    const plan = [...expiring(4), ...expiring(5), ...expiring(6)];
    expect(failuresUnder(plan)).toEqual({ expired: [4, 5, 6], failedAfter: [5] });
  });

  test("by one leader: its successor begins anew", () => {
    const plan = [...expiring(4), crashAfter(4, "jm-1"), ...expiring(5)];
    expect(failuresUnder(plan)).toEqual({ expired: [4, 5], failedAfter: [] });
  });
});
