import { describe, expect, test } from "vitest";
import { libraryScenarios, scenarioNamed, scenarios } from "#whitewater/scenarios/registry.js";
import { interpret } from "#whitewater/simulator/reference/interpreter.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { optionsOf, reinterleaved, workloadOf } from "./seeded-workload.ts";

/** Checkpoint intervals that a workload lasts at least. */
const INTERVALS = 20;
const INTERVALS_IN_MATRIX = 10;

/** Output values by sink and key, in order; the key is that of the output topic the sink writes, the value itself where no order is promised. */
function outputsByKey(scenario: Scenario, inputs: ReturnType<typeof workloadOf>): unknown {
  const graph = scenario.job(optionsOf(2));
  const topicOf = new Map<string, string>();
  for (const node of graph.nodes) if (node.kind === "sink") topicOf.set(node.uid, node.sink.name);
  const { outputs, state } = interpret(graph, inputs);
  const byKey = new Map<string, unknown[]>();
  for (const [uid, values] of outputs) {
    const topic = topicOf.get(uid) ?? "";
    const keyOf = scenario.outputs.find((output) => output.topic === topic)?.keyOf ?? JSON.stringify;
    for (const value of values) {
      const key = `${topic}/${keyOf(value)}`;
      byKey.set(key, [...(byKey.get(key) ?? []), value]);
    }
  }
  const sorted = (map: ReadonlyMap<string, unknown>): unknown => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return { outputs: sorted(byKey), state: [...state].map(([uid, byStateKey]) => [uid, sorted(byStateKey)]) };
}

/** Their state expires in processing time: no interpreter knows when, and the surviving history judges them. */
const UNFORESEEABLE: readonly string[] = ["deduplication"];

function countOf(scenario: Scenario, inputs: ReturnType<typeof workloadOf>): number {
  return [...interpret(scenario.job(optionsOf(1)), inputs).outputs.values()].flat().length;
}

describe.each(named(libraryScenarios))("$name", ({ name, scenario }) => {
  test("can be found by its name and describes itself", () => {
    expect(scenarioNamed(name)).toBe(scenario);
    expect(scenario.title).not.toMatch(/\n/);
    expect(scenario.doc).toMatch(/\nHunts: /);
    expect(new Set(scenario.sometimes).size).toBe(scenario.sometimes.length);
  });

  test("builds an equal job at every call, for each of its parallelisms, which its cluster can hold", () => {
    const { workers, slotsPerWorker } = scenario.cluster;
    for (const parallelism of scenario.parallelisms) {
      const [graph, again] = [scenario.job(optionsOf(parallelism)), scenario.job(optionsOf(parallelism))];
      expect(again).not.toBe(graph);
      expect(again.nodes.map(({ uid, kind }) => [uid, kind])).toEqual(graph.nodes.map(({ uid, kind }) => [uid, kind]));
      expect(Math.max(...graph.nodes.map((node) => node.parallelism))).toBeLessThanOrEqual(workers * slotsPerWorker);
      expect(graph.config.checkpoint?.intervalMs).toBe(name.startsWith("matrix-") ? 400 : 1000);
      expect(graph.config.restart.kind).not.toBe("none");
    }
  });

  test("every sink writes a declared output topic, and every topic that is read is in the workload", () => {
    const graph = scenario.job(optionsOf(2));
    const sinks = graph.nodes.flatMap((node) => (node.kind === "sink" ? [node.sink.name] : []));
    expect(sinks.sort()).toEqual(scenario.outputs.map(({ topic }) => topic).sort());
    const count = (): number => countOf(scenario, workloadOf(scenario, 1));
    if (UNFORESEEABLE.includes(name)) expect(count).toThrow(/nobody can foretell/);
    else expect(count()).toBeGreaterThan(0);
  });

  test("the same seed gives the same input, in order of arrival, spread over many checkpoint intervals", () => {
    const inputs = workloadOf(scenario, 7);
    expect(workloadOf(scenario, 7)).toEqual(inputs);
    const intervalMs = scenario.job(optionsOf(1)).config.checkpoint?.intervalMs ?? 0;
    const busy = new Set<number>();
    for (const { partitions } of inputs) {
      expect(workloadOf(scenario, 8)).not.toEqual(inputs);
      const arrivals = partitions.map((records) => records.map((record) => record.arrivesAtUs));
      for (const times of arrivals) expect(times).toEqual([...times].sort((a, b) => a - b));
      for (const atUs of arrivals.flat()) busy.add(Math.floor(atUs / (intervalMs * 1000)));
    }
    if (inputs.length > 0) expect(busy.size).toBeGreaterThanOrEqual(name.startsWith("matrix-") ? INTERVALS_IN_MATRIX : INTERVALS);
    if (inputs.length === 0) expect(name).toMatch(/^founding-/);
  });
});

describe.each(named(libraryScenarios.filter(({ confluent }) => confluent)))("$name is confluent", ({ name, scenario }) => {
  test("however its partitions interleave, each key's output and the final state are the same", () => {
    for (const seed of name === "flights-20k" ? [1] : [1, 2, 3]) {
      const inputs = workloadOf(scenario, seed);
      const expected = outputsByKey(scenario, inputs);
      for (let other = 0; other < 4; other++) {
        expect(outputsByKey(scenario, reinterleaved(inputs, seed * 100 + other))).toEqual(expected);
      }
    }
  });
});

describe.each(named(libraryScenarios.filter(({ confluent, name }) => !confluent && !UNFORESEEABLE.includes(name))))("$name is not confluent", ({ scenario }) => {
  test("its output depends on how partitions interleave", () => {
    const inputs = workloadOf(scenario, 1);
    const expected = JSON.stringify(outputsByKey(scenario, inputs));
    const others = [1, 2, 3, 4, 5].map((seed) => JSON.stringify(outputsByKey(scenario, reinterleaved(inputs, seed))));
    expect(others.some((other) => other !== expected)).toBe(true);
  });
});

test("names are unique, and an unknown one is null", () => {
  expect(new Set(libraryScenarios.map(({ name }) => name)).size).toBe(libraryScenarios.length);
  expect(libraryScenarios.slice(0, scenarios.length)).toEqual(scenarios);
  expect(scenarioNamed("flight")).toBe(null);
});

test("founding-checkpointing counts each of its three events once", () => {
  const { outputs } = interpret(present(scenarioNamed("founding-checkpointing")).job(optionsOf(2)), []);
  const expected = ["event1", "event2", "event3"].map((event) => ({ event, count: 1 }));
  expect([...outputs.values()]).toEqual([expected]);
});

test("the running counts of word-count are 1, 2, 3 …, and some words are far more frequent than others", () => {
  const scenario = present(scenarioNamed("word-count"));
  const inputs = workloadOf(scenario, 5);
  const counts = new Map<string, number>();
  for (const value of [...interpret(scenario.job(optionsOf(2)), inputs).outputs.values()].flat()) {
    const { word, count } = value as { readonly word: string; readonly count: number };
    expect(count).toBe((counts.get(word) ?? 0) + 1);
    counts.set(word, count);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  expect(total).toBe(inputs[0]?.partitions.flat().length);
  expect(total).toBeGreaterThanOrEqual(600);
  expect(Math.max(...counts.values())).toBeGreaterThan((3 * total) / counts.size);
});

function present<T>(value: T | null): T {
  if (value === null) throw new Error("not there");
  return value;
}

function named(list: readonly Scenario[]): { readonly name: string; readonly scenario: Scenario }[] {
  return list.map((scenario) => ({ name: scenario.name, scenario }));
}
