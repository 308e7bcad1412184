import { describe, expect, test } from "vitest";
import { planBranch } from "#whitewater/reports/travel/branch.js";
import { journeyOf, type Journey } from "#whitewater/reports/travel/journey.js";
import { comparisonLines, comparisonView } from "#whitewater/reports/views/comparison-view.js";
import type { FaultFacts, FaultsFacts } from "#whitewater/reports/views/faults-view.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { show } from "#whitewater/reports/views/show.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const plan: readonly Fault[] = [
  { id: "drop", kind: "rpc-drop", at: { on: "event", event: "rpcSent", subject: "totals -> report[1]", x: 1, nth: 1, when: "before" } },
  { id: "crash", kind: "process-crash", process: "worker-2", at: { on: "time", atUs: 2_000_000 } },
  { id: "again", kind: "process-crash", process: "worker-2", at: { on: "time", atUs: 2_100_000 } },
  { id: "\u001b[2Jnever", kind: "rpc-delay", delayUs: 100, at: { on: "event", event: "rpcSent", subject: "nobody", x: null, nth: 1, when: "before" } },
];
const request: RunRequest = { seed: "1", profile: "calm", fixed: {}, plan, oracles: true, checked: false, maxSteps: 5_000_000 };
const budget = { most: { "process-crash": 2, "rpc-drop": 1, "rpc-delay": 1 }, jobMayFail: false } as const;
const journey: Journey = journeyOf(new Simulator({ ...tour, budget }), request);

function faultsAt(step: number, of: Journey = journey): readonly FaultFacts[] {
  return (show("faults", of, step).facts as FaultsFacts).faults;
}

function linesAt(step: number, of: Journey = journey): readonly string[] {
  return show("faults", of, step).lines.map(textOf);
}

function stepOf(id: string): number {
  return journey.tape.result.faults.find((fault) => fault.id === id)?.step ?? -1;
}

describe("the faults of a run", () => {
  test("wait until they come, then have fired, or could not", () => {
    const states = (step: number): readonly string[] => faultsAt(step).map(({ state }) => state);
    expect(states(0)).toEqual(["waiting", "waiting", "waiting", "waiting"]);
    expect(states(stepOf("drop"))).toEqual(["fired", "waiting", "waiting", "waiting"]);
    expect(states(stepOf("crash") - 1)).toEqual(["fired", "waiting", "waiting", "waiting"]);
    expect(states(stepOf("crash"))).toEqual(["fired", "fired", "waiting", "waiting"]);
    expect(states(stepOf("again"))).toEqual(["fired", "fired", "downgraded", "waiting"]);
    expect(faultsAt(stepOf("again"))[2]).toMatchObject({ reason: "no such process lives at that moment", atUs: 2_100_000, changed: true });
    expect(faultsAt(stepOf("again") - 1)[2]).toMatchObject({ reason: null, changed: false, step: stepOf("again") });
  });

  test("are duds once chaos is over, or the run", () => {
    expect(faultsAt(journey.tape.steps - 1)[3]?.state).toBe("waiting");
    expect(faultsAt(journey.tape.steps)[3]).toMatchObject({ state: "dud", step: null });
    // Until everything heals.
    const pause: Fault = { id: "pause", kind: "process-pause", process: "jm-1", durationUs: 600_000_000, at: { on: "time", atUs: 2_000_000 } };
    const patient = { ...tour, budget: { most: { "process-pause": 1, "rpc-delay": 1 }, jobMayFail: false } };
    const longer = journeyOf(new Simulator(patient), { ...request, plan: [pause, ...plan.slice(3)] });
    const points = [...Array(longer.tape.points).keys()].map((point) => longer.tape.pointAt(point));
    const step = points.find(({ event }) => event === "healed")?.step ?? -1;
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThan(longer.tape.steps);
    expect([step - 1, step].map((at) => faultsAt(at, longer)[1]?.state)).toEqual(["waiting", "dud"]);
  });

  test("have words and marks", () => {
    expect(linesAt(stepOf("crash"))).toEqual([
      `+ drop            fired ${((faultsAt(0)[0]?.atUs ?? 0) / 1e6).toFixed(3)}s        rpc drop`,
      `    before rpcSent of totals -> report[1], 1; at step ${stepOf("drop")}`,
      "* crash           fired 2.000s        process crash worker-2",
      `    at 2.000s; at step ${stepOf("crash")}`,
      "  again           not yet             process crash worker-2",
      `    at 2.100s; comes at step ${stepOf("again")}`,
      "  \\u{1b}[2Jnever  not yet             rpc delay by 0.000s",
      "    before rpcSent of nobody; its trigger never comes",
    ]);
  });

  test("that a branch has switched off stay in sight", () => {
    const branch = planBranch(journey, new Set(["crash"]));
    const facts = faultsAt(branch.tape.steps, branch);
    expect(facts.map(({ id, state }) => [id, state])).toEqual([["drop", "fired"], ["crash", "off"], ["again", "fired"], ["\u001b[2Jnever", "dud"]]);
    expect(facts[1]).toMatchObject({ step: null, atUs: null, reason: null });
    const lines = linesAt(branch.tape.steps, branch);
    expect(lines[0]).toBe("  branch: without crash");
    expect(lines.filter((text) => text.startsWith("- "))).toEqual([expect.stringContaining("switched off")]);
  });

  test("are none where none were planned", () => {
    const calm = journeyOf(new Simulator(tour), { ...request, plan: [] });
    expect(linesAt(0, calm)).toEqual(["  no faults were planned"]);
  });
});

describe("a branch beside its run", () => {
  test("says where they part, and what came out differently", () => {
    const branch = planBranch(journey, new Set(["crash", "again"]));
    const lines = comparisonView(journey, branch).lines.map(textOf);
    expect(lines[0]).toBe("  the run, and the branch without crash, again");
    expect(lines[1]).toMatch(new RegExp(`^  they part at 2.000s: step ${stepOf("crash")} of the run, step \\d+ of the branch$`));
    expect(lines.some((text) => text.startsWith("- ") && text.includes("worker-2"))).toBe(true);
    expect(lines.some((text) => text.startsWith("+ "))).toBe(true);
    expect(lines.some((text) => /^~ verdict +violation +ok$/.test(text))).toBe(true);
    expect(lines.filter((text) => text.startsWith("- exactly-once output: "))).toHaveLength(journey.tape.result.findings.length);
  });

  test("says so where nothing differs", () => {
    const lines = comparisonView(journey, planBranch(journey, new Set())).lines.map(textOf);
    expect(lines).toEqual(["  the run, and the branch with all faults", "  they are the same in all that is to be seen", "", "  they end alike"]);
    const begun = comparisonLines({ branch: "b", beginsFrom: { checkpointId: 4, step: 9 }, first: null, ends: [], findings: { onlyOriginal: [], onlyBranch: [] }, unjudged: [{ oracle: "o", reason: "r" }] });
    expect(begun.map(textOf)).toContain("! the branch is not judged by: o (r)");
    expect(begun.map(textOf)).toContain("  the branch begins from checkpoint 4, which completed at step 9");
  });
});
