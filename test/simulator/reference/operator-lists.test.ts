import fc from "fast-check";
import { expect, test } from "vitest";
import { listState, mapState } from "#whitewater/engine/state/descriptors.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { redistributeOperatorState } from "#whitewater/engine/state/operator-state-redistribution.js";
import { listsAfterRestore } from "#whitewater/simulator/reference/operator-lists.js";
import type { OperatorLists } from "#whitewater/simulator/reference/operator-lists.js";
import { readOperatorSection } from "#whitewater/simulator/reference/operator-section-reader.js";

const SEED = 20_261_125;

function lists(split: Readonly<Record<string, readonly unknown[]>>): OperatorLists {
  return new Map(Object.entries(split).map(([name, elements]) => [name, { name, mode: "split", elements }]));
}

/** The elements of a list, by new subtask. */
function dealt(old: readonly OperatorLists[], parallelism: number, name: string): unknown[][] {
  return Array.from({ length: parallelism }, (_, subtask) => [...(listsAfterRestore(old, parallelism, subtask).get(name)?.elements ?? [])]);
}

test.each<[readonly (readonly unknown[])[], readonly (readonly unknown[])[]]>([
  [[["a", "b"], ["c", "d"], ["e"]], [["a", "b", "c"], ["d", "e"]]],
  [[["a", "b"], ["c", "d"], ["e"]], [["a", "b"], ["c"], ["d"], ["e"]]],
  [[["a", "b"], ["c", "d"], ["e"]], [["a"], ["b"], ["c"], ["d"], ["e"], [], []]],
  [[[0, 1, 2, 3, 4, 5, 6]], [[0, 1, 2], [3, 4], [5, 6]]],
  [[["1"], ["2"]], [["1"], ["2"]]],
])("split lists %j are dealt out as %j (Flink's vectors)", (old, expected) => {
  expect(dealt(old.map((elements) => lists({ s: elements })), expected.length, "s")).toEqual(expected);
});

test("the pieces of the next name begin with the subtask that got the first of the shorter ones", () => {
  const old = [lists({ s: ["a", "b", "c"], t: ["T", "U", "V"] }), lists({})];
  expect(dealt([...old, lists({})], 2, "s")).toEqual([["a", "b"], ["c"]]);
  expect(dealt([...old, lists({})], 2, "t")).toEqual([["V"], ["T", "U"]]);
});

const subtask = fc.record({
  split: fc.dictionary(fc.constantFrom("a", "d", "z"), fc.array(fc.nat(99), { maxLength: 9 })),
  union: fc.array(fc.nat(99), { maxLength: 4 }),
  broadcast: fc.array(fc.tuple(fc.constantFrom("k", "l"), fc.nat(9)), { maxLength: 3 }),
  keeps: fc.boolean(),
});

test("after a restore each subtask has what the engine's own rules give it", () => {
  fc.assert(
    fc.property(fc.array(subtask, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 6 }), (old, parallelism) => {
      const sections = old.map(({ split, union, broadcast, keeps }) => {
        const backend = new OperatorStateBackend();
        if (!keeps) return backend.bytes();
        for (const [name, elements] of Object.entries(split)) backend.update(name, elements);
        if (union.length > 0) backend.unionListState(listState<number>("b")).addAll(union);
        for (const [key, value] of broadcast) backend.broadcastState(mapState<string, number>("c")).put(key, value);
        return backend.bytes();
      });
      const expected = redistributeOperatorState(sections, parallelism).map(readOperatorSection);
      const read = sections.map((section) => (section.length === 0 ? null : readOperatorSection(section)));
      expect(expected.map((_, index) => listsAfterRestore(read, parallelism, index))).toEqual(expected);
    }),
    { numRuns: 500, seed: SEED },
  );
});
