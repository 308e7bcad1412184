import { beforeAll, describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { journeyOf, type Journey } from "#whitewater/reports/travel/journey.js";
import type { CheckpointSpan } from "#whitewater/reports/travel/checkpoint-span.js";
import { runIndexOf } from "#whitewater/reports/travel/run-index.js";
import type { CheckpointDetail, CheckpointFacts, CheckpointsFacts } from "#whitewater/reports/views/checkpoints-facts.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { show } from "#whitewater/reports/views/show.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const crash: Fault = { id: "crash", kind: "process-crash", process: "worker-2", at: { on: "event", event: "checkpointTriggered", subject: "jm-1", x: 2, nth: 1, when: "after" } };
const request: RunRequest = { seed: "1", profile: "calm", fixed: {}, plan: [crash], oracles: true, checked: false, maxSteps: 5_000_000 };
const fruit: Journey = journeyOf(new Simulator(tour), request);
let libraries: StateLibraries;
let shared: Journey;
beforeAll(async () => {
  libraries = await loadStateLibraries();
  const fixed = { backend: "lsm", restore: "incremental", mode: "unaligned", parallelism: 2, parallelismAfter: 2 } as const;
  shared = journeyOf(new Simulator(wordCount, libraries), { ...request, seed: "2", fixed, plan: [] });
});

function spanOf(journey: Journey, id: number): CheckpointSpan {
  return present(runIndexOf(journey.tape).checkpoints.find(({ checkpointId }) => checkpointId === id), "the checkpoint was triggered");
}

function listAt(journey: Journey, step: number): readonly CheckpointFacts[] {
  return (show("checkpoints", journey, step).facts as CheckpointsFacts).checkpoints;
}

function detailAt(journey: Journey, step: number, id: number): CheckpointDetail {
  return show(`checkpoints:${id}`, journey, step).facts as CheckpointDetail;
}

function linesOf(what: string, journey: Journey, step: number): readonly string[] {
  return show(what, journey, step).lines.map(textOf);
}

describe("checkpoints", () => {
  test("are known from their trigger on, and not before", () => {
    const { triggerStep } = spanOf(fruit, 1);
    expect(listAt(fruit, triggerStep - 1)).toEqual([]);
    expect(linesOf("checkpoints", fruit, triggerStep - 1)).toEqual(["  no checkpoint was triggered yet"]);
    const [first] = listAt(fruit, triggerStep);
    expect(first).toMatchObject({ checkpointId: 1, state: "running", changed: true, acknowledged: 0, tookUs: 0, decidedStep: null, mode: "aligned", leader: "jm-1" });
    expect(first?.subtasks.map(({ subtask }) => subtask)).toEqual(["tills[0]", "tills[1]", "totals -> report[0]", "totals -> report[1]"]);
  });

  test("say how far each subtask is, as of the step", () => {
    const { triggerStep, acks, completeStep } = spanOf(fruit, 1);
    const counts: number[] = [];
    for (let step = triggerStep; step <= (completeStep ?? 0); step += 1) {
      const now = present(listAt(fruit, step)[0], "it is known");
      expect(now.acknowledged).toBe(acks.filter((ack) => ack.step <= step).length);
      for (const one of now.subtasks) {
        const order = [one.triggeredUs ?? one.barrierUs, one.alignedUs, one.takenUs, one.durableUs, one.acknowledgedUs].filter((us) => us !== null);
        expect(order).toEqual([...order].sort((left, right) => left - right));
        for (const us of order) expect(us).toBeLessThanOrEqual(fruit.tape.timeUsOf(step));
        expect(one.acknowledgedUs === null || one.durableUs !== null).toBe(true);
        expect(one.subtask.startsWith("tills") ? one.barriers : one.triggeredUs ?? 0).toBe(0);
      }
      counts.push(now.subtasks.filter(({ takenUs }) => takenUs !== null).length);
      expect(now.state).toBe(step < (completeStep ?? 0) && fruit.machine.world.coordination.peek("job/checkpoints/1").value === null ? "running" : "complete");
    }
    expect(counts.at(0)).toBe(0);
    expect(counts.at(-1)).toBe(4);
    const waiting = linesOf("checkpoints", fruit, present(acks[0], "somebody acknowledged").step);
    expect(waiting.at(-1)).toMatch(/^ {6}waits for .*(totals -> report\[0\] \((no barrier yet|aligning|aligned|snapshot taken|durable)\))/);
  });

  test("that are given up say why, those that made room for another one are subsumed", () => {
    const second = spanOf(fruit, 2);
    const abortStep = present(second.abortStep, "its worker died");
    expect(listAt(fruit, abortStep)[1]).toMatchObject({ state: "aborted", reason: "its tasks failed, or were lost", changed: true });
    expect(listAt(fruit, abortStep + 1)[1]).toMatchObject({ state: "aborted", changed: false });
    expect(linesOf("checkpoints", fruit, abortStep + 1)).toContain("      its tasks failed, or were lost");
    expect(linesOf("checkpoints", fruit, abortStep + 1).some((text) => /^! 2 +aborted/.test(text))).toBe(true);
    const end = listAt(fruit, fruit.tape.steps);
    expect(end.slice(0, -1).every(({ state }) => state === "subsumed" || state === "aborted" || state === "complete")).toBe(true);
    expect(end.filter(({ state }) => state === "subsumed").map(({ checkpointId }) => checkpointId)).toContain(1);
    expect(end.at(-1)?.state).toBe("complete");
  });

  test("have the bytes that their metadata names", () => {
    for (const journey of [fruit, shared]) {
      const { steps } = journey.tape;
      for (const { checkpointId, state, ownBytes, sharedBytes, reusedBytes, kind } of listAt(journey, steps)) {
        if (state !== "complete") continue;
        const { files } = detailAt(journey, steps, checkpointId);
        const bytes = (what: string): number => files.files.filter((file) => file.what === what).reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0);
        expect(kind).toBe("checkpoint");
        // What finished tasks left is part of it, and was written for an earlier one.
        expect(bytes("own")).toBeGreaterThanOrEqual(ownBytes);
        expect(bytes("shared")).toBeGreaterThanOrEqual(sharedBytes + reusedBytes);
      }
    }
    const complete = present(runIndexOf(shared.tape).checkpoints[2], "it has three checkpoints");
    const step = present(complete.completeStep, "it completed");
    const facts = present(listAt(shared, step)[2], "it is known");
    const { files } = detailAt(shared, step, complete.checkpointId).files;
    const bytes = (what: string): number => files.filter((file) => file.what === what).reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0);
    expect([facts.ownBytes, facts.sharedBytes + facts.reusedBytes]).toEqual([bytes("own"), bytes("shared")]);
    expect(facts.reusedBytes).toBeGreaterThan(0);
    expect(facts.mode).toBe("unaligned");
  });

  test("show their files, who shares them, and whether they are there", () => {
    const { steps } = shared.tape;
    const complete = listAt(shared, steps).filter(({ state }) => state === "complete");
    const last = present(complete.at(-1), "one is complete").checkpointId;
    const { files, metadata } = detailAt(shared, steps, last).files;
    expect(metadata).toBe("read");
    expect(files[0]).toMatchObject({ what: "metadata", state: "there" });
    for (const { key, sizeBytes, state } of files) expect([key, shared.machine.world.blobs.peek(key)?.length, state]).toEqual([key, sizeBytes, "there"]);
    const others = complete.map(({ checkpointId }) => checkpointId).filter((id) => id !== last);
    for (const { key, what, sharedWith } of files) {
      const expected = others.filter((id) => detailAt(shared, steps, id).files.files.some((file) => file.key === key));
      expect(sharedWith).toEqual(expected);
      if (what !== "shared") expect(sharedWith).toEqual([]);
    }
    const lines = linesOf(`checkpoints:${last}`, shared, steps);
    expect(lines[0]).toBe(`  checkpoint ${last}  complete`);
    for (const { key } of files) expect(lines.some((text) => text.startsWith(`  ${key}`))).toBe(true);
  });

  test("name what lies in the folder of one without a record, and what its record names and is gone", () => {
    const second = spanOf(fruit, 2);
    const { files } = detailAt(fruit, present(second.abortStep, "it was given up"), 2);
    expect(files.metadata).toBe("no record");
    expect(files.files).toEqual([]);
    const step = present(spanOf(fruit, 1).completeStep, "it completed");
    const world = fruit.machine.seek(step);
    const key = present(detailAt(fruit, step, 1).files.files.find(({ what }) => what === "own")?.key, "it has files");
    // A hole in the store, as a wrong engine would leave it; this World is given up below.
    const held = world.blobs.keep();
    (world.blobs as unknown as { peek: (wanted: string) => Uint8Array | null }).peek = (wanted) => (wanted === key ? null : (held.get(wanted) ?? null));
    expect(detailAt(fruit, step, 1).files.files.find((file) => file.key === key)?.state).toBe("missing");
    expect(linesOf("checkpoints:1", fruit, step).some((text) => text.startsWith(`! ${key}`) && text.endsWith("missing"))).toBe(true);
    delete (world.blobs as unknown as { peek?: unknown }).peek;
  });

  test("that are savepoints are called so", () => {
    const upgrade = present(scenarioNamed("rolling-upgrade"), "the scenario exists");
    const journey = journeyOf(new Simulator(upgrade, libraries), { ...request, seed: "4", profile: "swarm", fixed: { backend: "heap" }, plan: null });
    const savepoint = present(runIndexOf(journey.tape).checkpoints.find(({ isSavepoint }) => isSavepoint), "it has one");
    const { checkpointId, completeStep } = savepoint;
    expect(listAt(journey, completeStep ?? 0).find((one) => one.checkpointId === checkpointId)).toMatchObject({ kind: "savepoint", state: "complete", mode: "aligned" });
    expect(linesOf("checkpoints", journey, completeStep ?? 0).some((text) => text.startsWith(`* ${checkpointId} savepoint`))).toBe(true);
    journey.machine.release();
  });

  test.each(["99", "x", "-1"])("%j is none of them", (id) => {
    expect(() => show(`checkpoints:${id}`, fruit, fruit.tape.steps)).toThrow(/is not known at step \d+.*choose one of 1 to \d+/s);
    expect(() => show("checkpoints:2", fruit, 1)).toThrow(/none was triggered by then/);
  });
});
