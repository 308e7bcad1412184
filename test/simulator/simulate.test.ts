import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { Fault, FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { describe, expect, test } from "vitest";

function scenario(name: string): Scenario {
  const found = scenarioNamed(name);
  if (found === null) throw new Error(`no scenario ${name}`);
  return found;
}

function request(seed: string, changes: Partial<RunRequest> = {}): RunRequest {
  return { seed, profile: "swarm", fixed: {}, plan: null, oracles: true, checked: false, maxSteps: 1_000_000, ...changes };
}

function prepared(simulator: Simulator, asked: RunRequest): PreparedRun {
  const run = simulator.prepare(asked);
  if ("verdict" in run) throw new Error(`refused: ${run.findings[0]?.message}`);
  return run;
}

const libraries = await loadStateLibraries();

const NAMES = ["founding-checkpointing", "word-count", "flights", "flights-late", "sparse", "timers", "two-pipelines", "big-state", "deduplication"];

describe("a run", () => {
  test.each(NAMES)("of %s is the same from a fresh simulator and from a used one", (name) => {
    const used = new Simulator(scenario(name), libraries);
    for (const seed of ["3", "4", "5"]) used.run(request(seed));
    for (const seed of ["6", "7"]) expect(used.run(request(seed))).toEqual(new Simulator(scenario(name), libraries).run(request(seed)));
  });

  test("is not disturbed by other Worlds that run beside it", () => {
    const simulator = new Simulator(scenario("word-count"), libraries);
    const alone = simulator.run(request("11"));
    const left = prepared(simulator, request("11"));
    const right = prepared(simulator, request("12"));
    const third = prepared(new Simulator(scenario("timers"), libraries), request("11"));
    while (!left.world.isOver) {
      left.world.step();
      right.world.step();
      third.world.step();
    }
    expect(left.conclude().digest).toBe(alone.digest);
  });

  test("is not disturbed by looking at it", () => {
    const simulator = new Simulator(scenario("flights"), libraries);
    const alone = simulator.run(request("21"));
    const watched = prepared(simulator, request("21"));
    const hashes = new Set<string>();
    for (let step = 0; !watched.world.isOver; step += 1) {
      watched.world.step();
      if (step % 97 === 0) hashes.add(watched.world.stateHash());
    }
    expect(watched.conclude().digest).toBe(alone.digest);
    expect(hashes.size).toBeGreaterThan(10);
  });

  test.each(["lsm", "sqlite"] as const)("is not disturbed by looking at what %s keeps, while it runs and when it is over", (backend) => {
    const simulator = new Simulator(scenario("big-state"), libraries);
    // With tasks that end on the way: those are looked at too, until the next attempt comes.
    const asked = request("2", { fixed: { backend } });
    const alone = simulator.run(asked);
    const watched = prepared(simulator, asked);
    for (let step = 0; !watched.world.isOver; step += 1) {
      watched.world.step();
      if (step % 211 === 0) watched.world.stateHash();
    }
    expect(watched.world.stateHash()).toMatch(/^[0-9a-f]{8}$/);
    expect(watched.conclude()).toEqual(alone);
    watched.world.release();
  });

  test("has the same state hash at the same step, and goes elsewhere once reseeded", () => {
    const simulator = new Simulator(scenario("word-count"), libraries);
    const left = prepared(simulator, request("31", { plan: [] }));
    const right = prepared(simulator, request("31", { plan: [] }));
    for (let step = 0; step < 1500; step += 1) {
      left.world.step();
      right.world.step();
    }
    expect(left.world.stateHash()).toBe(right.world.stateHash());
    right.world.reseed("32");
    left.runToEnd();
    right.runToEnd();
    expect(left.conclude().digest).not.toBe(right.conclude().digest);
  });

  test("differs between seeds", () => {
    const simulator = new Simulator(scenario("word-count"), libraries);
    const digests = ["1", "2", "3", "4", "5"].map((seed) => simulator.run(request(seed)).digest);
    expect(new Set(digests).size).toBe(5);
  });
});

describe("a drawn plan", () => {
  test.each(["word-count", "flights", "timers"])("of %s fires for the most part: at least 80% of its faults", (name) => {
    const simulator = new Simulator(scenario(name), libraries);
    let fired = 0;
    let drawn = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const { faults } = simulator.run(request(String(seed)));
      drawn += faults.length;
      fired += faults.filter((fault) => fault.outcome === "fired").length;
    }
    expect(drawn).toBeGreaterThan(100);
    expect(fired / drawn).toBeGreaterThanOrEqual(0.8);
  });

  test("can be handed back and gives the same run", () => {
    const simulator = new Simulator(scenario("word-count"), libraries);
    const drawn = simulator.run(request("41"));
    const again = simulator.run(request("41", { plan: drawn.plan, fixed: drawn.options }));
    expect(again).toEqual(drawn);
  });

  test("is refused when it breaks more than the scenario promises to survive", () => {
    const crash = (id: string): Fault => ({ id, kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 1_000_000 } });
    const plan: FaultPlan = Array.from({ length: 5 }, (_, index) => crash(`f${index}`));
    const result = new Simulator(scenario("word-count"), libraries).run(request("1", { plan }));
    expect(result.verdict).toBe("invalid-plan");
    expect(result.findings[0]?.message).toBe("5 faults of kind process-crash; the scenario promises to survive 4");
  });
});

describe("a worker whose disk refuses everything while it starts", () => {
  test.each(["lsm", "sqlite"] as const)("runs tasks with %s once the disk is well again", (backend) => {
    const simulator = new Simulator(scenario("word-count"), libraries);
    const plan: FaultPlan = ["host-1", "host-2"].map((host, index) => ({
      id: `f${index}`,
      kind: "disk-full",
      host,
      durationUs: 3_000_000,
      at: { on: "time", atUs: 0 },
    }));
    const result = simulator.run(request("5", { profile: "calm", fixed: { backend, parallelism: 2 }, plan }));
    expect([result.verdict, result.findings, result.faults.map(({ outcome }) => outcome)]).toEqual(["ok", [], ["fired", "fired"]]);
    expect(result.restarts).toBeGreaterThan(0);
  });
});

describe("what a window of faults did", () => {
  test("can be written out as named faults that do the same without it", () => {
    const simulator = new Simulator(scenario("word-count"), libraries);
    const windows: FaultPlan = [
      { id: "w1", kind: "rpc-chaos", lossPercent: 10, duplicatePercent: 10, delayPercent: 20, delayUs: 300_000, durationUs: 5_000_000, at: { on: "time", atUs: 4_000_000 } },
      { id: "w2", kind: "blob-outage", errorPercent: 30, durationUs: 3_000_000, at: { on: "time", atUs: 9_000_000 } },
      { id: "w3", kind: "log-outage", errorPercent: 20, durationUs: 3_000_000, at: { on: "time", atUs: 14_000_000 } },
    ];
    const whole = prepared(simulator, request("51", { plan: windows }));
    whole.runToEnd();
    const named = whole.world.kernel.windows.deviations;
    expect(named.length).toBeGreaterThan(20);
    const singly = prepared(simulator, request("51", { plan: named }));
    singly.runToEnd();
    expect(singly.world.kernel.faultOutcomes().filter((fault) => fault.outcome !== "fired")).toEqual([]);
    expect(singly.world.jobEnd?.atUs).toBe(whole.world.jobEnd?.atUs);
    expect(singly.world.log.inspect()).toEqual(whole.world.log.inspect());
  });
});
