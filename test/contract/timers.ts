import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_WATERMARK } from "#whitewater/engine/base/units.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { Key, Namespace, TimerDomain } from "#whitewater/engine/state/state.js";
import { keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { Host, MAX_PARALLELISM, errorOf, pollAll, snapshotOf, text } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";

export function timerTests(subject: BackendUnderTest): void {
  it("are a set over key, namespace and timestamp, in two domains that know nothing of each other", () => {
    const host = new Host(subject);
    const backend = host.open();
    const timers = backend.timers();
    for (const key of ["a", "b"]) {
      backend.setCurrentKey(key);
      for (const timestampMs of [30, 10, 20, 10]) timers.register(0, "", timestampMs);
      for (const namespace of [7, "7", 0]) timers.register(0, namespace, 10);
      timers.register(1, "", 5);
    }
    expect([timers.size(0), timers.size(1), timers.peek(0), timers.peek(1)]).toEqual([12, 2, 10, 5]);
    expect([timers.all(0).length, timers.all(1).length]).toEqual([12, 2]);
    timers.remove(0, "", 20);
    timers.remove(0, "", 20);
    timers.remove(0, "none", 10);
    timers.remove(1, "", 10);
    expect([timers.size(0), timers.size(1)]).toEqual([11, 2]);
    const rest = pollAll(backend, 0);
    expect(rest.map((timer) => timer.timestampMs)).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 20, 30, 30]);
    expect(rest.filter(({ timestampMs }) => timestampMs === 20)).toEqual([{ key: "a", namespace: "", timestampMs: 20 }]);
    expect([timers.size(0), timers.peek(0), timers.all(0)]).toEqual([0, null, []]);
    expect(backend.inspectTimers().processingTime).toHaveLength(2);
  });

  it("come only when due, at their timestamp exactly, and may be registered again", () => {
    const backend = new Host(subject).open();
    const timers = backend.timers();
    backend.setCurrentKey("k");
    timers.register(0, 3, 100);
    expect([timers.poll(0, 99), timers.poll(1, 1000), timers.size(0)]).toEqual([null, null, 1]);
    expect(pollAll(backend, 0, 100)).toEqual([{ key: "k", namespace: 3, timestampMs: 100 }]);
    timers.register(0, 3, 100);
    expect([timers.size(0), timers.peek(0)]).toEqual([1, 100]);
    timers.remove(0, 3, 100);
    expect([timers.size(0), timers.peek(0), timers.poll(0, 1000)]).toEqual([0, null, null]);
  });

  it("keep keys of every type and any safe timestamp, before and after a restore", () => {
    const host = new Host(subject);
    const backend = host.open();
    const keys: readonly Key[] = ["a", "\ud800", 1, 1n, -(1n << 70n), true, 1.5, ["t", [1n, ""]], []];
    const stamps = [-1, 0, -(2 ** 40), 2 ** 40, 1000, 255, 256, MAX_WATERMARK, Number.MIN_SAFE_INTEGER];
    for (const key of keys) {
      backend.setCurrentKey(key);
      for (const timestampMs of stamps) backend.timers().register(1, "w", timestampMs);
    }
    const restored = host.restored([snapshotOf(backend)]);
    for (const one of [backend, restored]) {
      const fired = pollAll(one, 1);
      const sorted = [...stamps].sort((left, right) => left - right);
      expect(fired.map((timer) => timer.timestampMs)).toEqual(sorted.flatMap((stamp) => keys.map(() => stamp)));
      const expected = keys.flatMap((key) => stamps.map((timestampMs) => text({ key, namespace: "w", timestampMs })));
      expect(fired.map(text).sort()).toEqual(expected.sort());
    }
    backend.setCurrentKey("a");
    expect(errorOf(() => backend.timers().register(0, "", 1.5)).name).toBe("InvariantError");
  });

  it("may be registered and removed while they fire", () => {
    const backend = new Host(subject).open();
    const timers = backend.timers();
    backend.setCurrentKey("k");
    for (const timestampMs of [10, 20, 30]) timers.register(0, "", timestampMs);
    const fired: number[] = [];
    for (let timer = timers.poll(0, 30); timer !== null; timer = timers.poll(0, 30)) {
      fired.push(timer.timestampMs);
      if (fired.length > 1) continue;
      timers.remove(0, "", 20);
      timers.register(0, "", 5);
      timers.register(0, "late", 10);
      timers.register(0, "", 31);
    }
    expect([fired, timers.peek(0)]).toEqual([[10, 5, 10, 30], 31]);
  });

  it("come in order of time after any registrations and removals", () => {
    const change = fc.tuple(fc.boolean(), fc.constantFrom<Key>("a", "b", 1n), fc.constantFrom<Namespace>("", 1, 2), fc.integer({ min: -3, max: 25 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120, size: "max" }), (changes) => {
        const backend = new Host(subject).open();
        const model = new Map<string, number>();
        for (const [register, key, namespace, timestampMs] of changes) {
          backend.setCurrentKey(key);
          const name = text({ key, namespace, timestampMs });
          if (register) backend.timers().register(0, namespace, timestampMs);
          else backend.timers().remove(0, namespace, timestampMs);
          if (register) model.set(name, timestampMs);
          else model.delete(name);
        }
        const fired = pollAll(backend, 0);
        expect(fired.map((timer) => timer.timestampMs)).toEqual([...model.values()].sort((a, b) => a - b));
        expect(fired.map(text).sort()).toEqual([...model.keys()].sort());
        backend.dispose();
      }),
      { numRuns: 60 },
    );
  });

  describe("of one timestamp", () => {
    const fill = (backend: KeyedBackend, domain: TimerDomain): void => {
      for (let i = 0; i < 40; i++) {
        backend.setCurrentKey(`k${i}`);
        backend.timers().register(domain, i % 3, 10);
      }
    };

    it("come in an order that the seed draws", () => {
      const order = (seed: number): string => {
        const backend = new Host(subject).open({ seed });
        fill(backend, 0);
        return pollAll(backend, 0).map((timer) => timer.key).join(" ");
      };
      expect(order(1)).toBe(order(1));
      expect(new Set([1, 2, 3, 4, 5].map(order)).size).toBe(5);
    });

    it("come in the same order after a restore, in however many sections they arrive", () => {
      const host = new Host(subject);
      const backend = host.open();
      fill(backend, 1);
      const whole = snapshotOf(backend);
      const parts = [0, 1, 2].map((index) => snapshotOf(host.restored([whole], { range: keyGroupRange(MAX_PARALLELISM, 3, index) })));
      const fired = [[whole], parts, [parts[2]!, parts[0]!, parts[1]!]].map((sections) =>
        pollAll(host.restored(sections, { seed: 77 }), 1).map(text),
      );
      expect(fired[0]).toHaveLength(40);
      expect(fired[1]).toEqual(fired[0]);
      expect(fired[2]).toEqual(fired[0]);
    });
  });
}
