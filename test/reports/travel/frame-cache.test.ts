import { describe, expect, test } from "vitest";
import { FrameCache } from "#whitewater/reports/travel/frame-cache.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";
import { TimeMachine } from "#whitewater/simulator/timetravel/time-machine.js";

const request = { seed: "2", profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
const run = repeatableRun(new Simulator(wordCount), request);
if ("verdict" in run) throw new Error("the plan is accepted");
const tape: RunTape = RunTape.of(run);
const expected: string[] = [];
new TimeMachine(run, tape).walk(0, tape.steps, (step, world) => (expected[step] = world.kernel.digest.hex()));

describe("frames of a run", () => {
  test("are those of their steps, in whatever order they are asked for", () => {
    const frames = new FrameCache(new TimeMachine(run, tape), (world) => world.kernel.digest.hex());
    const asked = [5, 4, 3, 900, 899, 840, 839, 0, tape.steps, tape.steps - 1, 899, 900, 1];
    for (const step of asked) expect([step, frames.at(step)]).toEqual([step, expected[step]]);
  });

  test("are looked at once, forwards and back again", () => {
    let looks = 0;
    const frames = new FrameCache(new TimeMachine(run, tape), (_world, step) => ((looks += 1), step));
    for (let step = 100; step <= 200; step += 1) frames.at(step);
    expect(looks).toBe(101);
    for (let step = 200; step >= 100; step -= 1) expect(frames.at(step)).toBe(step);
    expect(looks).toBe(101);
    frames.at(99);
    expect(looks).toBe(101 + 32);
    for (let step = 99; step >= 68; step -= 1) expect(frames.at(step)).toBe(step);
    expect(looks).toBe(101 + 32);
  });
});
