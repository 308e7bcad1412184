import { describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import type { Flight } from "#whitewater/scenarios/flight.js";
import { flightsTwoThousand } from "#whitewater/scenarios/flights.js";
import { timers } from "#whitewater/scenarios/timers.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import { PrefixReference } from "#whitewater/simulator/reference/prefix-reference.js";
import type { PrefixSource, SubtaskState } from "#whitewater/simulator/reference/prefix-reference.js";
import type { ArrivingRecord, InputTopic, Scenario } from "#whitewater/simulator/scenario.js";
import { recordsOfSource } from "#whitewater/simulator/reference/source-records.js";
import { optionsOf, workloadOf } from "../../scenarios/seeded-workload.ts";

/** The reference of a scenario's job over a workload. */
function referenceOf(scenario: Scenario, inputs: readonly InputTopic[]): PrefixReference {
  return new PrefixReference(scenario.job(optionsOf(2)), (node): PrefixSource => {
    const partitions = recordsOfSource(node, inputs);
    const at = (partition: number, offset: number): ArrivingRecord => present(partitions[partition]?.[offset], "a record is there");
    return {
      lengths: partitions.map(({ length }) => length),
      emit: (partition, start, end, to) => {
        for (let offset = start; offset < end; offset += 1) {
          const { value, timestampMs } = at(partition, offset);
          to.collect(value, node.watermarks.timestampOf?.(value, timestampMs) ?? timestampMs);
        }
      },
    };
  });
}

const BEFORE_ANY = Number.MIN_SAFE_INTEGER;
const everything = (watermarkMs: number, entries: SubtaskState["entries"]): SubtaskState => ({ watermarkMs, entries, owns: () => true });

describe("a reduce", () => {
  const inputs = workloadOf(wordCount, 4);
  const partitions = inputs[0]?.partitions ?? [];

  test("is expected to hold the records before the offsets and no others, at every cut", () => {
    const reference = referenceOf(wordCount, inputs);
    expect(reference.covered()).toEqual(["sum"]);
    for (const share of [0, 0.1, 0.1, 0.5, 1]) {
      const offsets = partitions.map((records, i) => Math.floor(records.length * (i % 2 === 0 ? share : share * share)));
      reference.advanceTo(new Map([["words", offsets]]));
      const counts = new Map<string, number>();
      partitions.forEach((records, i) => {
        for (const { value } of records.slice(0, offsets[i])) {
          const { word } = value as { readonly word: string };
          counts.set(word, (counts.get(word) ?? 0) + 1);
        }
      });
      const expected = reference.expected("sum", () => BEFORE_ANY);
      expect(new Map(expected.map(({ key, value }) => [key, (value as { readonly count: number }).count]))).toEqual(counts);
      expect(reference.compare("sum", [everything(BEFORE_ANY, expected)])).toBe(null);
    }
  });

  test("differences are found: a value, an entry missing, one too many, one twice", () => {
    const reference = referenceOf(wordCount, inputs);
    reference.advanceTo(new Map([["words", partitions.map(() => 50)]]));
    const good = reference.expected("sum", () => BEFORE_ANY);
    const [first, ...rest] = good;
    if (first === undefined) throw new Error("no state after 200 words");
    const compare = (entries: SubtaskState["entries"]): unknown => reference.compare("sum", [everything(BEFORE_ANY, entries)]);
    const wrong = { word: first.key, count: 1000 };
    expect(compare([{ ...first, value: wrong }, ...rest])).toEqual({ key: first.key, namespace: "", expected: first.value, actual: wrong });
    expect(compare(rest)).toEqual({ key: first.key, namespace: "", expected: first.value, actual: undefined });
    expect(compare([...good, { ...first, key: "xyzzy" }])).toEqual({ key: "xyzzy", namespace: "", expected: undefined, actual: first.value });
    expect(compare([...good, first])).toMatchObject({ key: first.key, expected: undefined });
    expect(compare([...good, { ...first, namespace: 5 }])).toMatchObject({ key: first.key, namespace: 5, expected: undefined });
    expect(compare(good)).toBe(null);
  });

  test("cuts only move forward, inside the partitions", () => {
    const reference = referenceOf(wordCount, inputs);
    reference.advanceTo(new Map([["words", partitions.map(() => 10)]]));
    expect(() => reference.advanceTo(new Map([["words", partitions.map(() => 9)]]))).toThrow(/only grow/);
    expect(() => reference.advanceTo(new Map([["words", [10]]]))).toThrow(/each partition/);
    expect(() => reference.advanceTo(new Map([["letters", []]]))).toThrow(/"letters"/);
  });
});

describe("windows", () => {
  const inputs = workloadOf(flightsTwoThousand, 9);
  const partitions = inputs[0]?.partitions ?? [];
  const [FIRST_END, DAY_MS] = [Date.UTC(2001, 0, 29), 86_400_000];

  test("those that the watermark of their subtask has passed are gone, the others hold the records before the cut", () => {
    const reference = referenceOf(flightsTwoThousand, inputs);
    expect(reference.covered()).toEqual(["delays"]);
    const offsets = partitions.map((records) => records.findIndex(({ timestampMs }) => timestampMs > FIRST_END + 10 * DAY_MS));
    reference.advanceTo(new Map([["flights", offsets]]));
    const flights = partitions.flatMap((records, i) => records.slice(0, offsets[i]).map(({ value }) => value as Flight));
    const total = (entries: SubtaskState["entries"]): number =>
      entries.reduce((sum, { value }) => sum + (value as { readonly flights: number }).flights, 0);

    const atFirst = reference.expected("delays", () => FIRST_END - 2);
    expect(total(atFirst)).toBe(flights.length);
    const later = reference.expected("delays", () => FIRST_END - 1);
    expect(total(later)).toBe(flights.filter(({ departureMs }) => departureMs >= FIRST_END).length);
    expect(total(later)).toBeGreaterThan(0);
    expect(later.every(({ namespace }) => namespace === FIRST_END)).toBe(true);

    // Two subtasks, of which only one has let the first window go.
    const isFast = (key: unknown): boolean => String(key) < "M";
    const slow: SubtaskState = { watermarkMs: FIRST_END - 2, owns: (key) => !isFast(key), entries: atFirst.filter(({ key }) => !isFast(key)) };
    const fast: SubtaskState = { watermarkMs: FIRST_END - 1, owns: isFast, entries: later.filter(({ key }) => isFast(key)) };
    const tooMuch: SubtaskState = { ...fast, entries: atFirst.filter(({ key }) => isFast(key)) };
    expect(reference.compare("delays", [slow, tooMuch])).toMatchObject({ expected: undefined });
    expect(reference.compare("delays", [slow, fast])).toBe(null);
    expect(reference.compare("delays", [slow, fast])).toBe(null);
    expect(reference.compare("delays", [{ ...slow, entries: slow.entries.slice(1) }, fast])).toMatchObject({ actual: undefined });
  });
});

test("what depends on timers is not covered", () => {
  const reference = referenceOf(timers, workloadOf(timers, 1));
  expect(reference.covered()).toEqual([]);
  expect(() => reference.expected("silences", () => 0)).toThrow(/covered/);
});
