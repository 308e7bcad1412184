import { describe, expect, test } from "vitest";
import { decode } from "#whitewater/engine/base/codec.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { foundingCheckpointing } from "#whitewater/scenarios/founding-checkpointing.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const STOP_AT_US = 3_100_000;

function prepare(scenario: Scenario, plan: readonly Fault[]): PreparedRun {
  const fixed = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 4 } as const;
  const run = new Simulator(scenario).prepare({ seed: "1", profile: "calm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
  if ("verdict" in run) throw new Error(run.findings[0]?.message);
  return run;
}

const stopping = (mode: "suspend" | "drain"): Fault => ({ id: "stop", kind: "stop-with-savepoint", mode, at: { on: "time", atUs: STOP_AT_US } });

/** Runs to where the job has stopped: tasks whose input ended before the savepoint, and what it committed. */
function stopWith(mode: "suspend" | "drain"): { readonly ended: readonly string[]; readonly committed: readonly unknown[] } {
  const run = prepare(foundingCheckpointing, [stopping(mode)]);
  const { kernel, log } = run.world;
  const ended: string[] = [];
  let hasSavepoint = false;
  kernel.on(TRACE.inputEnded, (_process, subject) => {
    if (!hasSavepoint) ended.push(kernel.nameOf(subject));
  });
  kernel.on(TRACE.savepointCompleted, () => {
    hasSavepoint = true;
  });
  const finished = (): boolean => (kernel.counts[TRACE.jobFinished] ?? 0) > 0;
  while (!finished() && run.world.step());
  expect(hasSavepoint).toBe(true);
  const committed = log.readCommitted("counts", 0).map(({ bytes }) => decode(bytes));
  run.world.release();
  return { ended, committed };
}

describe("a job that stops with a savepoint", () => {
  test("drained: its input ends, windows that are open fire, and what they gave is committed with the savepoint", () => {
    const { ended, committed } = stopWith("drain");
    expect(ended.toSorted()).toEqual(["elements[0]", "window -> counts[0]", "window -> counts[1]"]);
    expect(committed).toHaveLength(2);
    expect(JSON.stringify(committed)).toMatch(/event1.*event2|event2.*event1/);
  });

  test("suspended: nothing ends, nothing fires, and the job that goes on from it gives each window once", () => {
    expect(stopWith("suspend")).toEqual({ ended: [], committed: [] });
    const run = prepare(foundingCheckpointing, [stopping("suspend")]);
    run.runToEnd();
    expect(run.conclude()).toMatchObject({ verdict: "ok", findings: [] });
    expect(run.world.log.readCommitted("counts", 0)).toHaveLength(3);
    run.world.release();
  });

  test.each(["suspend", "drain"] as const)("fails over where that fails (%s), takes checkpoints again, and loses nothing (FLINK-15152)", (mode) => {
    const at = { on: "event", event: "checkpointTriggered", subject: "jm-1", x: 4, nth: 1, when: "after" } as const;
    const run = prepare(wordCount, [stopping(mode), { id: "abort", kind: "checkpoint-abort", at }]);
    const { kernel } = run.world;
    const events: string[] = [];
    kernel.on(TRACE.checkpointAborted, (_process, _subject, checkpointId) => void events.push(`aborted ${checkpointId}`));
    kernel.on(TRACE.savepointCompleted, (_process, _subject, checkpointId) => void events.push(`savepoint ${checkpointId}`));
    kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, from) => void events.push(`from ${from}`));
    let completed = 0;
    kernel.on(TRACE.checkpointCompleted, () => void (completed += 1));
    run.runToEnd();
    expect(run.conclude()).toMatchObject({ verdict: "ok", findings: [] });
    run.world.release();
    expect(events.slice(0, 3)).toEqual(["from -1", "aborted 4", "from 3"]);
    expect(completed).toBeGreaterThan(10);
  });
});
