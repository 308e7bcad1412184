import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { isKeyed } from "#whitewater/engine/graph/keyed-node.js";
import type { StreamNode } from "#whitewater/engine/graph/stream-graph.js";
import { liveTasks, operatorIn } from "#whitewater/reports/views/inspect/live-tasks.js";
import { presentGraph } from "#whitewater/reports/views/inspect/operator-names.js";
import type { ReferenceComparison } from "#whitewater/reports/views/inspect/state-reference.js";
import { compareWithReference } from "#whitewater/reports/views/inspect/state-reference.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { keyGroupOf } from "#whitewater/engine/stream/key-groups.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";
import { sameValue } from "#whitewater/simulator/reference/structural-equality.js";
import type { World } from "#whitewater/simulator/world/world.js";
import { firstStep, smallJourney } from "./small-journeys.ts";

let libraries: StateLibraries;
beforeAll(async () => {
  libraries = await loadStateLibraries();
});

function keyedNodes(world: World): readonly StreamNode[] {
  return presentGraph(world).vertices.flatMap(({ chain }) => chain.filter(isKeyed));
}

/** How many comparisons there were of each kind along a run; any difference throws. */
function compareAlong(journey: Journey, stride: number): Readonly<Record<"now" | "checkpoint" | "nothing", number>> {
  const counts = { now: 0, checkpoint: 0, nothing: 0 };
  for (let step = 0; step <= journey.tape.steps; step += stride) {
    const world = journey.machine.seek(step);
    for (const node of keyedNodes(world)) {
      const { at, said, changes } = compareWithReference(world, node);
      expect(changes, `step ${step}, ${node.uid}: ${said.join("; ")}`).toEqual([]);
      expect(said.filter((text) => text.startsWith("! "))).toEqual([]);
      counts[at === "now" ? "now" : at === null ? "nothing" : "checkpoint"] += 1;
    }
  }
  return counts;
}

describe("the state of a run in which nothing is wrong", () => {
  const runs: readonly (readonly [string, string, Partial<RunOptions>])[] = [
    ["word-count", "5", { backend: "heap", mode: "aligned" }],
    ["word-count", "12", { backend: "changelog:heap", mode: "unaligned" }],
    ["word-count", "6", { backend: "lsm", mode: "aligned-timeout" }],
    ["word-count", "7", { backend: "heap", mode: "at-least-once" }],
    ["matrix-between", "3", { backend: "heap", mode: "unaligned" }],
    ["timers", "3", { backend: "heap" }],
    ["two-pipelines", "4", { backend: "heap", failover: "region" }],
  ];
  test.each(runs)("is the reference's at every step: %s@%s %o", (scenario, seed, fixed) => {
    const journey = smallJourney(scenario, seed, { fixed }, libraries);
    const { now, checkpoint } = compareAlong(journey, Math.ceil(journey.tape.steps / 40));
    journey.machine.release();
    // Between a failure and the next attempt there is no state to compare.
    expect(now).toBeGreaterThan(3 * checkpoint);
  });
});

describe("windows that a watermark has passed", () => {
  test("are what they must be while the timers that clear them still fire", () => {
    const journey = smallJourney("flights-20k", "1", { fixed: { backend: "heap", mode: "aligned", parallelism: 1, parallelismAfter: 1 } });
    const isHalfDelivered = (step: number): boolean => {
      for (const { task } of liveTasks(journey.machine.seek(step))) {
        for (const { keyed } of task.chain.operators) {
          if (keyed !== null && task.watermarks.isPending && keyed.inspectTimers().eventTime.some(({ timestampMs }) => timestampMs <= keyed.watermarkMs)) return true;
        }
      }
      return false;
    };
    const step = firstStep(journey, 1, isHalfDelivered);
    const world = journey.machine.seek(step);
    expect(keyedNodes(world).map((node) => compareWithReference(world, node)).map(({ at, changes }) => [at, changes])).toEqual([["now", []]]);
    journey.machine.release();
  });
});

describe("what is wrong with the state of an operator", () => {
  let journey: Journey;
  let step: number;
  beforeAll(() => {
    const throws = { id: "throws", kind: "user-exception", at: { on: "event", event: "userCall", subject: "sum[0]", x: null, nth: 150, when: "before" } } as const;
    journey = smallJourney("word-count", "5", { fixed: { backend: "heap", mode: "aligned" }, plan: [throws] });
    step = firstStep(journey, 1_000, (one) => one % 50 === 0 && compared(one).at === "now");
  });
  afterAll(() => journey.machine.release());

  function nodeOf(world: World): StreamNode {
    return keyedNodes(world)[0] as StreamNode;
  }

  function compared(at: number): ReferenceComparison {
    const world = journey.machine.seek(at);
    return compareWithReference(world, nodeOf(world));
  }

  /** The World at a step of its own, to be spoilt, and the backend that has the key. */
  function spoilt(key: string, spoil: (backend: KeyedBackend) => void): readonly (readonly [string, unknown, unknown])[] {
    const { world, advance } = bound();
    while (world.kernel.stepNumber < step) advance();
    const backends = liveTasks(world).flatMap((live) => operatorIn(live, "sum")?.keyed ?? []);
    const backend = backends.find((one) => one.entries({ read: () => null }).some((entry) => entry.key === key)) as KeyedBackend;
    backend.setCurrentKey(key);
    spoil(backend);
    const { changes } = compareWithReference(world, nodeOf(world));
    world.release();
    return changes.map(({ mark, before, now }) => [mark, before?.value, now?.value] as const);
  }

  function bound(): { readonly world: World; readonly advance: () => boolean } {
    const run = journey.run.plain();
    return { world: run.world, advance: () => run.advance() };
  }

  test("is a value that another one must be", () => {
    const changes = spoilt("the", (backend) => {
      const { state } = backend.bind(valueState<{ readonly value: object }>("reduce"));
      state.update({ ...(state.value() as { readonly value: object }), value: { word: "the", count: 0 } });
    });
    expect(changes).toEqual([["~", { word: "the", count: expect.any(Number) }, { word: "the", count: 0 }]]);
  });

  test("is a record that left no trace in the value", () => {
    const changes = spoilt("of", (backend) => {
      const { state } = backend.bind(valueState<{ readonly count: number }>("reduce"));
      const before = state.value() as { readonly count: number };
      state.update({ ...before, count: before.count + 1 });
    });
    expect(changes.map(([mark]) => mark)).toEqual(["~"]);
  });

  test("is another record, where they are as many", () => {
    const changes = spoilt("of", (backend) => {
      const { state } = backend.bind(valueState<{ readonly sum: number }>("reduce"));
      const before = state.value() as { readonly sum: number };
      state.update({ ...before, sum: before.sum + 1 });
    });
    expect(changes.map(([mark, before, now]) => [mark, sameValue(before, now)])).toEqual([["~", true]]);
  });

  test("is an entry that is not there, and one that must not be", () => {
    expect(spoilt("the", (backend) => backend.bind(valueState("reduce")).state.clear())).toEqual([["-", { word: "the", count: expect.any(Number) }, undefined]]);
    const changes = spoilt("the", (backend) => {
      const { start, end } = backend.range;
      const own = ["never", "not once", "no", "nobody", "nothing", "nowhere"].find((key) => keyGroupOf(key, 32) >= start && keyGroupOf(key, 32) <= end);
      backend.setCurrentKey(own as string);
      backend.bind(valueState<object>("reduce")).state.update({ id: 0, value: "x", node: 1, count: 2, sum: 0 });
    });
    expect(changes).toEqual([["+", undefined, "x"]]);
  });

  test("is told of the latest checkpoint, and why, where the tasks are not there", () => {
    const failed = firstStep(journey, step, (one) => journey.tape.pointsOf(one).some(({ event }) => event === "taskFailed"));
    const { at, said, changes } = compared(failed);
    expect(at).toEqual({ checkpointId: expect.any(Number) });
    expect(said[0]).toMatch(/^not as it is now: .* at this moment$/);
    expect(changes).toEqual([]);
  });
});

describe("at the end of the input", () => {
  test("the values of a process function are known too, and one that is wrong is found", () => {
    const journey = smallJourney("resume-from-checkpoint", "1", { fixed: { backend: "heap", mode: "aligned" } });
    const ended = (world: World): ReferenceComparison | null => {
      const compared = compareWithReference(world, keyedNodes(world)[0] as StreamNode);
      return compared.at === "now" && compared.said[0]?.includes("at the end of the input") === true ? compared : null;
    };
    const inputEnded = firstStep(journey, 1, (step) => journey.tape.pointsOf(step).some(({ event, subject }) => event === "inputEnded" && subject.startsWith("routes")));
    const step = firstStep(journey, inputEnded, (one) => ended(journey.machine.seek(one)) !== null);
    expect(ended(journey.machine.seek(step))?.changes).toEqual([]);
    const { world } = journey.machine;
    const backend = liveTasks(world).flatMap((live) => operatorIn(live, "routes")?.keyed ?? []).find((one) => one.entries({ read: () => null }).length > 0) as KeyedBackend;
    const { key, value } = backend.entries({ read: () => null }).find(({ state }) => state === "scans") as { readonly key: string; readonly value: number };
    backend.setCurrentKey(key);
    backend.bind(valueState("scans", 0)).state.update(value + 1);
    expect(ended(world)?.changes.map(({ mark, before, now }) => [mark, before?.value, now?.key, now?.value])).toEqual([["~", value, key, value + 1]]);
    journey.machine.release();
  });
});

describe("where nothing can be said, it says so", () => {
  test("before a checkpoint, of a job that depends on how its inputs meet, of records without ids, of operators without keys", () => {
    const journey = smallJourney("word-count", "5");
    const world = journey.machine.seek(0);
    expect(compareWithReference(world, keyedNodes(world)[0] as StreamNode)).toMatchObject({ at: null, said: [expect.stringContaining("not as it is now"), expect.stringContaining("no checkpoint has completed")] });
    const source = presentGraph(world).vertices[0]?.chain[0] as StreamNode;
    expect(compareWithReference(world, source)).toMatchObject({ at: null, said: [expect.stringContaining("keeps no keyed state")] });
    journey.machine.release();
    const late = smallJourney("flights-late", "1");
    const lateWorld = late.machine.seek(500);
    expect(compareWithReference(lateWorld, keyedNodes(lateWorld)[0] as StreamNode)).toMatchObject({ at: null, said: [expect.stringContaining("depends on how its inputs meet")] });
    late.machine.release();
    const plain = smallJourney("word-count", "5", { oracles: false });
    const plainWorld = plain.machine.seek(1_000);
    expect(compareWithReference(plainWorld, keyedNodes(plainWorld)[0] as StreamNode)).toMatchObject({ at: null, said: [expect.stringContaining("carry no ids")] });
    plain.machine.release();
  });
});
