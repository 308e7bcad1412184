import { join } from "node:path";
import { expect, it } from "vitest";
import { UiSweeps } from "#whitewater/reports/cli/ui-sweeps.js";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { NO_PROGRESS, sweepProgress, type SweepProgress } from "#whitewater/reports/tui/sweep-progress.js";
import { temporaryDirectory } from "../temporary-directory.ts";

it("sweeps in threads, and leaves a record of each failing run that can be opened", async () => {
  const cwd = temporaryDirectory();
  let progress: SweepProgress = NO_PROGRESS;
  const sweeps = new UiSweeps(cwd, { directory: join(cwd, "runs"), shown: "runs" }, (event) => (progress = sweepProgress(progress, event)));
  const started = sweeps.start("tour", "1-12");
  await expect(sweeps.start("tour", "1")).rejects.toThrow("another sweep: is not over yet");
  await started;
  expect(sweeps.isUnderWay).toBe(true);
  await expect.poll(() => progress.state, { timeout: 50_000 }).toBe("complete");
  await sweeps.end();
  expect(sweeps.isUnderWay).toBe(false);
  expect(progress).toMatchObject({ runs: 12, planned: 12, scenarios: ["tour"] });
  expect(progress.failing).toBeGreaterThan(0);
  expect(progress.failures).toHaveLength(progress.failing);
  for (const { seed, target, oracle } of progress.failures) {
    const record = readRecord(join(cwd, target), target);
    expect([record.seed, record.findings[0]?.oracle, record.scenario.name]).toEqual([seed, oracle, "tour"]);
  }
});

it("takes no seeds that are none, and no scenario that is none", async () => {
  const sweeps = new UiSweeps(temporaryDirectory(), { directory: ".", shown: "." }, () => undefined);
  await expect(sweeps.start("tour", "many")).rejects.toThrow('seeds "many": is no seed');
  await expect(sweeps.start("no-such", "1")).rejects.toThrow("there is none of that name");
  await sweeps.end();
});
