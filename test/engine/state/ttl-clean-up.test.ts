import { describe, expect, it } from "vitest";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { Key } from "#whitewater/engine/state/state.js";
import { TTL_MS, TtlBench, ttl } from "./ttl-bench.js";

describe("clean-up", () => {
  it("in a full snapshot leaves out what is expired when the snapshot begins, whatever is written and passes meanwhile", () => {
    const descriptors = {
      value: valueState<string>("v", null, { ttl: ttl({ cleanupInFullSnapshot: true }) }),
      list: listState<string>("l", { ttl: ttl({ cleanupInFullSnapshot: true }) }),
      map: mapState<string, number>("m", { ttl: ttl({ cleanupInFullSnapshot: true }) }),
      kept: valueState<string>("kept", null, { ttl: ttl() }),
    };
    const filled = (isEarly: boolean): TtlBench => {
      const bench = new TtlBench();
      const { value, list, map, kept } = descriptors;
      const states = [bench.bind(value), bench.bind(list), bench.bind(map), bench.bind(kept)] as const;
      const fill = (key: Key, letter: string): void => {
        bench.backend.setCurrentKey(key);
        states[0].update(letter);
        states[1].add(letter);
        states[2].put(letter, 1);
      };
      bench.backend.setCurrentKey("early");
      states[3].update("early");
      if (isEarly) fill("early", "e");
      if (isEarly) fill("both", "e");
      bench.nowMs += 50;
      fill("both", "l");
      fill("late", "l");
      bench.nowMs += 50;
      return bench;
    };
    const bench = filled(true);
    const writer = bench.backend.snapshot();
    writer.step(1);
    bench.nowMs += 1000;
    bench.bind(descriptors.value).update("later");
    while (writer.step(1) > 0);
    expect(writer.bytes()).toEqual(filled(false).snapshot());
    expect(bench.backend.entries().length).toBeGreaterThan(filled(false).backend.entries().length);
  });

  it("incremental: accesses of one key go round and drop what expired of all others", () => {
    const bench = new TtlBench();
    const list = bench.bind(listState<number>("l", { ttl: ttl({ cleanupIncrementally: 2 }) }));
    const value = bench.bind(valueState<number>("v", null, { ttl: ttl({ cleanupIncrementally: 2 }) }));
    for (let key = 0; key < 50; key++) {
      bench.backend.setCurrentKey(key);
      list.add(1);
      value.update(1);
      if (key % 2 === 0) bench.nowMs += 1;
      list.add(2);
      bench.nowMs -= key % 2 === 0 ? 1 : 0;
    }
    bench.nowMs += TTL_MS;
    bench.backend.setCurrentKey("other");
    for (let i = 0; i < 100; i++) list.get();
    // Every second list has an element that is a millisecond younger; the values nobody looked at are still there.
    expect(bench.backend.entries().filter(({ state }) => state === "l")).toHaveLength(25);
    expect(bench.backend.entries().filter(({ state }) => state === "v")).toHaveLength(50);
    for (let i = 0; i < 100; i++) value.value();
    expect(bench.backend.entries()).toHaveLength(25);
  });

  it("incremental: does not change what a snapshot in flight writes", () => {
    const bench = new TtlBench();
    const map = bench.bind(mapState<string, number>("m", { ttl: ttl({ cleanupIncrementally: 50 }) }));
    for (let key = 0; key < 20; key++) {
      bench.backend.setCurrentKey(key);
      map.put("a", 1);
    }
    bench.nowMs += 50;
    for (let key = 0; key < 20; key += 2) {
      bench.backend.setCurrentKey(key);
      map.put("b", 1);
    }
    const before = bench.snapshot();
    const writer = bench.backend.snapshot();
    writer.step(1);
    bench.nowMs += 50;
    for (let i = 0; i < 20; i++) map.get("none");
    expect(bench.backend.entries()).toHaveLength(10);
    while (writer.step(1) > 0);
    expect(writer.bytes()).toEqual(before);
  });
});
