import { describe, expect, it } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateAggregation } from "#whitewater/engine/state/descriptors.js";
import type { ListState, Namespace, NamespacedState } from "#whitewater/engine/state/state.js";
import { randomStream } from "./random-stream.js";

function backend(): HeapKeyedBackend {
  const made = new HeapKeyedBackend({ range: { start: 0, end: 15 }, maxParallelism: 16, tieBreak: randomStream(1) });
  made.setCurrentKey("k");
  return made;
}

const concatenation: StateAggregation<string, readonly string[], string> = {
  createAccumulator: () => [],
  add: (value, accumulator) => [...accumulator, value],
  getResult: (accumulator) => accumulator.join(""),
  merge: (left, right) => [...left, ...right],
};

function put<S extends { add(value: string): void }>(bound: NamespacedState<S>, contents: Readonly<Record<number, string>>): void {
  for (const [namespace, text] of Object.entries(contents)) {
    bound.setNamespace(Number(namespace));
    for (const letter of text) bound.state.add(letter);
  }
}

function listAt(bound: NamespacedState<ListState<string>>, namespace: Namespace): string {
  bound.setNamespace(namespace);
  return bound.state.get().join("");
}

describe("merging the namespaces of a list state", () => {
  it("appends the lists in the order of the sources to what the target holds, and empties the sources", () => {
    const state = backend();
    const list = state.bind(listState<string>("l"));
    put(list, { 1: "ab", 2: "c", 3: "de", 4: "x" });
    list.mergeNamespaces(2, [3, 1]);
    expect([1, 2, 3, 4].map((namespace) => listAt(list, namespace))).toEqual(["", "cdeab", "", "x"]);
    expect(state.entries()).toHaveLength(2);
  });

  it("moves into an empty target, passes over empty sources, and takes a source named twice once", () => {
    const list = backend().bind(listState<string>("l"));
    put(list, { 1: "ab", 3: "c" });
    list.mergeNamespaces(9, [7, 3, 1, 3]);
    expect([1, 3, 7, 9].map((namespace) => listAt(list, namespace))).toEqual(["", "", "", "cab"]);
  });

  it("leaves a target that is among the sources where it is, in front", () => {
    const list = backend().bind(listState<string>("l"));
    put(list, { 1: "a", 2: "b" });
    list.mergeNamespaces(2, [1, 2]);
    expect([1, 2].map((namespace) => listAt(list, namespace))).toEqual(["", "ba"]);
    list.mergeNamespaces(2, [2]);
    expect(listAt(list, 2)).toBe("ba");
  });

  it("concerns the current key alone, and the namespace set before is set afterwards", () => {
    const state = backend();
    const list = state.bind(listState<string>("l"));
    put(list, { 1: "a" });
    state.setCurrentKey("other");
    put(list, { 1: "o", 5: "p" });
    list.setNamespace(5);
    list.mergeNamespaces(2, [1]);
    expect(list.state.get()).toEqual(["p"]);
    expect(listAt(list, 2)).toBe("o");
    state.setCurrentKey("k");
    expect([1, 2].map((namespace) => listAt(list, namespace))).toEqual(["a", ""]);
  });

  it("does not change what was read before, nor what a snapshot in flight sees", () => {
    const state = backend();
    const list = state.bind(listState<string>("l"));
    put(list, { 1: "a", 2: "b" });
    list.setNamespace(1);
    const read = list.state.get();
    const writer = state.snapshot();
    list.mergeNamespaces(1, [2]);
    expect(read).toEqual(["a"]);
    while (writer.step(1) > 0);
    const restored = backend();
    restored.restore([writer.bytes()]);
    restored.setCurrentKey("k");
    const old = restored.bind(listState<string>("l"));
    expect([1, 2].map((namespace) => listAt(old, namespace))).toEqual(["a", "b"]);
    expect([1, 2].map((namespace) => listAt(list, namespace))).toEqual(["ab", ""]);
  });
});

describe("merging the namespaces of reducing and aggregating state", () => {
  it("folds target and sources from left to right with the reduce function", () => {
    const state = backend();
    const text = state.bind(reducingState<string>("text", (left, right) => `(${left}${right})`));
    put(text, { 1: "a", 2: "b", 3: "c" });
    text.setNamespace(4);
    text.mergeNamespaces(1, [3, 9, 2]);
    expect(text.state.get()).toBe(null);
    text.setNamespace(1);
    expect(text.state.get()).toBe("((ac)b)");
    expect(state.entries()).toHaveLength(1);
  });

  it("folds accumulators with the aggregation's merge; one alone is moved as it is", () => {
    const merged = backend().bind(aggregatingState("text", concatenation));
    put(merged, { 1: "ab", 2: "c" });
    merged.mergeNamespaces(5, [1]);
    merged.mergeNamespaces(5, [2, 5]);
    merged.setNamespace(5);
    expect(merged.state.get()).toBe("abc");
    merged.setNamespace(1);
    expect(merged.state.get()).toBe(null);
  });

  it("throws, naming the state, where the aggregation has no merge", () => {
    const { merge: _, ...without } = concatenation;
    const bound = backend().bind(aggregatingState("letters", without));
    put(bound, { 1: "a", 2: "b" });
    expect(() => bound.mergeNamespaces(1, [2])).toThrow(/namespaces of state "letters" cannot be merged: .* no merge function/);
    bound.setNamespace(2);
    expect(bound.state.get()).toBe("b");
  });
});

it("value and map state refuse to be merged", () => {
  const state = backend();
  for (const bound of [state.bind(valueState("v")), state.bind(mapState("m"))]) {
    expect(() => bound.mergeNamespaces(1, [2])).toThrow(/only list, reducing and aggregating state can be merged/);
  }
});
