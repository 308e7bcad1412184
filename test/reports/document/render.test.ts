import { describe, expect, it } from "vitest";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import { failureReport } from "#whitewater/reports/cli/failures.js";
import { buildDocument } from "#whitewater/reports/document/build-document.js";
import { failureBlock } from "#whitewater/reports/document/failure-block.js";
import type { FailureReport, ReportDocument } from "#whitewater/reports/document/report-document.js";
import { reportSchema } from "#whitewater/reports/document/report-schema.js";
import { renderJson } from "#whitewater/reports/document/render-json.js";
import { renderText } from "#whitewater/reports/document/render-text.js";
import { visible } from "#whitewater/reports/text/visible.js";
import { colourPaint } from "#whitewater/reports/text/paint.js";
import { localRunner } from "#whitewater/reports/sweep/chunk.js";
import { requestFor, type Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { sweep, type SweepEnd } from "#whitewater/reports/sweep/sweep.js";
import { aFinding, fakeResult, fakeScenario, fakeSimulate } from "../fake-simulator.js";

const settings = { profile: "swarm", fixed: {}, maxSteps: 5_000_000, selfCheckMillionths: 0 } as const;
const context = { tool: "0.1.0", source: { kind: "library", name: "fake", input: null }, ...settings } as const;

async function documentOf(simulate: Simulate, seeds = 30n, end: SweepEnd = "complete"): Promise<ReportDocument> {
  const scenarios = [fakeScenario({ sometimes: ["a zombie that tried to act"] })];
  const outcome = await sweep(
    { scenarios: ["fake"], seeds: { first: 1n, last: seeds }, bail: null, timeMs: null, matrix: null, plans: null, keepRuns: true },
    localRunner(scenarios, settings, simulate),
    { isInterrupted: () => false, onProgress: () => {}, onScenarioEnd: () => {} },
  );
  const failures = outcome.failures.map(({ run }) => failureReport(run, context, ".whitewater/x.json"));
  const head = { tool: "0.1.0", profile: "swarm", fixed: {}, seeds: { first: "1", last: String(seeds), commit: null } } as const;
  return buildDocument(head, scenarios, { ...outcome, end }, [], failures);
}

function failing(changes: Partial<RunResult> = {}): FailureReport {
  const result = fakeResult(requestFor("7", settings, false), {
    verdict: "violation",
    findings: [aFinding()],
    digest: "9f3ac1d200000000",
    ...changes,
  });
  return failureReport({ result, checked: false, runs: 2, agreeing: 2 }, context, null);
}

describe("the failure block", () => {
  it("says what, where, which faults, how sure, and ends with the line that shows it again", () => {
    expect(failureBlock(failing())).toEqual([
      "FAIL  fake/heap/aligned/full/2to2/job  exactly-once state    seed 7    event 867, t=3.121s",
      '  key "ORD": expected 42, got 43',
      "  faults that fired (1 of 1 planned):",
      "    t=0.427s    process crash worker-2  after snapshotTaken of sum[1], 4",
      "  restored from checkpoint 4      determinism: 2 of 2 runs, digest 9f3ac1d2",
      "reproduce:  npx whitewater replay ww1:fake/heap/aligned/full/2to2/job@7#9f3ac1d2",
    ]);
  });

  it("lets no text of a run reach the terminal raw", () => {
    const nasty = "a\u001b]0;x\u0007\u202e\nb";
    const block = failureBlock(failing({ scenario: nasty, findings: [aFinding({ oracle: nasty, message: nasty })] }));
    expect(visible(block.join(""))).toBe(block.join(""));
  });

  it("repeats in the command what the token does not hold", () => {
    const report = failureReport(
      { result: fakeResult(requestFor("7", settings, false)), checked: false, runs: 2, agreeing: 2 },
      {
        ...context,
        source: { kind: "library", name: "flights", input: { path: "/x/my data.csv", shown: "my data.csv" } },
        profile: "network",
        maxSteps: 5,
      },
      null,
    );
    expect(failureBlock(report).at(-1)).toMatch(/ --profile network --max-steps 5 --input 'my data\.csv'$/);
  });
});

describe("the text report", () => {
  it("ends with ok where nothing was found", async () => {
    const text = renderText(await documentOf(fakeSimulate()));
    expect(text).toMatch(/^whitewater 0\.1\.0 {2}profile swarm {2}seeds 1-30\n/);
    expect(text).toMatch(/\nfake +heap\/aligned\/full +30 +30 +0 +0 +3,000 +30,000 +1 min 0 s +30\/30\n/);
    expect(text).toMatch(/\na zombie that tried to act +0\n/);
    expect(text).toMatch(/\nok: nothing found\n$/);
  });

  it("ends with a failure block, one of each kind first", async () => {
    const simulate: Simulate = (_scenario, run) =>
      run.seed === "29"
        ? fakeResult(run, { verdict: "stuck", findings: [aFinding({ oracle: "liveness" })] })
        : fakeSimulate(["2", "3", "4", "5"])(fakeScenario(), run);
    const text = renderText(await documentOf(simulate));
    expect(text).toContain("5 failing runs (4 violation, 1 stuck); 3 shown, one of each kind first\n");
    expect(text).toContain("liveness (stuck)    seed 29");
    expect(text).toMatch(/\nreproduce: {2}npx whitewater replay ww1:\S+\nexplore: {4}npx whitewater ui \S+\.json\n$/);
  });

  it("names why a sweep proves nothing", async () => {
    const document = await documentOf(fakeSimulate(), 200n);
    expect(document.exitCode).toBe(5);
    expect(renderText(document)).toMatch(/\nvacuous: fake: never reached in 200 runs: a zombie that tried to act\n$/);
  });

  it("has no colours unless it is painted", async () => {
    expect(renderText(await documentOf(fakeSimulate(["3"])))).not.toContain("\u001b");
    expect(failureBlock(failing(), colourPaint).join("\n")).toContain("\u001b[31mFAIL\u001b[0m");
  });
});

describe("the JSON report", () => {
  it("holds the document as its schema says", async () => {
    const document = await documentOf(fakeSimulate(["3"]));
    const json: unknown = JSON.parse([...renderJson(document)].join(""));
    expect(reportSchema.parse(json)).toEqual(document);
    expect(json).toMatchObject({
      totals: { runs: 30, verdicts: { ok: 29, violation: 1 } },
      faults: { "process-crash": { fired: 30, dud: 0, downgraded: 0 } },
      sometimes: { "a zombie that tried to act": 0, "crash during restore": 30 },
      findings: [{ scenario: "fake", seed: "3", oracle: "exactly-once state" }],
    });
    expect((json as ReportDocument).runs?.[2]).toEqual({
      scenario: "fake",
      combination: "heap/aligned/full/2to2/job",
      seed: "3",
      verdict: "violation",
      digest: fakeResult(requestFor("3", settings, false)).digest,
      steps: 100,
      tracePoints: 1000,
      virtualTimeUs: 2_000_000,
    });
  });

  it("is JSON without runs, too", async () => {
    const document = { ...(await documentOf(fakeSimulate())), runs: null };
    expect(JSON.parse([...renderJson(document)].join(""))).toEqual(document);
  });
});

describe("the exit code", () => {
  it.each([
    ["ok", 0],
    ["expected-failure", 0],
    ["violation", 1],
    ["crashed", 1],
    ["invalid-plan", 1],
    ["stuck", 3],
    ["diverged", 4],
  ] as const)("for a sweep with one %s is %d", async (verdict, code) => {
    const simulate: Simulate = (_scenario, run) =>
      fakeResult(run, run.seed === "5" ? { verdict, findings: verdict === "ok" ? [] : [aFinding()] } : {});
    expect((await documentOf(simulate)).exitCode).toBe(code);
  });

  it("of what is not deterministic comes before a violation, and of a violation before a stuck run", async () => {
    const verdicts = { "3": "stuck", "4": "violation" } as const;
    const simulate: Simulate = (_scenario, run) =>
      fakeResult(run, { verdict: verdicts[run.seed as keyof typeof verdicts] ?? "ok", findings: [aFinding()] });
    expect((await documentOf(simulate)).exitCode).toBe(1);
    expect((await documentOf(simulate, 30n, "interrupted")).exitCode).toBe(130);
    const flaky: Simulate = (_scenario, run) => fakeResult(run, { verdict: run.seed === "4" ? "diverged" : "violation", findings: [aFinding()] });
    expect((await documentOf(flaky)).exitCode).toBe(4);
  });
});
