import fc from "fast-check";
import { expect, test } from "vitest";
import { invalidCombination, RESTORE_STRATEGIES } from "#whitewater/engine/graph/job-modes.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { CheckpointRecords } from "#whitewater/simulator/oracles/checkpoint-records.js";
import { sectionsOf } from "#whitewater/simulator/oracles/recorded-state.js";
import { shadowOf, userValue } from "#whitewater/simulator/oracles/shadows.js";
import { canonicalKey } from "#whitewater/simulator/reference/canonical-key.js";
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

/** What a run comes to. */
interface Outcome {
  readonly verdict: string;
  readonly findings: readonly unknown[];
  readonly outputs: readonly unknown[];
  readonly completed: boolean;
  readonly state: readonly string[];
}

/** One line for each thing that the last checkpoint holds, whichever subtask has it, as the independent readers find it. */
function stateOf(records: CheckpointRecords, { nodes }: StreamGraph): readonly string[] {
  const { latest, states } = records;
  return nodes.flatMap((node) => {
    const operator = latest === null ? null : states.operatorIn(latest, node.uid);
    if (operator === undefined) throw new Error(`the bytes of ${node.name} are not known`);
    // What a sink has yet to commit goes by the attempts and checkpoints of the run; what it committed is compared.
    const lists = operator === null || node.kind === "sink" ? [] : operator.parts.flatMap((part) => [...(part?.lists.values() ?? [])]);
    const keyed = operator === null ? [] : sectionsOf(operator);
    const lines = [
      ...lists.flatMap(({ name, mode, elements }) => elements.map((element) => ["list", name, mode, element])),
      ...keyed.flatMap(({ entries }) => entries.map(({ state, key, namespace, value }) => {
        return ["entry", state, canonicalKey(key), namespace, shadowOf(node, value), userValue(node, value)];
      })),
      ...keyed.flatMap(({ eventTimers }) => eventTimers.map(({ key, namespace, timestampMs }) => ["timer", canonicalKey(key), namespace, timestampMs])),
      ...keyed.flatMap(({ processingTimers }) => processingTimers.map(({ key, namespace, timestampMs }) => ["late", canonicalKey(key), namespace, timestampMs])),
    ];
    return lines.map((line) => `${node.name}: ${JSON.stringify(line)}`).toSorted();
  });
}

/** What consumers saw in the end, in order within each partition, and the state in the last checkpoint. */
function outcomeOf(run: DrawnRun, request: RunRequest): Outcome {
  const prepared = simulatorOf(run).prepare(request);
  if ("verdict" in prepared) throw new Error("the plan is refused");
  const { world } = prepared;
  const records = CheckpointRecords.of(world);
  prepared.runToEnd();
  const state = stateOf(records, prepared.preparation.graph);
  const { verdict, findings } = prepared.conclude();
  const outputs = world.options.scenario.outputs.map(({ topic, partitions }) => {
    const seen: string[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      for (const { bytes } of world.log.readCommitted(topic, partition)) seen.push(bytes.join(","));
    }
    return [topic, seen.toSorted()];
  });
  world.release();
  return { verdict, findings, outputs, completed: records.latest !== null, state };
}

test(`the same run commits the same, and ends in the same state, with each restore strategy (seed ${SEED})`, () => {
  const property = fc.property(anyRun(2), (run) => {
    const cell = cellOf(run);
    if (cell.mode === "at-least-once") return;
    const rescales = cell.rescaling !== "same";
    const valid = RESTORE_STRATEGIES.filter((restore) => invalidCombination({ ...cell, restore, rescales }) === null);
    const [first, ...others] = valid.map((restore) => outcomeOf(run, requestOf(run, { restore })));
    expect(first).toMatchObject({ verdict: "ok", findings: [], completed: true });
    // Where windows are over, the offsets of the sources are what is left.
    expect(first?.state.length).toBeGreaterThan(0);
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
