import { describe, expect, it } from "vitest";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { StateDefinitionError } from "#whitewater/engine/state/state-errors.js";
import type { TtlConfig } from "#whitewater/engine/state/ttl-config.js";
import { Host, errorOf, expectBytes, maintainFully, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";

const TTL_MS = 100;

function config(rest: Partial<TtlConfig> = {}): TtlConfig {
  return {
    ttlMs: TTL_MS,
    update: "on-create-and-write",
    visibility: "never-return-expired",
    cleanupInFullSnapshot: false,
    cleanupIncrementally: 0,
    cleanupInCompaction: false,
    ...rest,
  };
}

/** A key's state of every kind with one time to live, at a clock that the test sets. */
class Expiring {
  readonly host: Host;
  readonly backend: KeyedBackend;
  readonly value;
  readonly list;
  readonly map;
  readonly reducing;
  readonly aggregating;

  constructor(host: Host, ttl: TtlConfig, backend: KeyedBackend = host.open()) {
    this.host = host;
    this.backend = backend;
    const last = (_: number, right: number): number => right;
    const joined = {
      createAccumulator: (): readonly number[] => [],
      add: (value: number, all: readonly number[]): readonly number[] => [...all, value],
      getResult: (all: readonly number[]): string => all.join("+"),
      merge: (left: readonly number[], right: readonly number[]): readonly number[] => [...left, ...right],
    };
    this.value = host.bind(backend, valueState<number>("v", null, { ttl }));
    this.list = host.bind(backend, listState<number>("l", { ttl }));
    this.map = host.bind(backend, mapState<string, number>("m", { ttl }));
    this.reducing = host.bind(backend, reducingState<number>("r", last, { ttl }));
    this.aggregating = host.bind(backend, aggregatingState("a", joined, { ttl }));
    backend.setCurrentKey("k");
  }

  write(number: number): void {
    this.value.state.update(number);
    this.list.state.add(number);
    this.map.state.put(`m${number}`, number);
    this.reducing.state.add(number);
    this.aggregating.state.add(number);
  }

  /** What is read at a moment. */
  at(nowMs: number): unknown {
    this.host.nowMs = nowMs;
    return [this.value.state.value(), this.list.state.get(), this.map.state.entries(), this.reducing.state.get(), this.aggregating.state.get()];
  }
}

const NOTHING = [null, [], [], null, null];

export function timeToLiveTests(subject: BackendUnderTest): void {
  function expiring(rest: Partial<TtlConfig> = {}): Expiring {
    return new Expiring(new Host(subject), config(rest));
  }

  it("ends exactly at the last update plus its length, in every kind of state", () => {
    const state = expiring();
    state.host.nowMs = 1000;
    state.write(1);
    const all = [1, [1], [["m1", 1]], 1, "1"];
    expect([state.at(1000), state.at(1099), state.at(1100)]).toEqual([all, all, NOTHING]);
    expect([state.map.state.isEmpty(), state.map.state.contains("m1"), state.map.state.get("m1")]).toEqual([true, false, null]);
    // Read once, it is gone, even for a clock that goes back.
    expect(state.at(1050)).toEqual(NOTHING);
  });

  it("is begun anew by writing; by reading only where that was wanted", () => {
    const [onWrite, onRead] = [expiring(), expiring({ update: "on-read-and-write" })];
    for (const state of [onWrite, onRead]) state.write(1);
    for (const state of [onWrite, onRead]) state.at(60);
    expect(onWrite.at(120)).toEqual(NOTHING);
    expect(onRead.at(120)).toEqual([1, [1], [["m1", 1]], 1, "1"]);
    expect(onRead.at(220)).toEqual(NOTHING);
    onWrite.host.nowMs = 300;
    onWrite.write(2);
    onWrite.host.nowMs = 380;
    onWrite.value.state.update(3);
    onWrite.reducing.state.add(3);
    onWrite.aggregating.state.add(3);
    expect(onWrite.at(420)).toEqual([3, [], [], 3, "2+3"]);
  });

  it("is each list element's and each map entry's own", () => {
    const state = expiring();
    state.list.state.add(1);
    state.map.state.put("a", 1);
    state.map.state.put("b", 1);
    state.host.nowMs = 50;
    state.list.state.addAll([2, 3]);
    state.map.state.put("a", 2);
    state.map.state.put("c", 2);
    state.host.nowMs = 100;
    expect([state.list.state.get(), state.map.state.entries()]).toEqual([[2, 3], [["a", 2], ["c", 2]]]);
    expect([state.map.state.contains("b"), state.map.state.get("a")]).toEqual([false, 2]);
    state.host.nowMs = 149;
    state.map.state.put("b", 3);
    state.host.nowMs = 150;
    expect([state.list.state.get(), state.map.state.entries(), state.map.state.isEmpty()]).toEqual([[], [["b", 3]], false]);
  });

  it("refreshed by reading one map entry leaves the others alone", () => {
    const state = expiring({ update: "on-read-and-write" });
    state.map.state.put("a", 1);
    state.map.state.put("b", 1);
    state.map.state.put("c", 1);
    state.host.nowMs = 80;
    expect([state.map.state.get("a"), state.map.state.contains("c")]).toEqual([1, true]);
    state.host.nowMs = 120;
    expect(state.map.state.contains("b")).toBe(false);
    expect(state.map.state.get("a")).toBe(1);
  });

  it("that ended lets folded state begin anew, and clears by null as ever", () => {
    const state = expiring();
    state.write(1);
    state.host.nowMs = 100;
    state.write(2);
    expect(state.at(100)).toEqual([2, [2], [["m2", 2]], 2, "2"]);
    state.value.state.update(null);
    expect(state.value.state.value()).toBe(null);
  });

  it("shows what is expired once where that was wanted, until somebody cleaned up", () => {
    const state = expiring({ visibility: "return-expired-if-not-cleaned-up" });
    state.write(1);
    const all = [1, [1], [["m1", 1]], 1, "1"];
    expect([state.at(100), state.at(100)]).toEqual([all, NOTHING]);
    state.write(2);
    state.host.nowMs = 500;
    expect([state.map.state.get("m2"), state.map.state.get("m2")]).toEqual([2, null]);
  });

  it("goes on while the job is down: times are part of snapshots", () => {
    const first = expiring();
    first.host.nowMs = 1000;
    first.write(1);
    const section = snapshotOf(first.backend);
    const restored = (): Expiring => new Expiring(first.host, config(), first.host.restored([section]));
    expect(restored().at(1099)).toEqual([1, [1], [["m1", 1]], 1, "1"]);
    expect(restored().at(1100)).toEqual(NOTHING);
  });

  const itSchemas = subject.capabilities.schemas ? it : null;
  itSchemas?.("is given to state for good: with and without one are different serializers", () => {
    const host = new Host(subject);
    const backend = host.open();
    backend.setCurrentKey("k");
    host.bind(backend, valueState<number>("with", null, { ttl: config() })).state.update(1);
    host.bind(backend, valueState<number>("without")).state.update(1);
    const section = snapshotOf(backend);
    for (const descriptor of [valueState<number>("with"), valueState<number>("without", null, { ttl: config() })]) {
      const error = errorOf(() => void host.bind(host.restored([section]), descriptor));
      expect([error.name, error.message.includes(`"${descriptor.name}"`)]).toEqual(["StateSchemaError", true]);
    }
    // Another length is no other serializer.
    host.nowMs = 150;
    const longer = host.bind(backend, valueState<number>("with", null, { ttl: config({ ttlMs: 200 }) }));
    expect(longer.state).toBeDefined();
    const restored = host.restored([section]);
    restored.setCurrentKey("k");
    expect(host.bind(restored, valueState<number>("with", null, { ttl: config({ ttlMs: 200 }) })).state.value()).toBe(1);
  });

  const itMerging = subject.capabilities.merging ? it : null;
  itMerging?.("takes part in merging: what is expired does not come along", () => {
    const state = expiring();
    for (const [namespace, nowMs] of [[1, 0], [2, 50]] as const) {
      state.host.nowMs = nowMs;
      for (const bound of [state.list, state.aggregating]) bound.setNamespace(namespace);
      state.list.state.add(namespace);
      state.aggregating.state.add(namespace);
    }
    state.host.nowMs = 120;
    for (const bound of [state.list, state.aggregating]) {
      bound.mergeNamespaces(3, [1, 2]);
      bound.setNamespace(3);
    }
    expect([state.list.state.get(), state.aggregating.state.get()]).toEqual([[2], "2"]);
  });

  describe("cleaned up in the background", () => cleanupTests(subject));
}

function cleanupTests(subject: BackendUnderTest): void {
  const WAYS: readonly Partial<TtlConfig>[] = [
    {},
    { cleanupInFullSnapshot: true },
    { cleanupIncrementally: null, cleanupInCompaction: null },
    { cleanupInFullSnapshot: true, cleanupIncrementally: null, cleanupInCompaction: null },
  ];

  it("has clean-ups of its own, and refuses every other where the state is bound, naming what it has", () => {
    const { backend, incrementally, inCompaction } = new Host(subject).open().expiryCleanUps;
    const asked = [
      { can: incrementally, name: "cleanupIncrementally", options: { cleanupIncrementally: 3 } },
      { can: inCompaction, name: "cleanupInCompaction", options: { cleanupInCompaction: true } },
    ] as const;
    const owned = ["cleanupInFullSnapshot", ...asked.filter(({ can }) => can).map(({ name }) => name)];
    for (const { can, name, options } of asked) {
      const bind = (): Expiring => new Expiring(new Host(subject), config(options));
      if (can) {
        expect(bind).not.toThrow();
        continue;
      }
      const error = errorOf(bind);
      expect(error).toBeInstanceOf(StateDefinitionError);
      expect(String(error)).toContain(`asks for ${name}`);
      expect(String(error)).toContain(`the state backend ${backend} does not`);
      expect(String(error)).toContain(`It has: ${owned.join(", ")};`);
    }
  });

  it("reads as if nobody cleaned up, whichever way, snapshots and restores between", () => {
    const readings = WAYS.map((way) => {
      const host = new Host(subject);
      let state = new Expiring(host, config(way));
      const seen: unknown[] = [];
      for (let round = 0; round < 60; round++) {
        host.nowMs = round * 17;
        for (let key = 0; key < 5; key++) {
          state.backend.setCurrentKey(`k${(key * round) % 7}`);
          if ((round + key) % 3 === 0) state.write(round);
          seen.push(state.at(host.nowMs));
          seen.push([state.map.state.isEmpty(), state.map.state.contains(`m${round - 4}`)]);
        }
        maintainFully(state.backend);
        if (round % 20 === 19) {
          state = new Expiring(host, config(way), host.restored([snapshotOf(state.backend)]));
        } else if (round % 5 === 4) snapshotOf(state.backend);
      }
      return seen;
    });
    for (const reading of readings) expect(reading).toEqual(readings[0]);
    expect(new Set((readings[0] as unknown[]).map((one) => JSON.stringify(one))).size).toBeGreaterThan(20);
  });

  it("leaves expired elements out of full snapshots, where that was wanted", () => {
    const ttl = config({ cleanupInFullSnapshot: true });
    const state = new Expiring(new Host(subject), ttl);
    state.write(1);
    state.backend.setCurrentKey("gone");
    state.write(5);
    state.backend.setCurrentKey("k");
    state.host.nowMs = 60;
    state.list.state.add(2);
    state.map.state.put("m2", 2);
    state.host.nowMs = 120;
    const section = snapshotOf(state.backend);
    const only = new Expiring(new Host(subject), ttl);
    only.host.nowMs = 60;
    only.list.state.add(2);
    only.map.state.put("m2", 2);
    expectBytes(section, snapshotOf(only.backend));
  });
}
