import { describe, expect, it } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { aggregatingState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateAggregation } from "#whitewater/engine/state/descriptors.js";
import { randomStream } from "./random-stream.js";

function backend(): HeapKeyedBackend {
  const made = new HeapKeyedBackend({ range: { start: 0, end: 15 }, maxParallelism: 16, tieBreak: randomStream(1) });
  made.setCurrentKey("k");
  return made;
}

function snapshotOf(state: HeapKeyedBackend): Uint8Array {
  const writer = state.snapshot();
  while (writer.step(3) > 0);
  return writer.bytes();
}

interface Mean {
  readonly count: number;
  readonly sum: number;
}

const mean: StateAggregation<number, Mean, number> = {
  createAccumulator: () => ({ count: 0, sum: 0 }),
  add: (value, { count, sum }) => ({ count: count + 1, sum: sum + value }),
  getResult: ({ count, sum }) => sum / count,
};

const append = (left: string, right: string): string => left + right;

describe("reducing state", () => {
  it("gives null before anything was added, the first value as it is, then the fold from left to right", () => {
    const text = backend().bind(reducingState("text", append)).state;
    expect(text.get()).toBe(null);
    text.add("a");
    expect(text.get()).toBe("a");
    text.add("b");
    text.add("c");
    expect(text.get()).toBe("abc");
  });

  it("is kept by key and namespace, and clear empties the current one alone", () => {
    const state = backend();
    const bound = state.bind(reducingState("text", append));
    bound.state.add("k-void");
    bound.setNamespace(7);
    expect(bound.state.get()).toBe(null);
    bound.state.add("k-7");
    state.setCurrentKey("other");
    expect(bound.state.get()).toBe(null);
    bound.state.add("o-7");
    state.setCurrentKey("k");
    bound.state.clear();
    expect(bound.state.get()).toBe(null);
    bound.setNamespace("");
    expect(bound.state.get()).toBe("k-void");
    state.setCurrentKey("other");
    bound.setNamespace(7);
    expect(bound.state.get()).toBe("o-7");
  });

  it("takes null for nothing to add", () => {
    const text = backend().bind(reducingState<string | null>("text", (left, right) => `${left}${right}`)).state;
    text.add(null);
    expect(text.get()).toBe(null);
    text.add("a");
    text.add(null);
    expect(text.get()).toBe("a");
  });

  it("keeps falsy values like any", () => {
    const sum = backend().bind(reducingState<number>("sum", (left, right) => left + right)).state;
    sum.add(0);
    expect(sum.get()).toBe(0);
    sum.add(-3);
    sum.add(3);
    expect(sum.get()).toBe(0);
  });
});

describe("aggregating state", () => {
  it("gives the result of the accumulator, which is what is kept", () => {
    const state = backend();
    const average = state.bind(aggregatingState("mean", mean)).state;
    expect(average.get()).toBe(null);
    average.add(4);
    average.add(5);
    expect(average.get()).toBe(4.5);
    expect(state.entries()).toEqual([{ state: "mean", key: "k", namespace: "", value: { count: 2, sum: 9 } }]);
    average.clear();
    expect([average.get(), state.entries()]).toEqual([null, []]);
    average.add(1);
    expect(average.get()).toBe(1);
  });
});

describe("reducing and aggregating state", () => {
  it("come back from a snapshot and go on", () => {
    const state = backend();
    state.bind(reducingState("text", append)).state.add("a");
    const average = state.bind(aggregatingState("mean", mean));
    average.setNamespace(3);
    average.state.add(10);
    const restored = backend();
    restored.restore([snapshotOf(state)]);
    restored.setCurrentKey("k");
    const text = restored.bind(reducingState("text", append)).state;
    text.add("b");
    expect(text.get()).toBe("ab");
    const again = restored.bind(aggregatingState("mean", mean));
    again.setNamespace(3);
    again.state.add(20);
    expect(again.state.get()).toBe(15);
  });

  it("are what a snapshot saw, whatever is added while it is written", () => {
    const state = backend();
    const text = state.bind(reducingState("text", append)).state;
    text.add("a");
    const before = snapshotOf(state);
    const writer = state.snapshot();
    text.add("b");
    while (writer.step(1) > 0);
    expect(writer.bytes()).toEqual(before);
    expect(text.get()).toBe("ab");
  });

  it("bound twice are one state, bound as another kind they throw", () => {
    const state = backend();
    const text = state.bind(reducingState("text", append));
    expect(state.bind(reducingState("text", append))).toBe(text);
    expect(() => state.bind(valueState("text"))).toThrow(/state "text" is bound as the reducing state it is, not as value/);
    expect(() => state.bind(aggregatingState("text", mean))).toThrow(/not as aggregating state/);
    state.bind(valueState("v"));
    expect(() => state.bind(reducingState("v", append))).toThrow(/state "v" is bound as the value state it is/);
  });
});
