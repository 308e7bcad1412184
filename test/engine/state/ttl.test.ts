import { describe, expect, it } from "vitest";
import { bindState } from "#whitewater/engine/state/bind-state.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import { StateSchemaError } from "#whitewater/engine/state/state-errors.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";
import { StateDefinitionError } from "#whitewater/engine/state/state-errors.js";
import type { TtlConfig } from "#whitewater/engine/state/ttl-config.js";
import { isExpiredAt } from "#whitewater/engine/state/ttl/ttl-value.js";
import { TTL_MS, TtlBench, ttl } from "./ttl-bench.js";

const onRead = { update: "on-read-and-write" } as const;
const returnsExpired = { visibility: "return-expired-if-not-cleaned-up" } as const;
const join = (left: string, right: string): string => left + right;

describe("a time to live", () => {
  it("has Flink's defaults", () => {
    expect(ttlConfig({ ttlMs: 5 })).toEqual({
      ttlMs: 5,
      update: "on-create-and-write",
      visibility: "never-return-expired",
      cleanupInFullSnapshot: false,
      cleanupIncrementally: null,
      cleanupInCompaction: null,
    });
  });

  it.each([0, -1, 1.5, NaN, Infinity, 2 ** 53])("of %d ms is refused", (ttlMs) => {
    expect(() => ttlConfig({ ttlMs })).toThrow(/a time to live is a whole number of milliseconds from 1 on/);
  });

  it("is refused with words that mean nothing, where it is made and where state is bound with it", () => {
    const wrong = { ...ttl(), update: "never" } as unknown as TtlConfig;
    expect(() => ttlConfig(wrong)).toThrow(/updated "on-create-and-write" or "on-read-and-write", not "never"/);
    expect(() => new TtlBench().bind(valueState("v", null, { ttl: wrong }))).toThrow(/not "never"/);
    expect(() => ttlConfig({ ...ttl(), visibility: "x" } as unknown as TtlConfig)).toThrow(/expired state is visible as/);
    expect(() => ttlConfig({ ttlMs: 1, cleanupIncrementally: -1 })).toThrow(/0 to 10000 elements, not -1/);
  });

  it("is refused with a clean-up that the backend does not have, naming state, backend and choices", () => {
    const bench = new TtlBench();
    const bind = (options: Partial<TtlConfig>): unknown => bench.bind(valueState("seen", null, { ttl: ttlConfig({ ttlMs: 5, ...options }) }));
    expect(() => bind({ cleanupInCompaction: true })).toThrow(StateDefinitionError);
    expect(() => bind({ cleanupInCompaction: true })).toThrow(
      'state "seen" asks for cleanupInCompaction: true, but the state backend heap does not clean state up in compaction. ' +
        "It has: cleanupInFullSnapshot, cleanupIncrementally; leave both out to have what the backend of the run can do",
    );
    for (const options of [{}, { cleanupInCompaction: false }, { cleanupIncrementally: 9 }, { cleanupIncrementally: 0 }]) {
      expect(() => bind(options)).not.toThrow();
    }
  });

  it("ends at exactly the last update and itself, however large both are", () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect([99, 100, 101].map((nowMs) => isExpiredAt(0, 100, nowMs))).toEqual([false, true, true]);
    expect([isExpiredAt(most - 5, most, most), isExpiredAt(most - 5, 5, most), isExpiredAt(most - 5, 6, most)]).toEqual([false, true, false]);
    expect([isExpiredAt(-most, most, 0), isExpiredAt(-most, most, -1), isExpiredAt(-most, most, most)]).toEqual([true, false, true]);
    expect(isExpiredAt(10, 1, 0)).toBe(false);
  });
});

describe("value state with a time to live", () => {
  it("is there until a millisecond before, and gone at exactly last update + ttl; then the default is", () => {
    const bench = new TtlBench();
    const value = bench.bind(valueState<string>("v", "default", { ttl: ttl() }));
    value.update("a");
    bench.nowMs += TTL_MS - 1;
    expect(value.value()).toBe("a");
    bench.nowMs += 1;
    expect(value.value()).toBe("default");
    expect(bench.backend.entries()).toEqual([]);
  });

  it("on-create-and-write: writing refreshes, reading does not", () => {
    const bench = new TtlBench();
    const value = bench.bind(valueState<string>("v", null, { ttl: ttl() }));
    value.update("a");
    bench.nowMs += TTL_MS - 1;
    value.update("b");
    bench.nowMs += TTL_MS - 1;
    expect(value.value()).toBe("b");
    bench.nowMs += 1;
    expect(value.value()).toBe(null);
  });

  it("on-read-and-write: reading refreshes, but only what is not expired", () => {
    const bench = new TtlBench();
    const value = bench.bind(valueState<string>("v", null, { ttl: ttl(onRead) }));
    value.update("a");
    for (let i = 0; i < 3; i++) {
      bench.nowMs += TTL_MS - 1;
      expect(value.value()).toBe("a");
    }
    bench.nowMs += TTL_MS;
    expect([value.value(), value.value()]).toEqual([null, null]);
  });

  it.each([{}, onRead])("return-expired-if-not-cleaned-up: gives out what is expired once (%j)", (update) => {
    const bench = new TtlBench();
    const value = bench.bind(valueState<string>("v", "default", { ttl: ttl({ ...returnsExpired, ...update }) }));
    value.update("a");
    bench.nowMs += TTL_MS;
    expect([value.value(), value.value()]).toEqual(["a", "default"]);
  });

  it("is cleared by an update to null", () => {
    const bench = new TtlBench();
    const value = bench.bind(valueState<string>("v", null, { ttl: ttl() }));
    value.update("a");
    value.update(null);
    expect([value.value(), bench.backend.entries()]).toEqual([null, []]);
  });

  it("keeps the time of its last update over a restore: the time in which the job was down counts", () => {
    const bench = new TtlBench();
    const descriptor = valueState<string>("v", null, { ttl: ttl() });
    bench.bind(descriptor).update("a");
    bench.nowMs += 60;
    bench.restore();
    bench.nowMs += 39;
    expect(bench.bind(descriptor).value()).toBe("a");
    bench.restore();
    bench.nowMs += 1;
    expect(bench.bind(descriptor).value()).toBe(null);
  });

  it("cannot be read without a time to live, nor the other way round", () => {
    const bench = new TtlBench();
    bench.bind(valueState<string>("with", null, { ttl: ttl() })).update("a");
    bench.bind(valueState<string>("without")).update("b");
    expect(() => bench.bind(valueState<string>("with"))).toThrow(StateSchemaError);
    bench.restore();
    expect(() => bench.bind(valueState<string>("with"))).toThrow(/state "with" .* has a time to live and shall have none/);
    expect(() => bench.bind(valueState<string>("without", null, { ttl: ttl() }))).toThrow(/state "without" .* shall have one/);
  });

  it("bound twice is one state; without a time to live it is the backend's own", () => {
    const bench = new TtlBench();
    const descriptor = valueState<string>("v", null, { ttl: ttl() });
    bench.bind(descriptor).update("a");
    expect(bench.bind(descriptor).value()).toBe("a");
    expect(bench.bind(valueState("plain"))).toBe(bench.backend.bind(valueState("plain")).state);
  });
});

describe("list state with a time to live", () => {
  it("lets each element expire by itself, and forgets it when it is read", () => {
    const bench = new TtlBench();
    const list = bench.bind(listState<string>("l", { ttl: ttl() }));
    list.add("a");
    bench.nowMs += 50;
    list.addAll(["b", "c"]);
    bench.nowMs += 49;
    expect(list.get()).toEqual(["a", "b", "c"]);
    bench.nowMs += 1;
    expect(list.get()).toEqual(["b", "c"]);
    expect(bench.backend.entries()[0]?.value).toHaveLength(2);
    bench.nowMs += 50;
    expect(list.get()).toEqual([]);
    expect(bench.backend.entries()).toEqual([]);
  });

  it("update gives all elements the time of now; an empty one clears", () => {
    const bench = new TtlBench();
    const list = bench.bind(listState<string>("l", { ttl: ttl() }));
    list.add("a");
    bench.nowMs += TTL_MS - 1;
    list.update(["a", "b"]);
    bench.nowMs += TTL_MS - 1;
    expect(list.get()).toEqual(["a", "b"]);
    list.update([]);
    expect(bench.backend.entries()).toEqual([]);
  });

  it("on-read-and-write: reading refreshes the elements that are not expired", () => {
    const bench = new TtlBench();
    const list = bench.bind(listState<string>("l", { ttl: ttl(onRead) }));
    list.add("a");
    bench.nowMs += 50;
    list.add("b");
    bench.nowMs += 50;
    expect(list.get()).toEqual(["b"]);
    bench.nowMs += TTL_MS - 1;
    expect(list.get()).toEqual(["b"]);
  });

  it("return-expired-if-not-cleaned-up: gives out expired elements in their place, once", () => {
    const bench = new TtlBench();
    const list = bench.bind(listState<string>("l", { ttl: ttl(returnsExpired) }));
    list.add("a");
    bench.nowMs += 50;
    list.add("b");
    bench.nowMs += 50;
    expect([list.get(), list.get()]).toEqual([["a", "b"], ["b"]]);
    bench.nowMs += 50;
    expect([list.get(), list.get()]).toEqual([["b"], []]);
  });

  it("keeps the times of its elements when namespaces are merged", () => {
    const bench = new TtlBench();
    const bound = bindState(bench.backend, listState<string>("l", { ttl: ttl() }), { processingTimeMs: () => bench.nowMs });
    bound.setNamespace(1);
    bound.state.add("a");
    bench.nowMs += 50;
    bound.setNamespace(2);
    bound.state.add("b");
    bound.mergeNamespaces(2, [1]);
    expect(bound.state.get()).toEqual(["b", "a"]);
    bench.nowMs += 50;
    expect(bound.state.get()).toEqual(["b"]);
  });
});

describe("map state with a time to live", () => {
  it("lets each entry expire by itself, for every way of looking at it", () => {
    const bench = new TtlBench();
    const map = bench.bind(mapState<string, number>("m", { ttl: ttl() }));
    map.put("a", 1);
    map.put("x", 1);
    bench.nowMs += 50;
    map.put("b", 2);
    bench.nowMs += 50;
    expect([map.get("a"), map.contains("x"), map.get("b"), map.contains("b"), map.isEmpty()]).toEqual([null, false, 2, true, false]);
    expect(map.entries()).toEqual([["b", 2]]);
    bench.nowMs += 50;
    expect(map.isEmpty()).toBe(true);
    expect([map.entries(), bench.backend.entries()]).toEqual([[], []]);
  });

  it("puts a key whose entry expired behind the others, as if it had been cleaned up", () => {
    const bench = new TtlBench();
    const map = bench.bind(mapState<string, number>("m", { ttl: ttl() }));
    map.put("a", 1);
    bench.nowMs += 50;
    map.put("b", 2);
    map.put("a", 3);
    expect(map.entries()).toEqual([["a", 3], ["b", 2]]);
    bench.nowMs += 60;
    map.put("b", 4);
    bench.nowMs += 50;
    map.put("a", 5);
    expect(map.entries()).toEqual([["b", 4], ["a", 5]]);
  });

  it("on-read-and-write: get, contains and entries refresh, isEmpty does not", () => {
    const bench = new TtlBench();
    const map = bench.bind(mapState<string, number>("m", { ttl: ttl(onRead) }));
    for (const key of ["get", "contains", "unread"]) map.put(key, 1);
    bench.nowMs += 60;
    map.get("get");
    map.contains("contains");
    map.isEmpty();
    bench.nowMs += 60;
    expect(map.entries()).toEqual([["get", 1], ["contains", 1]]);
    bench.nowMs += 60;
    expect(map.isEmpty()).toBe(false);
    bench.nowMs += 60;
    expect(map.isEmpty()).toBe(true);
  });

  it("return-expired-if-not-cleaned-up: gives out each expired entry once", () => {
    const bench = new TtlBench();
    const map = bench.bind(mapState<string, number>("m", { ttl: ttl(returnsExpired) }));
    for (const key of ["a", "b", "c"]) map.put(key, 1);
    bench.nowMs += TTL_MS;
    expect([map.isEmpty(), map.get("a"), map.get("a"), map.contains("b"), map.contains("b")]).toEqual([false, 1, null, true, false]);
    expect([map.entries(), map.entries(), map.isEmpty()]).toEqual([[["c", 1]], [], true]);
  });
});

describe("reducing and aggregating state with a time to live", () => {
  it("begin anew once the accumulator expired; adding refreshes it", () => {
    const bench = new TtlBench();
    const text = bench.bind(reducingState("text", join, { ttl: ttl() }));
    text.add("a");
    bench.nowMs += TTL_MS - 1;
    text.add("b");
    bench.nowMs += TTL_MS - 1;
    expect(text.get()).toBe("ab");
    bench.nowMs += 1;
    text.add("c");
    expect(text.get()).toBe("c");
  });

  it("read like a value: refreshed on read where that is an update, expired results once where they are visible", () => {
    const bench = new TtlBench();
    const count = { createAccumulator: () => 0, add: (_: string, n: number) => n + 1, getResult: (n: number) => `${n} times` };
    const refreshed = bench.bind(aggregatingState("refreshed", count, { ttl: ttl(onRead) }));
    const visible = bench.bind(aggregatingState("visible", count, { ttl: ttl(returnsExpired) }));
    refreshed.add("x");
    visible.add("x");
    visible.add("y");
    bench.nowMs += 60;
    expect(refreshed.get()).toBe("1 times");
    bench.nowMs += 60;
    expect([refreshed.get(), visible.get(), visible.get()]).toEqual(["1 times", "2 times", null]);
  });

  it("merge what is not expired: two become one of now, one alone keeps its time", () => {
    const bench = new TtlBench();
    const bound = bindState(bench.backend, reducingState("text", join, { ttl: ttl() }), { processingTimeMs: () => bench.nowMs });
    const at = (namespace: number): string | null => {
      bound.setNamespace(namespace);
      return bound.state.get();
    };
    const add = (namespace: number, text: string): void => {
      bound.setNamespace(namespace);
      bound.state.add(text);
    };
    add(1, "a");
    bench.nowMs += 40;
    add(2, "b");
    bench.nowMs += 60;
    bound.mergeNamespaces(3, [1, 2]);
    expect(at(3)).toBe("b");
    bench.nowMs += 39;
    add(4, "c");
    bound.mergeNamespaces(4, [3]);
    bench.nowMs += TTL_MS - 1;
    expect(at(4)).toBe("cb");
    bench.nowMs += 1;
    expect(at(4)).toBe(null);
  });
});
