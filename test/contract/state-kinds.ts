import { describe, expect, it } from "vitest";
import { UnencodableValueError } from "#whitewater/engine/base/codec.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import { int32Serializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import { Host, errorOf, expectBytes, snapshotOf, text } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";

/** Anything that the structural codec keeps, of every type. */
const VALUES: readonly unknown[] = [
  0, -0, 1, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, 5e-324, "", "a",
  "\0", "\ud800", "x\udc00y", "😀", true, false, 0n, -1n, 1n << 200n, new Uint8Array([0, 255]), new Date(-1), new Date(NaN),
  [], [null, undefined], {}, { b: 1, a: { c: [-0] } }, new Map<unknown, unknown>([[{ x: 1 }, 2n], ["k", null]]), new Set([1, "1"]),
];

export function stateKindTests(subject: BackendUnderTest): void {
  describe("value state", () => valueStateTests(subject));
  describe("list state", () => listStateTests(subject));
  describe("map state", () => mapStateTests(subject));
  if (subject.capabilities.folds) {
    describe("reducing and aggregating state", () => foldTests(subject));
  }
}

function valueStateTests(subject: BackendUnderTest): void {
  it("gives null where nothing was written, else what was written last", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(valueState<string>("v"));
    backend.setCurrentKey("k");
    expect(state.value()).toBe(null);
    state.update("first");
    state.update("second");
    expect(state.value()).toBe("second");
    state.clear();
    expect(state.value()).toBe(null);
    state.clear();
    expect(host.contents(backend).entries).toEqual([]);
  });

  it("gives the descriptor's default where there is no value, and null clears", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(valueState("v", 7));
    backend.setCurrentKey("k");
    expect(state.value()).toBe(7);
    state.update(0);
    expect(state.value()).toBe(0);
    state.update(null);
    expect(state.value()).toBe(7);
    // The default is given, not kept.
    expect(host.contents(backend).entries).toEqual([]);
    const untouched = host.open();
    untouched.bind(valueState("v", 7));
    expectBytes(snapshotOf(backend), snapshotOf(untouched));
  });

  it("keeps values of every type, through a snapshot too", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(valueState<unknown>("v"));
    VALUES.forEach((value, index) => {
      backend.setCurrentKey(index);
      state.update(value);
    });
    const restored = host.restored([snapshotOf(backend)]);
    for (const one of [backend, restored]) {
      const again = one.bind(valueState<unknown>("v")).state;
      VALUES.forEach((value, index) => {
        one.setCurrentKey(index);
        expect(text(again.value())).toBe(text(value));
      });
    }
  });

  it("refuses a value that cannot be written, at the latest in the snapshot, and names the state", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(listState<unknown>("rules"));
    backend.setCurrentKey("k");
    const error = errorOf(() => {
      state.add({ test: () => true });
      snapshotOf(backend);
    });
    expect(error).toBeInstanceOf(UnencodableValueError);
    expect(error.message).toContain("rules");
  });
}

function listStateTests(subject: BackendUnderTest): void {
  it("keeps elements in the order added, null among them", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(listState<unknown>("l"));
    backend.setCurrentKey("k");
    expect(state.get()).toEqual([]);
    state.add(1);
    state.addAll([2, null]);
    state.addAll([]);
    state.add(1);
    expect(state.get()).toEqual([1, 2, null, 1]);
    state.update(["new", "newer"]);
    state.add(-0);
    expect(state.get()).toEqual(["new", "newer", -0]);
    state.clear();
    expect(state.get()).toEqual([]);
    state.add(9);
    expect(state.get()).toEqual([9]);
  });

  it("keeps nothing for an empty list", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(listState<number>("l"));
    const empty = snapshotOf(backend);
    backend.setCurrentKey("k");
    state.addAll([]);
    state.update([]);
    state.clear();
    expect(host.contents(backend).entries).toEqual([]);
    state.update([1, 2]);
    state.update([]);
    expect([state.get(), host.contents(backend).entries]).toEqual([[], []]);
    expectBytes(snapshotOf(backend), empty);
  });

  it("changes neither what came in nor what went out", () => {
    const backend = new Host(subject).open();
    const { state } = backend.bind(listState<number>("l"));
    backend.setCurrentKey("k");
    const given = [1, 2];
    state.update(given);
    state.addAll(given);
    const first = state.get();
    state.add(3);
    const second = state.get();
    state.clear();
    expect([given, first, second]).toEqual([[1, 2], [1, 2, 1, 2], [1, 2, 1, 2, 3]]);
  });

  it("may be changed while it is iterated over", () => {
    const backend = new Host(subject).open();
    const { state } = backend.bind(listState<number>("l"));
    backend.setCurrentKey("k");
    state.update([1, 2, 3]);
    for (const element of state.get()) state.add(element * 10);
    expect(state.get()).toEqual([1, 2, 3, 10, 20, 30]);
  });
}

function mapStateTests(subject: BackendUnderTest): void {
  it("is a map: put, get, contains, remove, isEmpty, clear", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(mapState<string, number | null>("m"));
    backend.setCurrentKey("k");
    expect([state.isEmpty(), state.get("a"), state.contains("a"), state.entries()]).toEqual([true, null, false, []]);
    state.put("a", 1);
    state.put("b", null);
    expect([state.isEmpty(), state.get("a"), state.get("b"), state.contains("b")]).toEqual([false, 1, null, true]);
    state.put("a", 2);
    expect(state.entries()).toEqual([["a", 2], ["b", null]]);
    state.remove("a");
    state.remove("never");
    expect([state.contains("a"), state.get("a"), state.entries()]).toEqual([false, null, [["b", null]]]);
    state.remove("b");
    expect([state.isEmpty(), host.contents(backend).entries]).toEqual([true, []]);
    state.put("c", 3);
    state.clear();
    expect([state.isEmpty(), host.contents(backend).entries]).toEqual([true, []]);
  });

  it("gives entries in the order in which their keys were first put, also after a restore", () => {
    const host = new Host(subject);
    let backend = host.open();
    const expected: [number, string][] = [];
    const put = (key: number, value: string): void => {
      backend.bind(mapState<number, string>("m")).state.put(key, value);
      const known = expected.find(([one]) => one === key);
      if (known === undefined) expected.push([key, value]);
      else known[1] = value;
    };
    backend.setCurrentKey("k");
    for (const key of [5, 300, -1, 70_000, 2, 1.5]) put(key, `v${key}`);
    put(300, "overwritten");
    const { state } = backend.bind(mapState<number, string>("m"));
    state.remove(5);
    expected.shift();
    put(5, "put again");
    expect(state.entries()).toEqual(expected);
    backend = host.restored([snapshotOf(backend)]);
    backend.setCurrentKey("k");
    const again = backend.bind(mapState<number, string>("m")).state;
    expect(again.entries()).toEqual(expected);
    again.remove(-1);
    expected.splice(1, 1);
    put(-1, "after the restore");
    put(9, "new");
    expect(again.entries()).toEqual(expected);
  });

  it("gives entries as they are at the moment, so that it may be changed while they are iterated over", () => {
    const backend = new Host(subject).open();
    const { state } = backend.bind(mapState<string, number>("m"));
    backend.setCurrentKey("k");
    for (const key of ["a", "b", "c", "d"]) state.put(key, 1);
    const seen: string[] = [];
    const entries = state.entries();
    for (const [key] of entries) {
      seen.push(key);
      state.put("b", 99);
      state.remove(key);
      if (key === "c") state.put("e", 5);
    }
    expect(seen).toEqual(["a", "b", "c", "d"]);
    expect(entries).toEqual([["a", 1], ["b", 1], ["c", 1], ["d", 1]]);
    expect(state.entries()).toEqual([["b", 99], ["e", 5]]);
  });

  it("tells keys apart by their contents, of whatever type", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(mapState<unknown, number>("m"));
    backend.setCurrentKey("k");
    const keys = [1, 1n, "1", true, "true", 1.5, NaN, null, [1], ["1"], [[1]], { x: 1 }, { x: 1n }, "", "\0", "\0s", "\0o", "\ud800", "\udc00"];
    keys.forEach((key, index) => state.put(key, index));
    const restored = host.restored([snapshotOf(backend)]);
    restored.setCurrentKey("k");
    for (const map of [state, restored.bind(mapState<unknown, number>("m")).state]) {
      keys.forEach((key, index) => expect([key, map.get(structuredClone(key))]).toEqual([key, index]));
      expect(map.entries().map(([key]) => text(key))).toEqual(keys.map(text));
      expect(map.contains({ x: 2 })).toBe(false);
    }
  });

  it("takes -0 and 0 for one key", () => {
    const backend = new Host(subject).open();
    const { state } = backend.bind(mapState<number, string>("m"));
    backend.setCurrentKey("k");
    state.put(-0, "zero");
    expect([state.get(0), state.contains(-0), text(state.entries())]).toEqual(["zero", true, "[ [ 0, 'zero' ] ]"]);
    state.remove(0);
    expect(state.isEmpty()).toBe(true);
  });

  it("takes keys for one that their serializer does not tell apart, before a restore and after it", () => {
    const host = new Host(subject);
    const backend = host.open();
    const place = struct({ x: field(int32Serializer), y: field(int32Serializer) });
    const descriptor = mapState<{ readonly x: number; readonly y: number }, string>("m", { keySerializer: place });
    const { state } = backend.bind(descriptor);
    backend.setCurrentKey("k");
    state.put({ x: 0, y: 1 }, "first");
    state.put({ y: 1, x: -0 }, "second");
    const restored = host.restored([snapshotOf(backend)]);
    restored.setCurrentKey("k");
    for (const map of [state, restored.bind(descriptor).state]) {
      expect(map.entries().map(([, value]) => value)).toEqual(["second"]);
      expect(map.get({ x: -0, y: 1 })).toBe("second");
    }
  });
}

function foldTests(subject: BackendUnderTest): void {
  const concatenated = reducingState<string>("r", (left, right) => left + right);
  const mean = aggregatingState<number, readonly [number, number], string>("a", {
    createAccumulator: () => [0, 0],
    add: (value, [sum, count]) => [sum + value, count + 1],
    getResult: ([sum, count]) => `${sum}/${count}`,
  });

  it("fold what is added, in the order added", () => {
    const backend = new Host(subject).open();
    const reducing = backend.bind(concatenated).state;
    const aggregating = backend.bind(mean).state;
    backend.setCurrentKey("k");
    expect([reducing.get(), aggregating.get()]).toEqual([null, null]);
    for (const word of ["b", "a", ""]) reducing.add(word);
    for (const value of [10, 0, -5]) aggregating.add(value);
    expect([reducing.get(), aggregating.get()]).toEqual(["ba", "5/3"]);
    backend.setCurrentKey("other");
    expect([reducing.get(), aggregating.get()]).toEqual([null, null]);
  });

  it("begin anew after clear, and keep nothing then", () => {
    const host = new Host(subject);
    const backend = host.open();
    const reducing = backend.bind(concatenated).state;
    const aggregating = backend.bind(mean).state;
    backend.setCurrentKey("k");
    reducing.add("x");
    aggregating.add(1);
    reducing.clear();
    aggregating.clear();
    expect([reducing.get(), aggregating.get(), host.contents(backend).entries]).toEqual([null, null, []]);
    reducing.add("y");
    aggregating.add(2);
    expect([reducing.get(), aggregating.get()]).toEqual(["y", "2/1"]);
  });

  it("take an accumulator of 0, false or an empty string for what it is", () => {
    const backend = new Host(subject).open();
    const sum = backend.bind(reducingState<number>("sum", (left, right) => left + right)).state;
    const any = backend.bind(reducingState<boolean>("any", (left, right) => left && right)).state;
    const words = backend.bind(concatenated).state;
    backend.setCurrentKey("k");
    for (const value of [1, -1]) sum.add(value);
    for (const value of [false, true]) any.add(value);
    for (const value of ["", ""]) words.add(value);
    expect([sum.get(), any.get(), words.get()]).toEqual([0, false, ""]);
    sum.add(5);
    any.add(true);
    expect([sum.get(), any.get()]).toEqual([5, false]);
  });

  it("go on with their accumulator after a restore", () => {
    const host = new Host(subject);
    const backend = host.open();
    backend.setCurrentKey("k");
    backend.bind(concatenated).state.add("before ");
    backend.bind(mean).state.add(3);
    const restored = host.restored([snapshotOf(backend)]);
    restored.setCurrentKey("k");
    restored.bind(concatenated).state.add("after");
    restored.bind(mean).state.add(4);
    expect([restored.bind(concatenated).state.get(), restored.bind(mean).state.get()]).toEqual(["before after", "7/2"]);
  });

  it("change no accumulator that a snapshot still has to write", () => {
    const host = new Host(subject);
    const backend = host.open();
    const lists = backend.bind(
      aggregatingState<number, readonly number[], readonly number[]>("lists", {
        createAccumulator: () => [],
        add: (value, all) => [...all, value],
        getResult: (all) => all,
      }),
    ).state;
    backend.setCurrentKey("k");
    lists.add(1);
    const before = lists.get();
    const writer = backend.snapshot();
    lists.add(2);
    expect([before, lists.get()]).toEqual([[1], [1, 2]]);
    while (writer.step(1) > 0);
    const restored = host.restored([writer.bytes()]);
    expect(host.contents(restored).entries).toEqual(["[ 'lists', 'k', '', [ 1 ] ]"]);
  });
}
