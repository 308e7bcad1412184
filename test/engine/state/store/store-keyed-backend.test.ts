import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { UnencodableValueError } from "#whitewater/engine/base/codec.js";
import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import { longSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import type { Key } from "#whitewater/engine/state/state.js";
import { keyGroupOf, keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { MAX_PARALLELISM, NO_FILES, backend, contents, pollAll, snapshotOf } from "./store-backends.js";

describe("keyed state", () => {
  it("belongs to the current key, of whatever type, and two keys of equal content are one", () => {
    const state = backend();
    const value = state.bind(valueState<string>("v")).state;
    const keys: readonly Key[] = [1, 1n, "1", true, "true", 1.5, NaN, ["a", 1], ["a", "1"], ["a1"], [["a"], 1], [], "", "(s1:an1;)"];
    keys.forEach((key, index) => {
      state.setCurrentKey(key);
      expect(value.value()).toBe(null);
      value.update(`v${index}`);
    });
    keys.forEach((key, index) => {
      state.setCurrentKey(Array.isArray(key) ? structuredClone(key) : key);
      expect(value.value()).toBe(`v${index}`);
    });
    const restored = backend();
    restored.restore([snapshotOf(state)]);
    expect(contents(restored)).toEqual(contents(state));
    expect(restored.entries(NO_FILES)).toHaveLength(keys.length);
  });

  it("takes -0 and 0 for one key, also inside tuples, as map keys, namespaces and timestamps", () => {
    const state = backend();
    const bound = state.bind(valueState<string>("v"));
    const map = state.bind(mapState<number, string>("m")).state;
    state.setCurrentKey(-0);
    bound.setNamespace(-0);
    bound.state.update("zero");
    map.put(-0, "m");
    state.timers().register(0, -0, -0);
    state.setCurrentKey(0);
    bound.setNamespace(0);
    expect([bound.state.value(), map.get(0)]).toEqual(["zero", "m"]);
    state.timers().register(0, 0, 0);
    expect(state.timers().size(0)).toBe(1);
    state.setCurrentKey([-0]);
    bound.state.update("tuple");
    state.setCurrentKey([0]);
    expect(bound.state.value()).toBe("tuple");
    // No -0 reaches the bytes: what is restored is found again, and snapshots are equal.
    const restored = backend();
    restored.restore([snapshotOf(state)]);
    expect(snapshotOf(restored)).toEqual(snapshotOf(state));
  });

  it("keeps namespaces apart, and the void one from number 0", () => {
    const state = backend();
    const bound = state.bind(valueState<string>("v"));
    state.setCurrentKey("k");
    for (const namespace of ["", 0, "0", 5]) {
      bound.setNamespace(namespace);
      expect(bound.state.value()).toBe(null);
      bound.state.update(`in ${namespace}`);
    }
    bound.setNamespace(5);
    bound.state.clear();
    expect(bound.state.value()).toBe(null);
    bound.setNamespace("0");
    expect(bound.state.value()).toBe("in 0");
    expect(state.entries(NO_FILES)).toHaveLength(3);
  });

  it("gives the default where there is no value, and null clears", () => {
    const state = backend();
    const value = state.bind(valueState("count", 7)).state;
    state.setCurrentKey("k");
    expect(value.value()).toBe(7);
    value.update(0);
    expect(value.value()).toBe(0);
    value.update(null);
    expect(value.value()).toBe(7);
    expect(state.entries(NO_FILES)).toEqual([]);
  });

  it("keeps lists of its own: neither what came in nor what went out changes with it", () => {
    const state = backend();
    const list = state.bind(listState<number>("l")).state;
    state.setCurrentKey("k");
    expect(list.get()).toEqual([]);
    const given = [1, 2];
    list.update(given);
    given.push(99);
    const before = list.get();
    list.add(3);
    list.addAll([4, 5]);
    expect(before).toEqual([1, 2]);
    expect(list.get()).toEqual([1, 2, 3, 4, 5]);
    list.update([]);
    expect([list.get(), state.entries(NO_FILES)]).toEqual([[], []]);
  });

  it("keeps map entries by content of the key, in the order first put", () => {
    const state = backend();
    const map = state.bind(mapState<unknown, number | null>("m")).state;
    state.setCurrentKey("k");
    for (const [index, key] of ["b", "a", "\0o", "\0sa", { x: 1 }, [1], 1, 1n].entries()) map.put(key, index);
    map.put("b", 10);
    map.put({ x: 1 }, 40);
    const before = map.entries();
    map.remove("a");
    map.put("a", null);
    map.remove("none");
    expect(before).toEqual([["b", 10], ["a", 1], ["\0o", 2], ["\0sa", 3], [{ x: 1 }, 40], [[1], 5], [1, 6], [1n, 7]]);
    expect(map.entries().at(-1)).toEqual(["a", null]);
    expect([map.contains("a"), map.get("a"), map.contains("\0sb"), map.get([1])]).toEqual([true, null, false, 5]);
    const restored = backend();
    restored.restore([snapshotOf(state)]);
    const again = restored.bind(mapState<unknown, number>("m")).state;
    restored.setCurrentKey("k");
    expect(again.entries()).toEqual(map.entries());
    for (const [key] of map.entries()) again.remove(key);
    expect([again.isEmpty(), restored.entries(NO_FILES)]).toEqual([true, []]);
  });

  it("refuses keys outside its range, use without a key, and a name bound as another kind", () => {
    const state = backend({ start: 0, end: 3 });
    const value = state.bind(valueState<number>("v")).state;
    expect(() => state.currentKey()).toThrow("a key is set");
    expect(() => value.update(1)).toThrow("a key is set");
    const outside = ["a", "b", "c", "d", "e", "f"].find((key) => keyGroupOf(key, MAX_PARALLELISM) > 3)!;
    state.setCurrentKey(outside);
    expect(() => value.update(1)).toThrow("key group");
    expect(state.bind(valueState<number>("v")).state).toBe(value);
    expect(() => state.bind(listState("v"))).toThrow("value state it is");
  });

  it("says which state holds a value that cannot be written", () => {
    const state = backend();
    state.setCurrentKey("k");
    const list = state.bind(listState<unknown>("rules")).state;
    list.add(1);
    // Rows are bytes: unlike on the heap it shows at once, and changes nothing.
    expect(() => list.add({ test: () => true })).toThrow(UnencodableValueError);
    expect(() => list.update([2, { test: () => true }])).toThrow("rules.test");
    expect(() => list.addAll([3, () => true])).toThrow("rules");
    const map = state.bind(mapState<unknown, unknown>("m")).state;
    expect(() => map.put("k", Symbol("s"))).toThrow("a symbol at m");
    expect(() => map.put(() => true, 1)).toThrow("a function at m");
    const long = state.bind(valueState<number>("long", null, { serializer: longSerializer })).state;
    expect(() => long.update(1.5)).toThrow("cannot encode 1.5 as a long (a safe integer) at long");
    expect([list.get(), map.isEmpty(), long.value()]).toEqual([[1], true, null]);
  });
});

describe("timers", () => {
  it("are a set, fire in order of time, and only when due", () => {
    const state = backend();
    const timers = state.timers();
    for (const key of ["a", "b"]) {
      state.setCurrentKey(key);
      for (const timestampMs of [30, 10, 20, 10]) timers.register(0, "", timestampMs);
      timers.register(0, 7, 10);
      timers.register(1, "", 5);
    }
    expect([timers.size(0), timers.size(1), timers.peek(0), timers.peek(1)]).toEqual([8, 2, 10, 5]);
    timers.remove(0, "", 20);
    timers.remove(0, "", 20);
    timers.remove(0, "none", 10);
    expect(timers.poll(0, 9)).toBe(null);
    expect(pollAll(state).map((timer) => timer.timestampMs)).toEqual([10, 10, 10, 10, 20, 30, 30]);
    expect([timers.size(0), timers.peek(0), state.inspectTimers().processingTime.length]).toEqual([0, null, 2]);
    timers.register(0, "", 10);
    expect(timers.size(0)).toBe(1);
  });

  it("come in order of time after any registrations and removals", () => {
    const change = fc.tuple(fc.boolean(), fc.constantFrom("a", "b"), fc.constantFrom("", 1, 2), fc.integer({ min: 1, max: 25 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150, size: "max" }), (changes) => {
        const state = backend();
        const model = new Map<string, number>();
        for (const [register, key, namespace, timestampMs] of changes) {
          state.setCurrentKey(key);
          const name = JSON.stringify([key, namespace, timestampMs]);
          if (register) state.timers().register(0, namespace, timestampMs);
          else state.timers().remove(0, namespace, timestampMs);
          if (register) model.set(name, timestampMs);
          else model.delete(name);
        }
        const fired = pollAll(state);
        expect(fired.map((timer) => timer.timestampMs)).toEqual([...model.values()].sort((a, b) => a - b));
        const names = fired.map(({ key, namespace, timestampMs }) => JSON.stringify([key, namespace, timestampMs]));
        expect(new Set(names)).toEqual(new Set(model.keys()));
      }),
      { numRuns: 300 },
    );
  });

  it("of one timestamp come in an order that the seed draws", () => {
    const order = (seed: number): string => {
      const state = backend(undefined, seed);
      for (let i = 0; i < 8; i++) {
        state.setCurrentKey(`k${i}`);
        state.timers().register(0, "", 10);
      }
      return pollAll(state).map((timer) => timer.key).join(" ");
    };
    expect(order(1)).toBe(order(1));
    expect(new Set([1, 2, 3, 4, 5].map(order)).size).toBe(5);
  });

  it("come in the same order after a restore, in however many sections they arrive", () => {
    const state = backend();
    for (let i = 0; i < 40; i++) {
      state.setCurrentKey(`k${i}`);
      state.timers().register(0, i % 3, 10);
    }
    const whole = snapshotOf(state);
    const parts = [0, 1, 2].map((index) => {
      const part = backend(keyGroupRange(MAX_PARALLELISM, 3, index));
      part.restore([whole]);
      return snapshotOf(part);
    });
    const fired = [[whole], parts, [parts[2]!, parts[0]!, parts[1]!]].map((sections) => {
      const restored = backend(undefined, 77);
      restored.restore(sections);
      return pollAll(restored).map(({ key, namespace }) => [key, namespace]);
    });
    expect(fired[0]).toHaveLength(40);
    expect(fired[1]).toEqual(fired[0]);
    expect(fired[2]).toEqual(fired[0]);
  });
});

describe("restoring", () => {
  it("cuts to the range, merges what several subtasks wrote, and takes the least watermark", () => {
    const parts = [0, 1].map((index) => {
      const part = backend(keyGroupRange(MAX_PARALLELISM, 2, index));
      const value = part.bind(valueState<number>("v")).state;
      for (let i = 0; i < 60; i++) {
        const keyGroup = keyGroupOf(i, MAX_PARALLELISM);
        if (keyGroup < part.range.start || keyGroup > part.range.end) continue;
        part.setCurrentKey(i);
        value.update(i * i);
        part.timers().register(1, "", i);
      }
      part.watermarkMs = index === 0 ? 500 : 400;
      return snapshotOf(part);
    });
    const seen: unknown[] = [];
    for (let index = 0; index < 3; index++) {
      const restored = backend(keyGroupRange(MAX_PARALLELISM, 3, index));
      restored.restore(parts);
      // Subtask 0 of 3 holds key groups of subtask 0 of 2 alone.
      expect(restored.watermarkMs).toBe(index === 0 ? 500 : 400);
      expect(restored.inspectTimers().processingTime).toHaveLength(restored.entries(NO_FILES).length);
      for (const { key, value } of restored.entries(NO_FILES)) {
        const keyGroup = keyGroupOf(key, MAX_PARALLELISM);
        expect(keyGroup >= restored.range.start && keyGroup <= restored.range.end).toBe(true);
        expect(value).toBe((key as number) * (key as number));
        seen.push(key);
      }
    }
    expect(seen.sort((a, b) => (a as number) - (b as number))).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it("of nothing is an empty backend before any watermark", () => {
    const state = backend();
    state.restore([]);
    expect([state.watermarkMs, state.entries(NO_FILES)]).toEqual([MIN_WATERMARK, []]);
    const empty = backend({ start: 5, end: 4 });
    expect(snapshotOf(empty).length).toBeGreaterThan(0);
    state.restore([snapshotOf(empty)]);
    expect(state.watermarkMs).toBe(MIN_WATERMARK);
  });

  it("keeps states that the job has not bound, binds them with what they hold, and refuses another kind", () => {
    const state = backend();
    state.setCurrentKey("k");
    state.bind(listState<number>("l")).state.add(1);
    const restored = backend();
    restored.restore([snapshotOf(state)]);
    expect(snapshotOf(restored)).toEqual(snapshotOf(state));
    expect(() => restored.bind(valueState("l"))).toThrow("list state it is");
    const list = restored.bind(listState<number>("l")).state;
    expect(() => restored.currentKey()).toThrow("a key is set");
    restored.setCurrentKey("k");
    expect(list.get()).toEqual([1]);
  });

  it("gives the same bytes for the same contents, however they came about", () => {
    const orders = [["a", "b", "c", "d"], ["d", "c", "b", "a"]].map((keys) => {
      const state = backend();
      const [first, second] = keys[0] === "a" ? ["x", "y"] : ["y", "x"];
      const states = new Map([first!, second!].map((name) => [name, state.bind(valueState<number>(name)).state]));
      for (const key of keys) {
        state.setCurrentKey(key);
        states.get("x")!.update(key.charCodeAt(0));
        states.get("y")!.update(1);
        if (key === "b") states.get("y")!.clear();
        state.timers().register(0, "", 5);
      }
      return snapshotOf(state);
    });
    expect(orders[0]).toEqual(orders[1]);
  });

  it("refuses damaged and foreign bytes with the named error, or reads what was left intact", () => {
    const state = backend();
    const value = state.bind(valueState<number>("v")).state;
    for (let i = 0; i < 12; i++) {
      state.setCurrentKey(`k${i}`);
      value.update(i);
      state.timers().register(0, "", i);
    }
    const bytes = snapshotOf(state);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => backend().restore([bytes.subarray(0, length)])).toThrow(CorruptBytesError);
    }
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << at % 8;
      try {
        backend().restore([damaged]);
      } catch (error) {
        expect(["CorruptBytesError", "InvariantError"]).toContain((error as Error).name);
      }
    }
    expect(() => backend().restore([bytes, bytes])).toThrow("belongs to one of the sections");
  });
});
