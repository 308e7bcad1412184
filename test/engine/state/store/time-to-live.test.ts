import { describe, expect, it } from "vitest";
import { CompactionFilter } from "#whitewater/engine/state/backends/store/row-expiry.js";
import type { StoreKeyedBackend } from "#whitewater/engine/state/backends/store/store-keyed-backend.js";
import { bindState } from "#whitewater/engine/state/bind-state.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { ListState, MapState, ReducingState, ValueState } from "#whitewater/engine/state/state.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";
import { MemoryStore } from "./memory-store.js";
import { MAX_PARALLELISM, WHOLE_RANGE, backend, snapshotOf } from "./store-backends.js";

interface Fixture {
  readonly clock: { nowMs: number };
  readonly store: MemoryStore;
  readonly state: StoreKeyedBackend;
  readonly value: ValueState<string>;
  readonly list: ListState<string>;
  readonly map: MapState<string, string>;
  readonly reduced: ReducingState<string>;
  readonly plain: ValueState<string>;
}

function fixture(cleanupInCompaction: boolean, cleanupInFullSnapshot = false): Fixture {
  const clock = { nowMs: 1000 };
  const nowMs = (): number => clock.nowMs;
  const filter = new CompactionFilter(MAX_PARALLELISM, nowMs);
  const store = new MemoryStore();
  store.rowFilter = filter.accepts;
  const state = backend(WHOLE_RANGE, 1, { store, nowMs, compactionFilter: filter });
  const ttl = ttlConfig({ ttlMs: 10, cleanupInCompaction, cleanupInFullSnapshot });
  const options = { ttl };
  const ttlClock = { processingTimeMs: nowMs };
  // Its value looks like an old timestamp.
  const plain = state.bind(valueState<string>("plain")).state;
  const value = bindState(state, valueState<string>("value", null, options), ttlClock).state;
  const list = bindState(state, listState<string>("list", options), ttlClock).state;
  const map = bindState(state, mapState<string, string>("map", options), ttlClock).state;
  const reduced = bindState(state, reducingState<string>("reduced", (l, r) => l + r, options), ttlClock).state;
  const count = { createAccumulator: () => 0, add: (_: string, acc: number) => acc + 1, getResult: (acc: number) => acc };
  bindState(state, aggregatingState("never written", count, options), ttlClock);
  state.setCurrentKey("k");
  return { clock, store, state, value, list, map, reduced, plain };
}

function fill({ clock, value, list, map, reduced, plain }: Fixture): void {
  plain.update("p");
  value.update("old");
  reduced.add("old");
  list.addAll(["old 1", "old 2"]);
  // More than 127 sequence numbers are drawn, so that they take two bytes.
  for (let i = 0; i < 130; i++) map.put("old", `${i}`);
  for (let i = 0; i < 130; i++) map.put(`old ${i}`, "");
  clock.nowMs = 1005;
  list.add("new");
  map.put("new", "n");
}

describe("compaction", () => {
  it("drops rows whose last update is expired, from exactly the time to live on, and no others", () => {
    const all = fixture(true);
    fill(all);
    const before = all.store.size;
    all.clock.nowMs = 1009;
    all.store.maintain();
    expect(all.store.size).toBe(before);
    all.clock.nowMs = 1010;
    all.store.maintain();
    expect(all.store.size).toBe(3);
    expect([all.value.value(), all.list.get(), all.map.entries(), all.plain.value()]).toEqual([null, ["new"], [["new", "n"]], "p"]);
    all.list.add("newer");
    all.map.put("old", "again");
    expect([all.list.get(), all.map.entries()]).toEqual([["new", "newer"], [["new", "n"], ["old", "again"]]]);
    all.clock.nowMs = 1020;
    all.store.maintain();
    expect([all.store.size, all.list.get(), all.map.isEmpty()]).toEqual([1, [], true]);
    // What nothing is left of is in no snapshot.
    const restored = backend();
    restored.restore([snapshotOf(all.state)]);
    expect(restored.entries({ read: () => null })).toHaveLength(1);
  });

  it("is invisible: a job sees the same with and without it", () => {
    const [compacted, plain] = [fixture(true), fixture(true)];
    for (const one of [compacted, plain]) fill(one);
    for (const nowMs of [1008, 1010, 1012, 1015, 1030]) {
      for (const one of [compacted, plain]) one.clock.nowMs = nowMs;
      compacted.store.maintain();
      const [seen, expected] = [compacted, plain].map(({ value, list, map, reduced }) => {
        const before = [value.value(), list.get(), map.get("old 7"), map.entries(), map.isEmpty(), reduced.get()];
        reduced.add("x");
        list.add(`at ${nowMs}`);
        return before;
      });
      expect(seen).toEqual(expected);
    }
  });

  it("drops nothing of states that do not want it, and nothing of states that no job bound", () => {
    const kept = fixture(false);
    fill(kept);
    const before = kept.store.size;
    kept.clock.nowMs = 99_999;
    kept.store.maintain();
    expect(kept.store.size).toBe(before);
    const filter = new CompactionFilter(MAX_PARALLELISM, () => 99_999);
    const store = new MemoryStore();
    store.rowFilter = filter.accepts;
    const restored = backend(WHOLE_RANGE, 1, { store, compactionFilter: filter });
    restored.restore([snapshotOf(kept.state)]);
    store.maintain();
    expect(store.size).toBe(before);
  });
});

describe("full snapshots", () => {
  it("leave out what is expired when they begin, where the time to live says so", () => {
    const all = fixture(false, true);
    fill(all);
    all.clock.nowMs = 1009;
    const early = all.state.snapshot();
    all.clock.nowMs = 1010;
    const late = all.state.snapshot();
    const contentsOf = [early, late].map((writer) => {
      while (writer.step(5) > 0);
      const restored = backend();
      restored.restore([writer.bytes()]);
      return restored.entries({ read: () => null });
    });
    expect(contentsOf[0]!.map(({ state }) => state).sort()).toEqual(["list", "map", "plain", "reduced", "value"]);
    expect(contentsOf[1]!.map(({ state, value }) => [state, value])).toEqual([
      ["list", [{ lastUpdateMs: 1005, value: "new" }]],
      ["map", [["new", { lastUpdateMs: 1005, value: "n" }]]],
      ["plain", "p"],
    ]);
  });
});
