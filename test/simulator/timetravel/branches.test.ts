import { beforeAll, describe, expect, test } from "vitest";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { present } from "#whitewater/engine/base/assert.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { firstDifference } from "#whitewater/simulator/timetravel/first-difference.js";
import { keepCheckpoint } from "#whitewater/simulator/timetravel/kept-checkpoint.js";
import type { RepeatableRun } from "#whitewater/simulator/timetravel/repeatable-run.js";
import { reseededRun } from "#whitewater/simulator/timetravel/reseeded-run.js";
import { restoredRun, type RestoredRun } from "#whitewater/simulator/timetravel/restored-run.js";
import { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";
import { TimeMachine } from "#whitewater/simulator/timetravel/time-machine.js";

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

function completedIn(tape: RunTape): readonly number[] {
  const points = [...Array(tape.points).keys()].map((index) => tape.pointAt(index));
  return points.filter(({ event }) => event === "checkpointCompleted").map(({ x }) => x);
}

/** A World of the run that nobody judges, taken to these steps, is always the one on the tape. */
function expectToFollow(run: RepeatableRun, tape: RunTape, ...steps: readonly number[]): void {
  const machine = new TimeMachine(run, tape);
  for (const step of steps) {
    const digest = machine.seek(step).kernel.digest.hex();
    if (tape.digestAt(step) !== null) expect(digest).toBe(tape.digestAt(step));
  }
  expect(machine.deviation).toBeNull();
  machine.release();
}

describe("other randomness from a step on", () => {
  const request = requestOf("2", { backend: "heap" });

  test("gives the same run up to that step, another one behind it, and the same one each time", () => {
    const run = runOf(wordCount, request);
    const original = RunTape.of(run);
    const step = Math.floor(original.steps / 2);
    const branch = RunTape.of(reseededRun(run, step, "9"));
    const point = present(firstDifference(original, branch), "another seed gives another run");
    expect(branch.stepOf(point)).toBeGreaterThan(step);
    expect(point).toBeGreaterThanOrEqual(original.endOf(step));
    for (let mark = 0; mark <= step; mark += 64) expect(branch.digestAt(mark)).toBe(original.digestAt(mark));
    expect(branch.result.digest).not.toBe(original.result.digest);
    expect(branch.result.verdict).toBe("ok");
    expect(RunTape.of(reseededRun(run, step, "9")).result).toEqual(branch.result);
    expect(RunTape.of(reseededRun(run, step, "10")).result.digest).not.toBe(branch.result.digest);
  });

  test("can be travelled through", () => {
    const run = runOf(wordCount, request);
    const reseeded = reseededRun(run, 100, "9");
    const tape = RunTape.of(reseeded);
    expectToFollow(reseeded, tape, tape.steps, 64, 128, 0);
  });

  test("changes nothing where no step follows", () => {
    const run = runOf(wordCount, request);
    const original = RunTape.of(run);
    const branch = RunTape.of(reseededRun(run, original.steps, "9"));
    expect(firstDifference(original, branch)).toBeNull();
    expect(branch.result).toEqual(original.result);
  });
});

function restored(scenario: Scenario, request: RunRequest, which: (ids: readonly number[]) => number): RestoredRun & { readonly id: number; readonly original: RunTape } {
  const simulator = new Simulator(scenario, libraries);
  const run = repeatableRun(simulator, request);
  if ("verdict" in run) throw new Error("the plan is accepted");
  const original = RunTape.of(run);
  const id = which(completedIn(original));
  const kept = present(keepCheckpoint(run, id, original.steps), "the checkpoint completed");
  return { ...restoredRun(simulator, request, kept), id, original };
}

describe("a fresh cluster that begins from a checkpoint", () => {
  test.each([
    ["word-count", requestOf("2", { backend: "heap" })],
    ["word-count", requestOf("3", { mode: "unaligned", restore: "incremental", backend: "lsm" })],
    ["local-recovery", requestOf("2", { backend: "sqlite" })],
    ["deduplication", requestOf("3")],
    // Paced by a list: it begins where the list stands, not before.
    ["founding-checkpointing", requestOf("1")],
  ] as const)("restores it, goes on to the end, and is the same each time (%s %#)", (name, request) => {
    const run = restored(present(scenarioNamed(name), "the scenario exists"), request, (ids) => ids[Math.floor(ids.length / 2)] ?? -1);
    const tape = RunTape.of(run);
    expect(tape.result.findings).toEqual([]);
    expect(tape.result.verdict).toBe("ok");
    expect(tape.result.restoredFrom).toBe(run.id);
    expect(Math.min(...completedIn(tape))).toBeGreaterThan(run.id);
    expect(tape.timeUsOf(0)).toBeGreaterThan(0);
    expect(tape.timeUsOf(0)).toBeLessThan(run.original.timeUsOf(run.original.steps));
    expectToFollow(run, tape, tape.steps, 64, 0, 128);
    expect(RunTape.of(run).result).toEqual(tape.result);
  });

  test("says who does not judge it", () => {
    const names = (scenario: Scenario): readonly string[] =>
      restored(scenario, { ...requestOf("1", { backend: "heap" }), profile: "calm", plan: [] }, (ids) => ids[0] ?? -1).unjudged.map(({ oracle }) => oracle);
    expect(names(tour)).toEqual(["surviving history", "notifications", "referential integrity"]);
    expect(names({ ...tour, confluent: false })).toEqual(["surviving history", "notifications", "referential integrity", "exactly-once output"]);
  });

  test("shows what a job forgets, without any fault", () => {
    const { judged, plain } = restored(tour, { ...requestOf("1"), profile: "calm", plan: [] }, (ids) => ids[1] ?? -1);
    const { verdict, findings } = RunTape.of({ judged, plain }).result;
    expect(verdict).toBe("violation");
    expect(findings[0]?.oracle).toBe("exactly-once output");
    expect(findings[0]?.message).toMatch(/takings: \d+, sold: \d+}, got \{.*sold: 1,/);
  });

  test("takes nothing that did not complete in time, and nothing of a later version of the job", () => {
    const run = runOf(wordCount, requestOf("2", { backend: "heap" }));
    const tape = RunTape.of(run);
    const id = completedIn(tape)[1] ?? -1;
    const { step } = present(keepCheckpoint(run, id, tape.steps), "the checkpoint completed");
    expect(keepCheckpoint(run, id, step)?.step).toBe(step);
    expect(keepCheckpoint(run, id, step - 1)).toBeNull();
    expect(keepCheckpoint(run, 999, tape.steps)).toBeNull();
    const upgraded = runOf(present(scenarioNamed("rolling-upgrade"), "the scenario exists"), requestOf("4"));
    const last = RunTape.of(upgraded);
    expect(keepCheckpoint(upgraded, completedIn(last).at(-1) ?? -1, last.steps)).toBeNull();
    expect(keepCheckpoint(upgraded, completedIn(last)[0] ?? -1, last.steps)).not.toBeNull();
  });
});
