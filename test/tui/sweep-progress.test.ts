import { describe, expect, it } from "vitest";
import type { LoadedScenario } from "#whitewater/reports/catalog/load-scenario.js";
import { localRunner, type ChunkRunner } from "#whitewater/reports/sweep/chunk.js";
import { failureLine, sweepLines } from "#whitewater/reports/tui/sweep-lines.js";
import { isOver, NO_PROGRESS, reachedPaths, sweepProgress, type SweepEvent, type SweepProgress } from "#whitewater/reports/tui/sweep-progress.js";
import { startSweep } from "#whitewater/reports/tui/sweep-run.js";
import { textOf } from "#whitewater/reports/views/line.js";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import { aFinding, fakeResult, fakeScenario } from "../reports/fake-simulator.ts";

const began: SweepEvent = { type: "began", scenarios: ["flights", "timers"], seeds: "1-20", planned: 40 };

function run(changes: Partial<Extract<SweepEvent, { type: "run" }>> = {}): SweepEvent {
  return { type: "run", scenario: "flights", tracePoints: 1000, virtualTimeUs: 3_000_000, sometimes: {}, failure: null, ...changes };
}

const failed = { scenario: "flights", seed: "7", verdict: "violation", oracle: "fencing", message: "two leaders", target: "x.json" } as const;

function after(...events: readonly SweepEvent[]): SweepProgress {
  return events.reduce(sweepProgress, NO_PROGRESS);
}

function text(progress: SweepProgress): readonly string[] {
  return sweepLines(progress).map((line) => textOf(line).trimEnd());
}

describe("the progress of a sweep", () => {
  it("adds up runs, trace points, virtual time and failures", () => {
    const progress = after(began, run(), run({ failure: failed }), run({ scenario: "timers" }), { type: "time", elapsedMs: 1500 });
    expect(progress).toMatchObject({ runs: 3, planned: 40, current: "timers", tracePoints: 3000, virtualTimeUs: 9_000_000, failing: 1, failures: [failed], elapsedMs: 1500, state: "running" });
  });

  it("knows a path as reached once any run of its scenario took it", () => {
    const progress = after(began, run({ sometimes: { a: 0, b: 2 } }), run({ sometimes: { a: 0, b: 0, c: 0 } }), run({ scenario: "timers", sometimes: { b: 0 } }));
    expect(reachedPaths(progress)).toEqual({ reached: 1, missing: ["flights: a", "flights: c", "timers: b"] });
    expect(reachedPaths(sweepProgress(progress, run({ sometimes: { a: 1 } }))).reached).toBe(2);
  });

  it("ends once, and its time stands still then", () => {
    const over = after(began, run(), { type: "cancelling" }, { type: "ended", end: "interrupted", elapsedMs: 900 }, { type: "time", elapsedMs: 5000 }, { type: "cancelling" });
    expect(over).toMatchObject({ state: "interrupted", elapsedMs: 900 });
    expect(isOver(over)).toBe(true);
    expect(isOver(after(began, { type: "cancelling" }))).toBe(false);
    expect(after(began, { type: "broke", reason: "no memory", elapsedMs: 1 })).toMatchObject({ state: "broken", reason: "no memory" });
  });

  it("begins from nothing, whatever was swept before, and lists no more failures than a screen can bear", () => {
    const many = Array.from({ length: 300 }, () => run({ failure: failed }));
    const progress = after(began, ...many);
    expect([progress.failing, progress.failures.length]).toEqual([300, 200]);
    expect(sweepProgress(progress, began)).toMatchObject({ runs: 0, failing: 0, failures: [], paths: {} });
  });
});

describe("the lines of a sweep", () => {
  it("say all of it", () => {
    const progress = after(began, run({ sometimes: { a: 1, b: 0 } }), run({ failure: failed }), { type: "time", elapsedMs: 2000 });
    expect(text(progress)).toEqual([
      "Sweep  2 scenarios, seeds 1-20  running",
      "[##......................................]  2 of 40 runs, now flights",
      "violations     ! 1 failing run",
      "trace points/s 1,000  of 2,000 in all",
      "virtual time   6.0 s",
      "elapsed        2.0 s  1 runs/s",
      "sometimes      1 of 2 declared paths reached  not yet: flights: b",
    ]);
    expect(textOf(failureLine(failed))).toBe("! flights  seed 7  violation  fencing: two leaders");
  });

  it("say how it ended, and nothing where nothing ran", () => {
    expect(text(after(began))[0]).toContain("running");
    expect(text(after(began))[3]).toBe("trace points/s 0  of 0 in all");
    expect(text(after(began, { type: "ended", end: "complete", elapsedMs: 1 }))[0]).toContain("complete");
    expect(text(after(began, { type: "ended", end: "interrupted", elapsedMs: 1 }))[0]).toContain("cancelled");
    expect(text(after(began, { type: "broke", reason: "\u001b[2J", elapsedMs: 1 }))[0]).toContain("! broke: \\u{1b}[2J");
  });

  it("name a few of the paths that are missing, and count the rest", () => {
    expect(text(after(began, run({ sometimes: { a: 0, b: 0, c: 0, d: 0, e: 0 } }))).at(-1)).toBe(
      "sometimes      0 of 5 declared paths reached  not yet: flights: a; flights: b; flights: c; … 2 more",
    );
  });
});

const scenario = fakeScenario({ sometimes: ["crash during restore"] });
const loaded: readonly LoadedScenario[] = [{ source: { kind: "library", name: "fake", input: null }, scenario }];
const settings = { profile: "swarm", fixed: {}, maxSteps: 1000, selfCheckMillionths: 0 } as const;

async function swept(seeds: bigint, result: (seed: string) => Partial<RunResult>, change: (runner: ChunkRunner, cancel: () => void) => ChunkRunner = (runner) => runner): Promise<readonly SweepEvent[]> {
  const events: SweepEvent[] = [];
  let cancel = (): void => undefined;
  const runner = change(localRunner([scenario], settings, (_scenario, request) => fakeResult(request, result(request.seed))), () => cancel());
  const started = startSweep({ loaded, seeds: { first: 1n, last: seeds }, runner, keep: ({ result: kept }) => `seed-${kept.seed}.json`, tell: (event) => events.push(event) });
  cancel = started.cancel;
  await started.over;
  return events;
}

describe("a sweep that is started", () => {
  it("tells of its beginning, each run in order, its failures with what opens them, and its end", async () => {
    const events = await swept(5n, (seed) => (seed === "3" ? { verdict: "violation", findings: [aFinding()] } : {}));
    const progress = events.reduce(sweepProgress, NO_PROGRESS);
    expect(events[0]).toEqual({ type: "began", scenarios: ["fake"], seeds: "1-5", planned: 5 });
    expect(events.at(-1)).toMatchObject({ type: "ended", end: "complete" });
    expect(progress).toMatchObject({ runs: 5, tracePoints: 5000, failing: 1, state: "complete" });
    expect(progress.failures).toEqual([
      { scenario: "fake", seed: "3", verdict: "violation", oracle: "exactly-once state", message: 'key "ORD": expected 42, got 43', target: "seed-3.json" },
    ]);
    expect(reachedPaths(progress)).toEqual({ reached: 1, missing: [] });
  });

  it("is cancelled between two runs, and closes its runner", async () => {
    let closed = 0;
    const events = await swept(1000n, () => ({}), (runner, cancel) => ({
      ...runner,
      async run(chunk) {
        if (chunk.first === 7n) cancel();
        return runner.run(chunk);
      },
      async close() {
        closed += 1;
      },
    }));
    const progress = events.reduce(sweepProgress, NO_PROGRESS);
    expect(progress).toMatchObject({ state: "interrupted", planned: 1000, runs: 6 });
    expect(events.map(({ type }) => type)).toContain("cancelling");
    expect(closed).toBe(1);
  });

  it("tells what broke it", async () => {
    const events = await swept(5n, () => {
      throw new Error("the simulator is broken");
    });
    expect(events.at(-1)).toMatchObject({ type: "broke", reason: "fake, seed 1: the simulator threw: the simulator is broken" });
  });
});
