import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ReportDocument } from "#whitewater/reports/document/report-document.js";
import type { Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { RESTORE_OF_COMBINATION } from "#whitewater/simulator/explore/matrix.js";
import { combinationOf } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";
import { aFinding, fakeResult } from "../fake-simulator.js";
import { fakeProject, whitewater } from "./in-process.js";

/** Covers the cell of every run; the named seed fails in the named backend. */
function inMatrix(failing: { readonly seed: string; readonly backend: string } | null = null): Simulate {
  return (scenario, request) => {
    const options = { bufferElements: 4, ...request.fixed } as RunOptions;
    const fails = failing !== null && request.seed === failing.seed && options.backend === failing.backend;
    return fakeResult(request, {
      scenario: scenario.name,
      options,
      combination: combinationOf(options),
      sometimes: { [RESTORE_OF_COMBINATION]: 1 },
      ...(fails && { verdict: "violation", findings: [aFinding()] }),
    });
  };
}

const MATRIX_RUN = ["run", "--profile", "matrix", "--jobs", "1", "--self-check", "0%"];

describe("--profile matrix", () => {
  test("runs each seed in each combination that fits what is fixed, shows the grid, and exits with 0", async () => {
    const args = [...MATRIX_RUN, "--backend", "lsm", "--mode", "unaligned", "--seeds", "1-3", "--reporter", "default", "--reporter", "json=report.json"];
    const cwd = fakeProject();
    const { code, stdout } = await whitewater(cwd, args, { simulate: inMatrix() });
    expect(stdout).toMatch(/\nlsm +incremental +3\/3 +3\/3 +3\/3 +a +3\/3 +a\n/);
    expect(stdout).toContain("matrix: 12 of 12 combinations covered, 0 with failing runs");
    expect(stdout).toMatch(/\nok: nothing found\n$/);
    expect(code).toBe(0);
    const { default: report } = (await import(join(cwd, "report.json"), { with: { type: "json" } })) as { default: ReportDocument };
    expect(report.matrix?.cells.map(({ runs, covered }) => [runs, covered])).toEqual(Array.from({ length: 12 }, () => [3, 3]));
    expect(report.totals.runs).toBe(36);
  });

  test("a failing run is shown with all of its combination, and its record replays it", async () => {
    const cwd = fakeProject();
    const simulate = inMatrix({ seed: "2", backend: "sqlite" });
    const { code, stdout } = await whitewater(cwd, [...MATRIX_RUN, "--mode", "aligned", "--seeds", "1-2", "--bail", "1"], { simulate });
    expect(code).toBe(1);
    expect(stdout).toMatch(/reproduce: {2}npx whitewater replay ww1:matrix-\S+\/sqlite\/aligned\/full\/2to2\/\w+@2#\w+ --profile matrix\nexplore: /);
    expect(stdout).toContain("stopped after 1 failing run");
    expect(stdout).not.toContain("vacuous");
    const [record = ""] = readdirSync(join(cwd, ".whitewater"));
    const replayed = await whitewater(cwd, ["replay", join(".whitewater", record)], { simulate });
    expect(replayed.code).toBe(1);
    expect(replayed.stdout).toContain("the same as the");
  });

  test("says what it does not run", async () => {
    const stranger = await whitewater(fakeProject(), [...MATRIX_RUN, "word-count"]);
    expect(stranger.code).toBe(2);
    expect(stranger.stderr).toContain("choose from matrix-chain");
    const nothing = await whitewater(fakeProject(), [...MATRIX_RUN, "--parallelism", "4"]);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toContain("the matrix has no such combination");
  });
});

describe("--profile crash-everywhere", () => {
  const run = ["run", "word-count", "--profile", "crash-everywhere", "--seed", "3", "--backend", "heap", "--mode", "aligned", "--restore", "full", "--jobs", "1", "--self-check", "0%"];
  const real: Simulate = (scenario, request) => new Simulator(scenario).run(request);

  test("says how many crash points there are, how many of them it tried, and that its input is reduced", async () => {
    const { code, stdout } = await whitewater(fakeProject(), [...run, "--max-runs", "6", "--pairs", "2"], { simulate: real });
    expect(stdout).toMatch(/\nword-count, heap\/aligned\/full\/2to2\/job, seed 3: 1,\d{3} crash points; with each process that lives there \d,\d{3} crashes, 6 of them, evenly spread, tried; 2 pairs with a second crash during the recovery\n/);
    expect(stdout).toMatch(/\n {2}\(its input is reduced to \d\d of \d{3} records, so that a run is short\)\n/);
    expect(stdout).toMatch(/\nword-count +heap\/aligned\/full +9 +9 +0 /);
    expect(stdout).toMatch(/\nok: nothing found\n$/);
    expect(code).toBe(0);
  });

  test("does not say that it tried what it never came to", async () => {
    const failing: Simulate = (_scenario, request) => ({ ...real(_scenario, request), verdict: "violation", findings: [aFinding()] });
    const { code, stdout } = await whitewater(fakeProject(), [...run, "--max-runs", "6", "--pairs", "2", "--bail", "1"], { simulate: failing });
    expect(stdout).toMatch(/ crashes, 6 of them, evenly spread, to be tried; 2 pairs with a second crash during the recovery\n {2}\(not all of it was: 1 of 9 runs\)\n/);
    expect(code).toBe(1);
  });

  test("a failing run is reproduced from its record, which has the plan", async () => {
    const cwd = fakeProject();
    const simulate: Simulate = (scenario, request) => {
      const result = real(scenario, request);
      return request.plan?.length === 2 ? { ...result, verdict: "violation", findings: [aFinding()] } : result;
    };
    const { code, stdout } = await whitewater(cwd, [...run, "--max-runs", "1", "--pairs", "1"], { simulate });
    expect(code).toBe(1);
    const record = /\nreproduce: {2}npx whitewater replay (\.whitewater\/\S+\.json)\nexplore: /.exec(stdout)?.[1] ?? "";
    const replayed = await whitewater(cwd, ["replay", record], { simulate });
    expect(replayed.stdout).toContain("the same as the");
    expect(replayed.code).toBe(1);
  });

  test("tries one seed, and refuses several instead of leaving them out", async () => {
    const { code, stderr } = await whitewater(fakeProject(), ["run", "fake.mjs", "--profile", "crash-everywhere", "--seeds", "1-3"]);
    expect(code).toBe(2);
    expect(stderr).toBe("whitewater: --seeds 1-3: is more than one seed, and --profile crash-everywhere tries all crashes of one; write --seed 1\n");
  });

  test("its limits mean nothing without it", async () => {
    const { code, stderr } = await whitewater(fakeProject(), ["run", "fake.mjs", "--pairs", "3"]);
    expect(code).toBe(2);
    expect(stderr).toContain("add --profile crash-everywhere");
  });
});
