import { beforeAll, describe, expect, test } from "vitest";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { present } from "#whitewater/engine/base/assert.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { RepeatableRun } from "#whitewater/simulator/timetravel/repeatable-run.js";
import { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";
import { TimeMachine } from "#whitewater/simulator/timetravel/time-machine.js";

const flights: Scenario = present(scenarioNamed("flights"), "the scenario exists");
let libraries: StateLibraries;
beforeAll(async () => {
  libraries = await loadStateLibraries();
});

function requestOf(seed: string, fixed: RunRequest["fixed"] = {}): RunRequest {
  return { seed, profile: "swarm", fixed, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 };
}

function runOf(scenario: Scenario, request: RunRequest): RepeatableRun {
  const run = repeatableRun(new Simulator(scenario, libraries), request);
  if ("verdict" in run) throw new Error("the plan is accepted");
  return run;
}

/** By step, from 0: the digest and the state's hash at its end. */
function walked(run: RepeatableRun, steps: number): { readonly digests: readonly string[]; readonly hashes: ReadonlyMap<number, string> } {
  const plain = run.plain();
  const { world } = plain;
  const digests = [world.kernel.digest.hex()];
  const hashes = new Map<number, string>();
  for (let step = 1; step <= steps; step += 1) {
    plain.advance();
    digests.push(world.kernel.digest.hex());
    if (step % 97 === 0) hashes.set(step, world.stateHash());
  }
  world.release();
  return { digests, hashes };
}

/** Not random, and far apart. */
function places(steps: number, count: number): readonly number[] {
  const chosen: number[] = [];
  for (let i = 0; i < count; i += 1) chosen.push((i * 7919 + 13) % (steps + 1));
  return chosen;
}

describe("the tape of a run", () => {
  test.each(["1", "5", "9"])("has every trace point of it, in its step and at its time (seed %s)", (seed) => {
    const simulator = new Simulator(flights, libraries);
    const run = repeatableRun(simulator, requestOf(seed));
    if ("verdict" in run) throw new Error("the plan is accepted");
    const tape = RunTape.of(run);
    const result = simulator.run(requestOf(seed));
    expect(tape.result).toEqual(result);
    expect([tape.steps, tape.points]).toEqual([result.steps, result.tracePoints]);
    expect(tape.timeUsOf(tape.steps)).toBe(result.virtualTimeUs);
    let next = 0;
    for (let step = 0; step <= tape.steps; step += 1) {
      expect(tape.firstPointOf(step)).toBe(next);
      for (const point of tape.pointsOf(step)) {
        expect([point.index, point.step, tape.stepOf(point.index)]).toEqual([next, step, step]);
        next += 1;
      }
    }
    expect(next).toBe(tape.points);
    const completed = [...Array(tape.points).keys()].filter((index) => tape.pointAt(index).event === "checkpointCompleted");
    expect(completed).toHaveLength(result.checkpointsCompleted);
  });

  test("finds the step that a moment lies in", () => {
    const tape = RunTape.of(runOf(wordCount, requestOf("3")));
    for (const step of places(tape.steps, 40)) {
      const found = tape.stepAtTime(tape.timeUsOf(step));
      expect(tape.timeUsOf(found)).toBe(tape.timeUsOf(step));
      expect(found === tape.steps || tape.timeUsOf(found + 1) > tape.timeUsOf(found)).toBe(true);
    }
    expect(tape.stepAtTime(-1)).toBe(0);
    expect(tape.stepAtTime(Number.MAX_SAFE_INTEGER)).toBe(tape.steps);
  });
});

describe("a run that nobody judges", () => {
  // Seed 6 restores copies on hosts that lost nothing, which once made an oracle give names to hosts.
  test.each([
    [flights, "6"],
    [flights, "7"],
    [wordCount, "4"],
    [present(scenarioNamed("local-recovery"), "the scenario exists"), "2"],
    [present(scenarioNamed("two-pipelines"), "the scenario exists"), "3"],
    [present(scenarioNamed("leader-failover"), "the scenario exists"), "5"],
    [present(scenarioNamed("rolling-upgrade"), "the scenario exists"), "6"],
  ])("is the same, to the bit of the digest (%#)", (scenario, seed) => {
    const simulator = new Simulator(scenario, libraries);
    const run = simulator.rehearse(requestOf(seed));
    if ("verdict" in run) throw new Error("the plan is accepted");
    run.runToEnd();
    run.world.release();
    expect(run.world.kernel.digest.hex()).toBe(simulator.run(requestOf(seed)).digest);
  });
});

describe("a time machine", () => {
  test.each([
    ["word-count on the heap", wordCount, requestOf("2", { backend: "heap" })],
    ["flights in SQLite", flights, requestOf("4", { backend: "sqlite" })],
    ["flights in an LSM store under a changelog", flights, requestOf("6", { backend: "changelog:lsm" })],
  ])("shows at each step what is there when it is reached for the first time (%s)", (_name, scenario, request) => {
    const run = runOf(scenario, request);
    const tape = RunTape.of(run);
    const { digests, hashes } = walked(run, tape.steps);
    const machine = new TimeMachine(run, tape);
    for (const step of [...places(tape.steps, 60), tape.steps, 0, tape.steps - 1]) {
      expect(machine.seek(step).kernel.digest.hex()).toBe(digests[step]);
      expect(machine.step).toBe(step);
      machine.prepare(400);
    }
    for (const [step, hash] of hashes) expect(machine.seek(step).stateHash()).toBe(hash);
    expect(machine.deviation).toBeNull();
    machine.release();
  });

  test("goes back from a World that waits nearby once it had time to prepare", () => {
    const run = runOf(wordCount, requestOf("2"));
    const tape = RunTape.of(run);
    let begun = 0;
    const counting: RepeatableRun = { judged: () => run.judged(), plain: () => ((begun += 1), run.plain()) };
    const machine = new TimeMachine(counting, tape);
    while (machine.prepare(1000));
    const prepared = begun;
    for (let back = 1; back <= 10; back += 1) machine.seek(tape.steps - back * 200);
    expect(begun).toBe(prepared);
    expect(machine.prepare(1000)).toBe(true);
    machine.release();
  });

  test("says from which step on a run is not the one on the tape", () => {
    const tape = RunTape.of(runOf(wordCount, requestOf("2")));
    const machine = new TimeMachine(runOf(wordCount, requestOf("3")), tape);
    machine.seek(tape.steps);
    expect(machine.deviation).not.toBeNull();
    expect(machine.deviation?.step).toBeLessThanOrEqual(64);
    expect(machine.deviation?.actual).not.toBe(machine.deviation?.expected);
    machine.release();
  });
});
