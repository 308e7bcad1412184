import { describe, expect, test } from "vitest";
import { ABORT_REASONS } from "#whitewater/engine/checkpoint/checkpoint-failure-manager.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import type { CheckpointConfig } from "#whitewater/engine/graph/stream-graph.js";
import { twoPipelines } from "#whitewater/scenarios/two-pipelines.js";
import type { ControlMessage } from "#whitewater/engine/runtime/messages.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { Finding } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

type Unidentified<T extends Fault = Fault> = T extends unknown ? Omit<T, "id"> : never;

const RESTART_DELAY_US = 500_000;

/** A trace point of the engine: when, what, who (the subtask or process), x and y. */
interface Point {
  readonly atUs: number;
  readonly kind: keyof typeof TRACE;
  readonly subject: string;
  readonly x: number;
  readonly y: number;
}

/** A calm run of two regions under these faults, as the points of its tasks and checkpoints tell it. */
class Story {
  readonly points: Point[] = [];
  /** Notices of completion that arrived for an attempt whose successor was deployed already. */
  lateNotices = 0;
  readonly findings: readonly Finding[];
  readonly restarts: number;

  constructor(plan: readonly Unidentified[], scenario: Scenario = twoPipelines, parallelism: number = 4) {
    const identified = plan.map((fault, index) => ({ ...fault, id: `f${index}` })) as Fault[];
    const fixed = { backend: "heap", mode: "aligned", restore: "full", failover: "region", parallelism, parallelismAfter: parallelism, bufferElements: 4 } as const;
    const request = { seed: "1", profile: "calm", fixed, plan: identified, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
    const run = new Simulator(scenario).prepare(request);
    if ("verdict" in run) throw new Error("the plan is refused");
    const { kernel } = run.world;
    for (const [name, kind] of Object.entries(TRACE)) {
      if (!/^(task|job|attempt|checkpoint|abort|transaction)/.test(name)) continue;
      kernel.on(kind, (_process, subject, x, y) => {
        this.points.push({ atUs: kernel.nowUs, kind: name as Point["kind"], subject: kernel.nameOf(subject), x, y });
      });
    }
    run.world.networkObservers.push({ onCallDelivered: (_call, _from, _to, message) => this.#delivered(message, kernel.nameOf(message.subject)) });
    run.runToEnd();
    const { findings, restarts } = run.conclude();
    this.findings = findings;
    this.restarts = restarts;
    run.world.release();
  }

  #delivered(message: ControlMessage, subject: string): void {
    if (message.kind !== "notify-complete") return;
    const isLate = this.all("taskDeployed").some((point) => point.subject === subject && point.x > message.id.attempt);
    if (isLate) this.lateNotices += 1;
  }

  all(kind: Point["kind"]): readonly Point[] {
    return this.points.filter((point) => point.kind === kind);
  }

  /** Names of the vertices of which tasks were deployed after the first failure. */
  redeployed(): readonly string[] {
    const first = this.points.findIndex(({ kind }) => kind === "jobFailing");
    if (first < 0) return [];
    const deployed = this.points.slice(first).filter(({ kind }) => kind === "taskDeployed");
    return [...new Set(deployed.map(({ subject }) => subject.slice(0, subject.indexOf("["))))].sort();
  }
}

const ORDERS: readonly string[] = ["orders -> map", "spending -> customer-spending"];
const VISITS: readonly string[] = ["visits", "visits-per-page -> page-visits"];
const OF_VISITS = /^(visits|page-visits)/;

/** At parallelism 3 the third worker has tasks of one region alone. */
const ONE_SLOT_EACH: Scenario = { ...twoPipelines, cluster: { ...twoPipelines.cluster, slotsPerWorker: 1 } };

function broken(subject: string, nth: number): Unidentified {
  return { kind: "connection-break", at: { on: "event", event: "frameSent", subject, x: null, nth, when: "before" } };
}

function crashAt(process: string, atUs: number): Unidentified {
  return { kind: "process-crash", process, at: { on: "time", atUs } };
}

describe("a failure in one pipeline", () => {
  const story = new Story([broken("orders -> map[0]", 40)]);

  test("cancels and restarts that region alone, from the latest completed checkpoint, exactly the delay after the failure", () => {
    expect(story.findings).toEqual([]);
    expect(story.restarts).toBe(1);
    expect(story.redeployed()).toEqual(ORDERS);
    const [failed] = story.all("jobFailing");
    const again = story.all("jobDeploying")[2];
    expect(again?.atUs).toBe((failed?.atUs ?? 0) + RESTART_DELAY_US);
    const completed = story.all("checkpointCompleted").filter(({ atUs }) => atUs < (again?.atUs ?? 0));
    expect(again?.y).toBe(completed.at(-1)?.x);
    const restored = story.all("taskRestored").filter(({ x }) => x === again?.x);
    expect(restored.length).toBe(8);
    for (const { y } of restored) expect(y).toBe(again?.y);
  });

  test("gives its attempt a number of its own, and leaves the other region's tasks and transactions alone", () => {
    const attempts = story.all("jobDeploying").map(({ x }) => x);
    expect(new Set(attempts).size).toBe(3);
    const endUs = story.all("jobFinished")[0]?.atUs ?? 0;
    const visits = story.points.filter(({ subject, atUs }) => atUs < endUs && OF_VISITS.test(subject));
    expect(visits.filter(({ kind }) => kind === "taskFailed" || kind === "taskCancelled" || kind === "transactionAborted")).toEqual([]);
    expect(visits.filter(({ kind }) => kind === "taskDeployed").length).toBe(4);
  });

  test("stops checkpoints until every task runs again", () => {
    const failedUs = story.all("jobFailing")[0]?.atUs ?? 0;
    const runningUs = story.all("jobRunning").at(-1)?.atUs ?? 0;
    expect(runningUs).toBeGreaterThan(failedUs);
    const between = story.all("checkpointTriggered").filter(({ atUs }) => atUs > failedUs && atUs < runningUs);
    expect(between).toEqual([]);
    expect(story.all("checkpointTriggered").some(({ atUs }) => atUs > runningUs)).toBe(true);
  });
});

test("a checkpoint that is pending when a region fails is given up in the same step, for both regions", () => {
  const at = { on: "event", event: "snapshotTaken", subject: "orders -> map[2]", x: 4, nth: 1, when: "after" } as const;
  const story = new Story([{ kind: "process-crash", process: null, at }], ONE_SLOT_EACH, 3);
  expect(story.findings).toEqual([]);
  expect(story.redeployed()).toEqual(ORDERS);
  const aborted = story.all("checkpointAborted").find(({ x }) => x === 4);
  expect(aborted?.y).toBe(ABORT_REASONS.failover);
  expect(aborted?.atUs).toBe(story.all("attemptDead")[0]?.atUs);
  expect(story.all("abortNotified").filter(({ subject, x }) => x === 4 && subject.startsWith("visits")).length).toBe(4);
});

test("a worker that hosts tasks of both regions takes both along, each by a failure of its own", () => {
  const story = new Story([crashAt("worker-1", 6_000_000)]);
  expect(story.findings).toEqual([]);
  expect(story.redeployed()).toEqual([...ORDERS, ...VISITS].sort());
  expect(story.restarts).toBe(2);
});

test("a worker lost while a region restarts takes the other one along, and both start from the same checkpoint", () => {
  const at = { on: "event", event: "attemptDead", subject: "jm-1", x: null, nth: 1, when: "after" } as const;
  const story = new Story([broken("orders -> map[0]", 40), { kind: "process-crash", process: "worker-2", at }]);
  expect(story.findings).toEqual([]);
  expect(story.redeployed()).toEqual([...ORDERS, ...VISITS].sort());
  const failedUs = story.all("jobFailing")[0]?.atUs ?? 0;
  const nextUs = story.all("checkpointCompleted").find(({ atUs }) => atUs > failedUs)?.atUs ?? 0;
  const chosen = story.all("jobDeploying").filter(({ atUs }) => atUs > failedUs && atUs < nextUs);
  expect(chosen.length).toBeGreaterThan(1);
  expect(new Set(chosen.map(({ y }) => y)).size).toBe(1);
});

test("a notice that was meant for the dead attempt is not taken by its successor", () => {
  const subject = "spending -> customer-spending[0]";
  const at = { on: "event", event: "rpcSent", subject, x: 5, nth: 2, when: "before" } as const;
  const story = new Story([{ kind: "rpc-delay", delayUs: 3_000_000, at }, broken("orders -> map[0]", 40)]);
  expect(story.findings).toEqual([]);
  expect(story.lateNotices).toBe(1);
  const heard = story.all("checkpointNotified").filter((point) => point.subject === subject && point.x === 5);
  expect(heard).toEqual([]);
});

test("more failed checkpoints than are tolerated restart the whole job, whatever its regions", () => {
  const story = new Story([{ kind: "blob-outage", durationUs: 1_500_000, errorPercent: 100, at: { on: "time", atUs: 6_000_000 } }], withCheckpoints({ tolerableFailures: 0 }));
  expect(story.redeployed()).toEqual([...ORDERS, ...VISITS].sort());
  expect(story.findings).toEqual([]);
});

test("a region that finds no slots takes the others along after a while, and all start again once there are some", () => {
  const cluster = { ...ONE_SLOT_EACH.cluster, hostRestartUs: 8_000_000 };
  const plan: readonly Unidentified[] = [{ kind: "host-crash", host: "host-3", replace: false, at: { on: "time", atUs: 6_000_000 } }];
  const story = new Story(plan, { ...twoPipelines, cluster }, 3);
  expect(story.findings).toEqual([]);
  const [orders, visits] = story.all("jobFailing");
  expect((visits?.atUs ?? 0) - (orders?.atUs ?? 0)).toBeGreaterThan(3_000_000);
  expect(story.redeployed()).toEqual([...ORDERS, ...VISITS].sort());
});

function withCheckpoints(changes: Partial<CheckpointConfig>): Scenario {
  return {
    ...twoPipelines,
    job: (options) => {
      const graph = twoPipelines.job(options);
      const { checkpoint } = graph.config;
      if (checkpoint === null) throw new Error("the scenario takes checkpoints");
      return { ...graph, config: { ...graph.config, checkpoint: { ...checkpoint, ...changes } } };
    },
  };
}
