import fc from "fast-check";
import { expect, test } from "vitest";
import { invalidCombination, RESTORE_STRATEGIES } from "#whitewater/engine/graph/job-modes.js";
import { CheckpointRecords } from "#whitewater/simulator/oracles/checkpoint-records.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { anyRun, cellOf, reportFailure, requestOf, simulatorOf, type DrawnRun } from "./any-run.ts";

const SEED = 1125;
/** For a machine that does much else. */
const TIMEOUT_MS = 180_000;

test(`any job in any combination is exactly-once, restores what was written, and leaks nothing (seed ${SEED})`, () => {
  const property = fc.property(anyRun(3), (run) => {
    const { verdict, findings } = simulatorOf(run).run(requestOf(run));
    expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
  });
  reportFailure(fc.check(property, { seed: SEED, numRuns: 24 }));
}, TIMEOUT_MS);

/** What consumers saw in the end, in order within each partition, and what the last checkpoint holds. */
function outcomeOf(run: DrawnRun, request: RunRequest): unknown {
  const prepared = simulatorOf(run).prepare(request);
  if ("verdict" in prepared) throw new Error("the plan is refused");
  const { world } = prepared;
  const records = CheckpointRecords.of(world);
  prepared.runToEnd();
  const { verdict, findings } = prepared.conclude();
  const outputs = world.options.scenario.outputs.map(({ topic, partitions }) => {
    const seen: string[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      for (const { bytes } of world.log.readCommitted(topic, partition)) seen.push(bytes.join(","));
    }
    return [topic, seen.toSorted()];
  });
  world.release();
  return { verdict, findings, outputs, completed: records.latest !== null };
}

test(`the same run commits the same with each restore strategy (seed ${SEED})`, () => {
  const property = fc.property(anyRun(2), (run) => {
    const cell = cellOf(run);
    if (cell.mode === "at-least-once") return;
    const rescales = cell.rescaling !== "same";
    const valid = RESTORE_STRATEGIES.filter((restore) => invalidCombination({ ...cell, restore, rescales }) === null);
    const [first, ...others] = valid.map((restore) => outcomeOf(run, requestOf(run, { restore })));
    expect(first).toMatchObject({ verdict: "ok", findings: [], completed: true });
    for (const other of others) expect(other).toEqual(first);
  });
  reportFailure(fc.check(property, { seed: SEED, numRuns: 8 }));
}, TIMEOUT_MS);

test("the arbitraries shrink what they did not generate", () => {
  const run: DrawnRun = {
    shape: 2,
    cell: 100,
    seed: 77,
    bufferElements: 16,
    faults: [{ kind: "host-crash", process: 2, atMs: 4000, durationMs: 900 }],
    rescaleAtMs: 3000,
  };
  const arbitrary = anyRun(3);
  expect(arbitrary.canShrinkWithoutContext(run)).toBe(true);
  expect([...arbitrary.shrink(run, undefined)].length).toBeGreaterThan(10);
});
