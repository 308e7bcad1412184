import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { planBranch, reseedBranch, restoreBranch, switchedOff, toggled, wholePlan } from "#whitewater/reports/travel/branch.js";
import { reproductionOf } from "#whitewater/reports/travel/branch-record.js";
import { compare } from "#whitewater/reports/travel/comparison.js";
import { journeyOf, type Journey } from "#whitewater/reports/travel/journey.js";
import { runIndexOf } from "#whitewater/reports/travel/run-index.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const crash: Fault = { id: "crash", kind: "process-crash", process: "worker-2", at: { on: "time", atUs: 2_000_000 } };
const late: Fault = { id: "late", kind: "rpc-delay", delayUs: 100, at: { on: "event", event: "rpcSent", subject: "nobody", x: null, nth: 1, when: "before" } };
const drop: Fault = { id: "drop", kind: "rpc-drop", at: { on: "event", event: "rpcSent", subject: "totals[1]", x: 1, nth: 1, when: "before" } };
const plan: readonly Fault[] = [drop, crash, late];
const request: RunRequest = { seed: "1", profile: "calm", fixed: {}, plan, oracles: true, checked: false, maxSteps: 5_000_000 };
const simulator: Simulator = new Simulator({ ...tour, budget: { most: { "process-crash": 1, "rpc-drop": 1, "rpc-delay": 1 }, jobMayFail: false } });
const original: Journey = journeyOf(simulator, request);
const drawn: Journey = journeyOf(new Simulator(wordCount), { ...request, seed: "2", profile: "swarm", fixed: { backend: "heap" }, plan: null });

function without(...ids: readonly string[]): Journey {
  return planBranch(original, new Set(ids));
}

describe("a branch with another plan", () => {
  test("is the run itself where nothing is switched off, also where the plan was drawn", () => {
    for (const journey of [original, drawn]) {
      const branch = planBranch(journey, new Set());
      expect(branch.tape.result).toEqual(journey.tape.result);
      expect(compare(journey, branch)).toMatchObject({ branch: "with all faults", first: null, ends: [], findings: { onlyOriginal: [], onlyBranch: [] } });
    }
  });

  test("is well without the fault that brings a wrong job to light", () => {
    expect(original.tape.result.verdict).toBe("violation");
    const branch = without("crash");
    expect(branch.tape.result.verdict).toBe("ok");
    expect(branch.branch?.name).toBe("without crash");
    expect(without("drop").tape.result.verdict).toBe("violation");
    expect(without("crash").tape.result).toEqual(branch.tape.result);
    const { first, ends, findings } = compare(original, branch);
    expect(first?.atUs).toBe(2_000_000);
    expect(first?.original.point).toMatchObject({ event: "processCrashed", subject: "worker-2", atUs: 2_000_000 });
    expect(first?.branch.point?.atUs).toBeGreaterThanOrEqual(2_000_000);
    expect(first?.original.before).toHaveLength(3);
    expect(first?.original.before.map(({ event, subject }) => [event, subject])).toEqual(first?.branch.before.map(({ event, subject }) => [event, subject]));
    expect(first?.original.after).toHaveLength(3);
    expect(ends).toContainEqual({ what: "verdict", original: "violation", branch: "ok" });
    expect(ends).toContainEqual({ what: "restarts", original: "1", branch: "0" });
    expect(ends.map(({ what }) => what)).toContain("digest");
    expect(findings.onlyOriginal).toEqual(original.tape.result.findings);
    expect(findings.onlyBranch).toEqual([]);
  });

  test("differs in nothing that is to be seen without a fault that did nothing, whose place in the plan others take", () => {
    const branch = without("late");
    expect(branch.tape.result.plan.map(({ id }) => id)).toEqual(["drop", "crash"]);
    expect(compare(original, branch).first).toBeNull();
    const moved = journeyOf(simulator, { ...request, plan: [late, drop, crash] });
    const shifted = planBranch(moved, new Set(["late"]));
    expect(compare(moved, shifted).first).toBeNull();
    expect(compare(original, shifted).first).toBeNull();
    expect(shifted.tape.result.digest).toBe(branch.tape.result.digest);
  });

  test("toggles faults of the whole plan, off and on again", () => {
    const off = toggled(original, "crash");
    const branch = planBranch(original, off);
    expect([...switchedOff(branch)]).toEqual(["crash"]);
    expect(wholePlan(branch)).toEqual(plan);
    const both = planBranch(branch, toggled(branch, "drop"));
    expect(both.branch?.name).toBe("without drop, crash");
    expect(both.branch?.of).toBe(original);
    expect(planBranch(both, new Set(["drop", "crash", "late"])).branch?.name).toBe("without faults");
    const again = planBranch(branch, toggled(branch, "crash"));
    expect(again.tape.result).toEqual(original.tape.result);
    expect(() => toggled(original, "f9")).toThrow(/the fault f9: is not in the plan/);
    expect(() => planBranch(original, new Set(["\u001b[2J"]))).toThrow(/\\u\{1b\}/);
  });

  test("of a plan that the scenario does not promise to survive is refused", () => {
    const strict = new Simulator({ ...tour, budget: { most: {}, jobMayFail: false } });
    expect(() => planBranch({ ...original, simulator: strict }, new Set(["drop"]))).toThrow(/1 faults of kind process-crash; the scenario promises to survive 0/);
  });

  test("is written as a record that a replay repeats", () => {
    const branch = planBranch(drawn, new Set(drawn.tape.result.plan.slice(0, 1).map(({ id }) => id)));
    const source = { kind: "library", name: "word-count", input: null } as const;
    const made = reproductionOf(branch, { source, tool: "0.1.0" });
    if (made.kind !== "record") throw new Error("it has a record");
    const file = join(mkdtempSync(join(tmpdir(), "branch-")), made.fileName);
    writeFileSync(file, JSON.stringify(made.record));
    const read = readRecord(file, "record");
    const { seed, profile, options, checked, maxSteps } = read;
    const again = new Simulator(wordCount).run({ seed, profile, fixed: options, plan: read.plan, oracles: true, checked, maxSteps });
    expect([again.digest, again.verdict]).toEqual([read.digest, read.expected]);
    expect(again.digest).toBe(branch.tape.result.digest);
    expect(again.digest).not.toBe(drawn.tape.result.digest);
  });
});

describe("a branch from a checkpoint", () => {
  const second = runIndexOf(original.tape).checkpoints.filter(({ completeStep }) => completeStep !== null)[1];
  const id = second?.checkpointId ?? -1;
  const end = original.tape.steps;

  test("is named and repeatable, has no beginning in common with the run, and says who does not judge it", () => {
    const branch = restoreBranch(original, id, end);
    expect(branch.branch?.name).toBe(`from checkpoint ${id}`);
    expect(branch.tape.result.restoredFrom).toBe(id);
    expect(restoreBranch(original, id, end).tape.result).toEqual(branch.tape.result);
    const { beginsFrom, first, unjudged } = compare(original, branch);
    expect(beginsFrom?.checkpointId).toBe(id);
    expect(beginsFrom?.step).toBeLessThanOrEqual(second?.completeStep ?? -1);
    expect(first).toBeNull();
    expect(unjudged.map(({ oracle }) => oracle)).toContain("surviving history");
    expect(branch.machine.seek(branch.tape.steps).jobEnd?.status).toBe("finished");
    expect(branch.machine.deviation).toBeNull();
  });

  test("needs one that had completed by then", () => {
    expect(() => restoreBranch(original, 99, end)).toThrow(/checkpoint 99: does not exist at step/);
    expect(() => restoreBranch(original, id, (second?.triggerStep ?? 0) + 1)).toThrow(/is running at step/);
    expect(() => restoreBranch(original, id, 0)).toThrow(/does not exist at step 0/);
  });

  test("has no record and no plan", () => {
    const branch = restoreBranch(original, id, end);
    const source = { kind: "library", name: "tour", input: null } as const;
    expect(reproductionOf(branch, { source, tool: "0.1.0" })).toMatchObject({ kind: "none", reason: expect.stringMatching(/begins from checkpoint/) });
    expect(() => planBranch(branch, new Set(["crash"]))).toThrow(/has no plan of its own/);
  });
});

describe("a branch that goes on with other randomness", () => {
  test("parts from the run behind the step, is repeatable, and has no record", () => {
    const branch = reseedBranch(drawn, 612, "9");
    expect(branch.branch?.name).toBe("from step 612 with seed 9");
    expect(reseedBranch(drawn, 612, "9").tape.result).toEqual(branch.tape.result);
    const { first } = compare(drawn, branch);
    expect(first?.branch.step).toBeGreaterThan(612);
    expect(first?.branch.point).not.toEqual(first?.original.point);
    const source = { kind: "library", name: "word-count", input: null } as const;
    expect(reproductionOf(branch, { source, tool: "0.1.0" })).toMatchObject({ kind: "none", reason: expect.stringMatching(/from step 612/) });
  });

  test("may branch off from a branch", () => {
    const branch = reseedBranch(planBranch(original, new Set(["crash"])), 100, "9");
    expect(branch.branch?.name).toBe("from step 100 with seed 9, without crash");
    expect(branch.tape.result.verdict).toBe("ok");
  });
});
