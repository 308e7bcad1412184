import fc from "fast-check";
import { expect, test } from "vitest";
import { EveryCheckpoint } from "#whitewater/simulator/explore/every-checkpoint.js";
import { anyRun, libraries, reportFailure, requestOf, scenarioOf, type DrawnRun } from "./any-run.ts";

const SEED = 2511;
/** For a machine that does much else. */
const TIMEOUT_MS = 180_000;
/** Of a drawn run, one checkpoint in so many is tried; which, its seed decides. */
const ONE_IN = 3;

function restoreFromEach(run: DrawnRun, isTried: (index: number) => boolean): void {
  const every = new EveryCheckpoint(scenarioOf(run), libraries, requestOf(run));
  expect(every.completed.length).toBeGreaterThan(5);
  expect(every.completed).toEqual(every.completed.toSorted((a, b) => a - b));
  every.completed.forEach((checkpointId, index) => {
    if (!isTried(index)) return;
    const { verdict, findings, restoredFrom, faults } = every.restoreFrom(checkpointId);
    expect({ checkpointId, verdict, findings }).toEqual({ checkpointId, verdict: "ok", findings: [] });
    // The last one may end the job before anything is restored.
    if (checkpointId !== every.completed.at(-1)) expect(restoredFrom).toBeGreaterThanOrEqual(checkpointId);
    expect(faults.every(({ outcome }) => outcome === "fired")).toBe(true);
  });
}

test("every checkpoint of a job gives the right result in a cluster that starts empty", () => {
  restoreFromEach({ shape: 0, cell: 0, seed: 5, bufferElements: 4, faults: [], rescaleAtMs: 2000 }, () => true);
});

test(`so do checkpoints of any job in any combination (seed ${SEED})`, () => {
  const property = fc.property(anyRun(0), (run) => restoreFromEach(run, (index) => index % ONE_IN === run.seed % ONE_IN));
  reportFailure(fc.check(property, { seed: SEED, numRuns: 3 }));
}, TIMEOUT_MS);
