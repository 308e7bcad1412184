import { expect, it } from "vitest";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import { Host, maintainFully, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";

/** Bytes that no compression and no repetition makes smaller. */
function noise(sizeBytes: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) words[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

/** toEqual of vitest takes minutes for megabytes. */
function same(left: unknown, right: Uint8Array): boolean {
  return left instanceof Uint8Array && Buffer.compare(left, right) === 0;
}

/** A million keys take their time where a machine does much else. */
const MANY_KEYS_TIMEOUT_MS = 600_000;

/** Keys in their number alone. */
export function manyKeysTest(subject: BackendUnderTest): void {
  const { manyKeys } = subject.budgets;

  it(`keeps ${manyKeys} keys, through maintenance, a snapshot and a restore`, () => {
    const host = new Host(subject);
    const backend = host.open({ roomy: true });
    const { state } = backend.bind(valueState<number>("v"));
    // A stride without common factor: no order of writing that suits the store.
    const at = (i: number): number => (i * 7919) % manyKeys;
    for (let i = 0; i < manyKeys; i++) {
      backend.setCurrentKey(at(i));
      state.update(i);
      if ((i & 1023) === 0 && backend.needsMaintenance) backend.maintain();
    }
    for (let i = 0; i < manyKeys; i += 10) {
      backend.setCurrentKey(at(i));
      if (i % 20 === 0) state.clear();
      else state.update(-i);
    }
    maintainFully(backend);
    const restored = host.restored([snapshotOf(backend)], { roomy: true });
    for (const one of [backend, restored]) {
      const again = one.bind(valueState<number>("v")).state;
      for (let i = 0; i < manyKeys; i += 5) {
        one.setCurrentKey(at(i));
        const expected = i % 10 !== 0 ? i : i % 20 === 0 ? null : -i;
        if (again.value() !== expected) expect([i, again.value()]).toEqual([i, expected]);
      }
      one.setCurrentKey(manyKeys);
      expect(again.value()).toBe(null);
      one.dispose();
    }
  }, MANY_KEYS_TIMEOUT_MS);
}

export function largeStateTests(subject: BackendUnderTest): void {
  const { largeValueBytes } = subject.budgets;

  it(`keeps a value, a list element and a map's value of ${largeValueBytes} bytes each`, () => {
    const host = new Host(subject);
    const backend = host.open({ roomy: true });
    const values = [1, 2, 3].map((seed) => noise(largeValueBytes, seed));
    backend.setCurrentKey("k");
    backend.bind(valueState<Uint8Array>("v")).state.update(values[0]!);
    const list = backend.bind(listState<unknown>("l")).state;
    list.add("before");
    list.add(values[1]);
    list.add("after");
    backend.bind(mapState<string, Uint8Array>("m")).state.put("x", values[2]!);
    maintainFully(backend);
    const section = snapshotOf(backend);
    backend.dispose();
    const restored = host.restored([section], { roomy: true });
    restored.setCurrentKey("k");
    expect(same(restored.bind(valueState<unknown>("v")).state.value(), values[0]!)).toBe(true);
    const [before, large, after] = restored.bind(listState<unknown>("l")).state.get();
    expect([before, same(large, values[1]!), after]).toEqual(["before", true, "after"]);
    expect(same(restored.bind(mapState<string, unknown>("m")).state.get("x"), values[2]!)).toBe(true);
    restored.dispose();
  });

  it("keeps a thousand elements of one list and a thousand entries of one map, changed one by one", () => {
    const host = new Host(subject);
    const backend = host.open();
    const list = backend.bind(listState<number>("l")).state;
    const map = backend.bind(mapState<number, number>("m")).state;
    backend.setCurrentKey("k");
    for (let i = 0; i < 1000; i++) {
      list.add(i);
      map.put((i * 37) % 1000, i);
    }
    for (let i = 0; i < 1000; i += 3) map.remove(i);
    const restored = host.restored([snapshotOf(backend)]);
    restored.setCurrentKey("k");
    const numbers = Array.from({ length: 1000 }, (_, i) => i);
    expect(restored.bind(listState<number>("l")).state.get()).toEqual(numbers);
    const entries = numbers.map((i) => [(i * 37) % 1000, i]).filter(([key]) => key! % 3 !== 0);
    expect(restored.bind(mapState<number, number>("m")).state.entries()).toEqual(entries);
  });
}
