import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { listState, mapState } from "#whitewater/engine/state/descriptors.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { holdsUnionState, redistributeOperatorState } from "#whitewater/engine/state/operator-state-redistribution.js";
import { int32Serializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";

type Lists = Readonly<Record<string, readonly unknown[]>>;

function splitSection(lists: Lists): Uint8Array {
  const backend = new OperatorStateBackend();
  for (const [name, elements] of Object.entries(lists)) backend.update(name, elements);
  return backend.bytes();
}

function splitLists(section: Uint8Array, names: readonly string[]): Lists {
  const backend = new OperatorStateBackend();
  backend.restore(section);
  return Object.fromEntries(names.map((name) => [name, backend.get(name)]));
}

/** What becomes of one list, by subtask. */
function redistributed(old: readonly (readonly unknown[])[], parallelism: number): readonly (readonly unknown[])[] {
  const sections = redistributeOperatorState(old.map((list) => splitSection({ list })), parallelism);
  return sections.map((section) => splitLists(section, ["list"])["list"]!);
}

function unionSection(elements: readonly string[]): Uint8Array {
  const backend = new OperatorStateBackend();
  backend.unionListState(listState<string>("all")).addAll(elements);
  return backend.bytes();
}

function unionOf(section: Uint8Array): readonly string[] {
  const backend = new OperatorStateBackend();
  backend.restore(section);
  return backend.unionListState(listState<string>("all")).get();
}

describe("split lists", () => {
  it.each<[readonly (readonly unknown[])[], readonly (readonly unknown[])[]]>([
    [[["a", "b"], ["c", "d"], ["e"]], [["a", "b", "c"], ["d", "e"]]],
    [[["a", "b"], ["c", "d"], ["e"]], [["a", "b"], ["c"], ["d"], ["e"]]],
    [[["a", "b"], ["c", "d"], ["e"]], [["a"], ["b"], ["c"], ["d"], ["e"], [], []]],
    [[[0, 1, 2, 3, 4, 5, 6]], [[0, 1, 2], [3, 4], [5, 6]]],
    [[[1, 2, 3], [4, 5, 6], [7, 8]], [[1, 2], [3, 4], [5, 6], [7], [8]]],
    [[[], ["x", "y", "z"], []], [["x", "y"], ["z"]]],
  ])("%j are dealt out in contiguous chunks: %j", (old, expected) => {
    expect(redistributed(old, expected.length)).toEqual(expected);
  });

  it("stay where they are while the parallelism does", () => {
    expect(redistributed([[], ["x", "y", "z"]], 2)).toEqual([[], ["x", "y", "z"]]);
    const sections = [splitSection({ s: [1], t: [2, 3] }), splitSection({}), splitSection({ t: [4] })];
    expect(redistributeOperatorState(sections, 3)).toEqual(sections);
  });

  it("of the next name start at the first subtask that got no extra element", () => {
    const sections = redistributeOperatorState([splitSection({ s: ["a", "b", "c"], t: ["T", "U", "V"] })], 2);
    expect(sections.map((section) => splitLists(section, ["s", "t"]))).toEqual([
      { s: ["a", "b"], t: ["V"] },
      { s: ["c"], t: ["T", "U"] },
    ]);
    const even = redistributeOperatorState([splitSection({ s: ["a", "b"], t: ["T", "U", "V"] })], 2);
    expect(even.map((section) => splitLists(section, ["s", "t"]))).toEqual([
      { s: ["a"], t: ["T", "U"] },
      { s: ["b"], t: ["V"] },
    ]);
  });

  it("keep each element once, and none gets two more than another", () => {
    const lists = fc.array(fc.array(fc.integer(), { maxLength: 9 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 9 }), (old, parallelism) => {
        fc.pre(parallelism !== old.length);
        const dealt = redistributed(old, parallelism);
        expect(dealt).toHaveLength(parallelism);
        expect(dealt.flat()).toEqual(old.flat());
        const sizes = dealt.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });
});

describe("union lists", () => {
  it("go to every subtask in full, in the old order, also while the parallelism stays", () => {
    const old = [unionSection(["a", "b"]), unionSection([]), unionSection(["c"])];
    for (const parallelism of [1, 2, 3, 5]) {
      const all = redistributeOperatorState(old, parallelism).map(unionOf);
      expect(all).toEqual(Array.from({ length: parallelism }, () => ["a", "b", "c"]));
    }
  });

  it("are known to a section that has no element of them", () => {
    expect(holdsUnionState(unionSection([]))).toBe(true);
    expect(holdsUnionState(splitSection({ s: [1] }))).toBe(false);
    expect(holdsUnionState(new Uint8Array())).toBe(false);
  });
});

it("broadcast state of new subtask i is a copy of that of old i modulo the old parallelism", () => {
  const old = ["a", "b"].map((value) => {
    const backend = new OperatorStateBackend();
    backend.broadcastState(mapState<string, string>("rules")).put("rule", value);
    return backend.bytes();
  });
  const read = (section: Uint8Array): string | null => {
    const backend = new OperatorStateBackend();
    backend.restore(section);
    return backend.broadcastState(mapState<string, string>("rules")).get("rule");
  };
  expect(redistributeOperatorState(old, 5).map(read)).toEqual(["a", "b", "a", "b", "a"]);
  expect(redistributeOperatorState(old, 1).map(read)).toEqual(["a"]);
  expect(redistributeOperatorState(old, 2)).toEqual(old);
});

it("state that subtasks of one checkpoint kept in different ways is refused", () => {
  const union = unionSection(["a"]);
  expect(() => redistributeOperatorState([union, splitSection({ all: ["b"] })], 3)).toThrow(CorruptBytesError);
  const typed = new OperatorStateBackend();
  typed.listState(listState<number>("n", { serializer: int32Serializer })).add(1);
  expect(() => redistributeOperatorState([typed.bytes(), splitSection({ n: [2] })], 2)).toThrow(/operator state "n" has two schemas/);
});
