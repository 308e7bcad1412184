import { describe, expect, test } from "vitest";
import type { CheckpointConfig } from "#whitewater/engine/graph/stream-graph.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

function scenarioWith(changes: Partial<CheckpointConfig>): Scenario {
  return {
    ...wordCount,
    budget: { most: { "blob-slow": 99 }, jobMayFail: false },
    job: (options) => {
      const graph = wordCount.job(options);
      const { checkpoint } = graph.config;
      if (checkpoint === null) throw new Error("the scenario takes checkpoints");
      return { ...graph, config: { ...graph.config, checkpoint: { ...checkpoint, ...changes } } };
    },
  };
}

/** Each file of a subtask takes a second to write. */
const SLOW: readonly Fault[] = Array.from({ length: 60 }, (_, index): Fault => {
  const at = { on: "event", event: "blobPutIssued", subject: `worker-${1 + (index % 3)}`, x: null, nth: 1 + Math.floor(index / 3), when: "before" } as const;
  return { id: `slow-${index}`, kind: "blob-slow", delayUs: 1_000_000, at };
});

interface Observed {
  readonly triggeredAtUs: readonly number[];
  /** From a completion to the next trigger. */
  readonly pausesUs: readonly number[];
  readonly mostPending: number;
  readonly completed: number;
}

function observe(changes: Partial<CheckpointConfig>, plan: readonly Fault[] = []): Observed {
  const fixed = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 4 } as const;
  const run = new Simulator(scenarioWith(changes)).prepare({ seed: "1", profile: "calm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
  if ("verdict" in run) throw new Error(run.findings[0]?.message);
  const { kernel } = run.world;
  const triggeredAtUs: number[] = [];
  const pausesUs: number[] = [];
  let lastCompletionUs: number | null = null;
  let completed = 0;
  let pending = 0;
  let mostPending = 0;
  kernel.on(TRACE.checkpointTriggered, () => {
    triggeredAtUs.push(kernel.nowUs);
    if (lastCompletionUs !== null) pausesUs.push(kernel.nowUs - lastCompletionUs);
    lastCompletionUs = null;
    pending += 1;
    mostPending = Math.max(mostPending, pending);
  });
  kernel.on(TRACE.checkpointAborted, () => void (pending -= 1));
  kernel.on(TRACE.checkpointCompleted, () => {
    pending -= 1;
    completed += 1;
    lastCompletionUs = kernel.nowUs;
  });
  run.runToEnd();
  const { verdict, findings } = run.conclude();
  expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
  run.world.release();
  return { triggeredAtUs, pausesUs, mostPending, completed };
}

describe("the schedule of checkpoints", () => {
  test("keeps the minimum pause after each completion, and begins its interval anew behind it", () => {
    const { pausesUs, triggeredAtUs } = observe({ intervalMs: 1000, minPauseMs: 700, maxConcurrent: 1 }, SLOW);
    expect(triggeredAtUs.length).toBeGreaterThan(6);
    expect(Math.min(...pausesUs)).toBeGreaterThanOrEqual(700_000);
    // The request that came too early was dropped: the next one comes when the pause is over, and takes its id.
    expect(pausesUs.filter((pauseUs) => pauseUs < 720_000).length).toBeGreaterThan(4);
  });

  test("with a pause that is longer than the interval goes by the pause", () => {
    const { pausesUs, triggeredAtUs } = observe({ intervalMs: 200, minPauseMs: 1500, maxConcurrent: 1 });
    expect(triggeredAtUs[0]).toBeGreaterThanOrEqual(1_500_000);
    expect(Math.min(...pausesUs)).toBeGreaterThanOrEqual(1_500_000);
  });

  test.each([1, 2, 3])("has at most %i checkpoints under way, and as many where they take long", (maxConcurrent) => {
    const { mostPending, completed } = observe({ intervalMs: 200, maxConcurrent, timeoutMs: 10_000 }, SLOW);
    expect(mostPending).toBe(maxConcurrent);
    expect(completed).toBeGreaterThan(3);
  });
});
