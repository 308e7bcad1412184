import { describe, expect, test } from "vitest";
import { parsePlace, placeOfInterest } from "#whitewater/reports/travel/place.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";

const request = { seed: "2", profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
const run = repeatableRun(new Simulator(wordCount), request);
if ("verdict" in run) throw new Error("the plan is accepted");
const tape: RunTape = RunTape.of(run);

describe("a place in a run", () => {
  test.each([
    ["612", 612],
    [":612", 612],
    ["0", 0],
    ["start", 0],
    ["end", tape.steps],
    [" end ", tape.steps],
    ["1.7s", tape.stepAtTime(1_700_000)],
    ["t 1.7s", tape.stepAtTime(1_700_000)],
    ["t=1700ms", tape.stepAtTime(1_700_000)],
    ["1700000us", tape.stepAtTime(1_700_000)],
  ])("%j is step %i", (text, step) => expect(parsePlace(text, tape)).toBe(step));

  test.each(["ckpt:2", "ckpt 2", ":ckpt 2"])("%j is where the checkpoint completed", (text) => {
    const points = tape.pointsOf(parsePlace(text, tape));
    expect(points.some(({ event, x }) => event === "checkpointCompleted" && x === 2)).toBe(true);
  });

  test("of interest is the end, where nothing was found", () => expect(placeOfInterest(tape)).toBe(tape.steps));

  test.each([
    ["999999999", /lies behind the end of the run, which has \d+ steps/],
    ["1000s", /lies behind the end of the run, which is at [\d.]+s/],
    ["ckpt:99", /is not in this run: it has checkpoints 1 to \d+/],
    ["violation", /nothing was found/],
    ["ende", /did you mean end\?/],
    ["-1", /is none/],
    ["", /is none/],
  ])("%j is refused, with the reason and what to give", (text, reason) => {
    expect(() => parsePlace(text, tape)).toThrow(reason);
    expect(() => parsePlace(text, tape)).toThrow(/give a step \(612\)/);
  });
});
