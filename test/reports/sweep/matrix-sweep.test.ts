import { describe, expect, test } from "vitest";
import { buildDocument } from "#whitewater/reports/document/build-document.js";
import { matrixGrid } from "#whitewater/reports/document/matrix-grid.js";
import { reportSchema } from "#whitewater/reports/document/report-schema.js";
import type { ReportDocument } from "#whitewater/reports/document/report-document.js";
import { localRunner } from "#whitewater/reports/sweep/chunk.js";
import type { RunSettings, Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { sweep, type SweepObserver, type SweepOutcome } from "#whitewater/reports/sweep/sweep.js";
import { JOB_SHAPES, shapeOf } from "#whitewater/scenarios/matrix/job-shapes.js";
import { cellName, cellOfCombination, MATRIX, RESTORE_OF_COMBINATION } from "#whitewater/simulator/explore/matrix.js";
import { APPLIED_TWICE } from "#whitewater/simulator/oracles/surviving-history.js";
import { combinationOf } from "#whitewater/simulator/run-result.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";
import { fakeResult } from "../fake-simulator.js";

const settings: RunSettings = { profile: "matrix", fixed: {}, maxSteps: 1000, selfCheckMillionths: 0 };
const unwatched: SweepObserver = { isInterrupted: () => false, onProgress: () => {}, onScenarioEnd: () => {} };

/**
 * A simulator that covers its cell, unless the name of that matches `uncovered`; one that matches `failing` fails; in
 * one that matches `again` a record comes again.
 */
function simulating(uncovered: RegExp = /^$/, failing: RegExp = /^$/, again: RegExp = /at-least-once/): Simulate {
  return (scenario, request) => {
    const combination = combinationOf({ bufferElements: 4, ...request.fixed } as RunOptions);
    const cell = cellOfCombination(combination);
    const name = cell === null ? "" : cellName(cell);
    const sometimes = { [RESTORE_OF_COMBINATION]: uncovered.test(name) ? 0 : 2, [APPLIED_TWICE]: again.test(name) ? 1 : 0 };
    return fakeResult(request, { scenario: scenario.name, combination, sometimes, verdict: failing.test(name) ? "violation" : "ok" });
  };
}

function sweepOver(last: bigint, simulate: Simulate, bail: number | null = null): Promise<SweepOutcome> {
  const request = {
    scenarios: JOB_SHAPES.map(({ name }) => name),
    seeds: { first: 1n, last },
    bail,
    timeMs: null,
    matrix: { cells: MATRIX, scenarioOf: (seed: bigint, cell: (typeof MATRIX)[number]) => shapeOf(seed, cell, JOB_SHAPES) },
    plans: null,
    keepRuns: true,
  };
  return sweep(request, localRunner(JOB_SHAPES, settings, simulate), unwatched);
}

function documentOf(outcome: SweepOutcome): ReportDocument {
  const head = { tool: "0.1.0", profile: "matrix", fixed: {}, seeds: { first: "1", last: "7", commit: null } } as const;
  return buildDocument(head, JOB_SHAPES, outcome, [], []);
}

describe("a sweep through the matrix", () => {
  test("runs each seed once in each combination, over every job", async () => {
    const outcome = await sweepOver(7n, simulating());
    expect(outcome.cells.size).toBe(MATRIX.length);
    expect([...outcome.cells.values()].every(({ runs, covered, failed }) => runs === 7 && covered === 7 && failed === 0)).toBe(true);
    expect(outcome.tallies.every(({ totals }) => totals.runs > 100)).toBe(true);
    const each = new Set(outcome.runs?.map(({ seed, combination }) => `${seed} ${combination}`));
    expect(each.size).toBe(7 * MATRIX.length);
    const document = documentOf(outcome);
    expect(document.vacuous).toEqual([]);
    expect(document.exitCode).toBe(0);
    expect(reportSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  test("where regions fail over alone, every other seed runs the job that has several", () => {
    const region = MATRIX.filter(({ failover }) => failover === "region")[0];
    if (region === undefined) throw new Error("there are such cells");
    const names = [1n, 2n, 3n, 4n, 5n].map((seed) => JOB_SHAPES[shapeOf(seed, region, JOB_SHAPES)]?.name);
    expect(names.filter((name) => name === "matrix-pipelines").length).toBeGreaterThanOrEqual(3);
    expect(new Set(names).size).toBeGreaterThan(1);
  });

  test("is vacuous where no run of a combination counts, and names it", async () => {
    const document = documentOf(await sweepOver(2n, simulating(/^sqlite\/unaligned\/local\/more\/|^lsm\/aligned\/full\/same\/region/)));
    expect(document.vacuous).toEqual([
      "no run was restored as they say in 2 combinations of 272: lsm/aligned/full/same/region, sqlite/unaligned/local/more/job",
    ]);
    expect(document.exitCode).toBe(5);
  });

  test("is vacuous where at-least-once runs, once they are 200, never saw a record come again", async () => {
    const never = await sweepOver(3n, simulating(/^$/, /^$/, /^$/));
    expect(documentOf(never).vacuous).toEqual(["never reached in 204 at-least-once runs: a record applied twice (at-least-once)"]);
    expect(documentOf(never).exitCode).toBe(5);
    const few = await sweepOver(2n, simulating(/^$/, /^$/, /^$/));
    const once = await sweepOver(3n, simulating(/^$/, /^$/, /^lsm\/at-least-once\/full\/same\/job/));
    expect([few, once].map((outcome) => documentOf(outcome).vacuous)).toEqual([[], []]);
  });

  test("stops at the nth failing run, and does not call vacuous what it never came to", async () => {
    const document = documentOf(await sweepOver(3n, simulating(/^$/, /^lsm/), 2));
    expect(document.end).toBe("bail");
    expect(document.failureCount).toBe(2);
    expect(document.vacuous).toEqual([]);
    expect(document.exitCode).toBe(1);
  });

  test("shows all 432 combinations in a grid: counts, failing runs, and why some cannot be", async () => {
    const { matrix } = documentOf(await sweepOver(2n, simulating(/^heap\/aligned\/local\/same\/job/, /^sqlite\/at-least-once\/full\/fewer/)));
    if (matrix === null) throw new Error("the document has the matrix");
    const lines = matrixGrid(matrix);
    expect(lines.filter((line) => /^(heap|lsm|sqlite|changelog:)/.test(line))).toHaveLength(4 * 17);
    expect(lines).toContainEqual(expect.stringMatching(/^heap +local +0\/2 +2\/2 +2\/2 +a +2\/2 +a$/));
    expect(lines).toContainEqual(expect.stringMatching(/^sqlite +full +2\/2 +2\/2 +2\/2 !2 +a +2\/2 +a$/));
    const text = lines.join("\n");
    expect(text).toContain("matrix: 271 of 272 combinations covered, 1 with failing runs");
    expect(text).toContain("a  136 combinations cannot be: one region cannot change its parallelism alone");
    expect(text).toContain("b  24 combinations cannot be: heap has no increments to restore from");
    expect(matrix.invalid).toHaveLength(160);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});
