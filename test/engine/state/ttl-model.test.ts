import fc from "fast-check";
import { expect, it } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { bindState } from "#whitewater/engine/state/bind-state.js";
import { aggregatingState, listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { AggregatingState, ListState, MapState, ValueState } from "#whitewater/engine/state/state.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";
import type { TtlConfig } from "#whitewater/engine/state/ttl-config.js";
import { randomStream } from "./random-stream.js";

const TTL_MS = 10;
const KEYS = ["a", "b"];
const MAP_KEYS = ["x", "y", "z"];

const joined = {
  createAccumulator: () => "",
  add: (value: number, accumulator: string) => accumulator + value,
  getResult: (accumulator: string) => `<${accumulator}>`,
};

/** One after the other: what it does to the state, and what it gives. */
type Operation =
  | { readonly kind: "value" | "update" | "clear-value" | "list" | "add" | "update-list" | "clear-list"; readonly key: number; readonly n: number }
  | { readonly kind: "get" | "put" | "remove" | "contains"; readonly key: number; readonly n: number; readonly mapKey: number }
  | { readonly kind: "entries" | "is-empty" | "clear-map" | "fold" | "fold-add" | "clear-fold"; readonly key: number; readonly n: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "snapshot" | "restore" };

const key = fc.nat(KEYS.length - 1);
const n = fc.nat(9);
/** What a run does to one kind of state: all at once would leave too little for each. */
const ON_STATE: readonly fc.Arbitrary<Operation>[] = [
  fc.record({ kind: fc.constantFrom("value", "value" as const, "update", "clear-value"), key, n }),
  fc.record({ kind: fc.constantFrom("list", "list" as const, "add", "add" as const, "update-list", "clear-list"), key, n }),
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("get", "put", "put" as const, "remove", "contains"), key, n, mapKey: fc.nat(MAP_KEYS.length - 1) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("entries", "entries" as const, "is-empty", "clear-map"), key, n }) },
  ),
  fc.record({ kind: fc.constantFrom("fold", "fold" as const, "fold-add", "fold-add" as const, "clear-fold"), key, n }),
];
const operations: fc.Arbitrary<readonly Operation[]> = fc.constantFrom(...ON_STATE).chain((onState) => {
  const one = fc.oneof(
    { weight: 6, arbitrary: onState },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1, 4, TTL_MS - 1, TTL_MS) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("snapshot", "restore") }) },
  );
  return fc.array(one, { maxLength: 60, size: "max" });
});

interface States {
  readonly value: ValueState<number>;
  readonly list: ListState<number>;
  readonly map: MapState<string, number>;
  readonly fold: AggregatingState<number, string>;
}

/** What an operation gives, from states of the current key. */
function apply(states: States, one: Operation): unknown {
  const { value, list, map, fold } = states;
  switch (one.kind) {
    case "value": return value.value();
    case "update": return value.update(one.n);
    case "clear-value": return value.clear();
    case "list": return list.get();
    case "add": return list.add(one.n);
    case "update-list": return list.update([one.n, one.n + 1]);
    case "clear-list": return list.clear();
    case "get": return map.get(MAP_KEYS[one.mapKey]!);
    case "put": return map.put(MAP_KEYS[one.mapKey]!, one.n);
    case "remove": return map.remove(MAP_KEYS[one.mapKey]!);
    case "contains": return map.contains(MAP_KEYS[one.mapKey]!);
    case "entries": return map.entries();
    case "is-empty": return map.isEmpty();
    case "clear-map": return map.clear();
    case "fold": return fold.get();
    case "fold-add": return fold.add(one.n);
    case "clear-fold": return fold.clear();
    case "pass":
    case "snapshot":
    case "restore": return undefined;
  }
}

/** The engine's states over a heap backend that is restored now and then. */
class Real {
  nowMs = 0;
  readonly #ttl: TtlConfig;
  #backend!: HeapKeyedBackend;
  #states!: States;

  constructor(ttl: TtlConfig) {
    this.#ttl = ttl;
    this.#open(null);
  }

  apply(one: Operation): unknown {
    if (one.kind === "snapshot") this.#snapshot();
    if (one.kind === "restore") this.#open(this.#snapshot());
    if ("key" in one) this.#backend.setCurrentKey(KEYS[one.key]!);
    return apply(this.#states, one);
  }

  #open(snapshot: Uint8Array | null): void {
    const options = { range: { start: 0, end: 3 }, maxParallelism: 4, tieBreak: randomStream(1), nowMs: () => this.nowMs };
    const backend = new HeapKeyedBackend(options);
    if (snapshot !== null) backend.restore([snapshot]);
    const clock = { processingTimeMs: () => this.nowMs };
    const ttl = this.#ttl;
    this.#backend = backend;
    this.#states = {
      value: bindState(backend, valueState<number>("value", null, { ttl }), clock).state,
      list: bindState(backend, listState<number>("list", { ttl }), clock).state,
      map: bindState(backend, mapState<string, number>("map", { ttl }), clock).state,
      fold: bindState(backend, aggregatingState("fold", joined, { ttl }), clock).state,
    };
  }

  #snapshot(): Uint8Array {
    const writer = this.#backend.snapshot();
    while (writer.step(3) > 0);
    return writer.bytes();
  }
}

interface Stamped<T> {
  readonly at: number;
  readonly value: T;
}

/** All values with the time of their last update, in plain arrays; what is expired is dropped before anything else. */
class Model {
  nowMs = 0;
  readonly #refreshes: boolean;
  readonly #keys = KEYS.map(() => ({
    value: [] as Stamped<number>[],
    list: [] as Stamped<number>[],
    map: [] as Stamped<readonly [string, number]>[],
    fold: [] as Stamped<string>[],
  }));

  constructor(refreshes: boolean) {
    this.#refreshes = refreshes;
  }

  apply(one: Operation): unknown {
    for (const key of this.#keys) {
      key.value = this.#live(key.value);
      key.list = this.#live(key.list);
      key.map = this.#live(key.map);
      key.fold = this.#live(key.fold);
    }
    if (!("key" in one)) return undefined;
    const of = this.#keys[one.key]!;
    const mapKey = "mapKey" in one ? MAP_KEYS[one.mapKey]! : "";
    const read = <T>(all: readonly Stamped<T>[]): Stamped<T>[] => all.map((kept) => (this.#refreshes ? this.#now(kept.value) : kept));
    const readMap = (): void => {
      of.map = of.map.map((kept) => (kept.value[0] === mapKey && this.#refreshes ? this.#now(kept.value) : kept));
    };
    const states: States = {
      value: {
        value: () => (of.value = read(of.value))[0]?.value ?? null,
        update: (value) => void (of.value = [this.#now(value!)]),
        clear: () => void (of.value = []),
      },
      list: {
        get: () => (of.list = read(of.list)).map(({ value }) => value),
        add: (value) => void of.list.push(this.#now(value)),
        addAll: () => undefined,
        update: (values) => void (of.list = values.map((value) => this.#now(value))),
        clear: () => void (of.list = []),
      },
      map: {
        get: (key) => {
          readMap();
          return of.map.find(({ value }) => value[0] === key)?.value[1] ?? null;
        },
        contains: (key) => {
          readMap();
          return of.map.some(({ value }) => value[0] === key);
        },
        put: (key, value) => {
          const entry = this.#now([key, value] as const);
          const place = of.map.findIndex((kept) => kept.value[0] === key);
          if (place < 0) of.map.push(entry);
          else of.map[place] = entry;
        },
        remove: (key) => void (of.map = of.map.filter(({ value }) => value[0] !== key)),
        entries: () => (of.map = read(of.map)).map(({ value }) => value),
        isEmpty: () => of.map.length === 0,
        clear: () => void (of.map = []),
      },
      fold: {
        get: () => {
          of.fold = read(of.fold);
          return of.fold.length === 0 ? null : `<${of.fold[0]!.value}>`;
        },
        add: (value) => void (of.fold = [this.#now((of.fold[0]?.value ?? "") + String(value))]),
        clear: () => void (of.fold = []),
      },
    };
    return apply(states, one);
  }

  #live<T>(all: readonly Stamped<T>[]): Stamped<T>[] {
    return all.filter(({ at }) => this.nowMs < at + TTL_MS);
  }

  #now<T>(value: T): Stamped<T> {
    return { at: this.nowMs, value };
  }
}

const NO_CLEANUP = { cleanupInFullSnapshot: false, cleanupIncrementally: 0 };
const CLEANUPS: readonly Partial<TtlConfig>[] = [
  NO_CLEANUP,
  { ...NO_CLEANUP, cleanupInFullSnapshot: true },
  { ...NO_CLEANUP, cleanupIncrementally: 1 },
  { cleanupInFullSnapshot: true, cleanupIncrementally: 7 },
];

it.each(
  CLEANUPS.flatMap((cleanup) => [
    { ...cleanup, update: "on-create-and-write" as const },
    { ...cleanup, update: "on-read-and-write" as const },
  ]),
)("what is never returned expired is what a naive model says, over any times, snapshots and restores: %j", (options) => {
  fc.assert(
    fc.property(operations, (all) => {
      const real = new Real(ttlConfig({ ttlMs: TTL_MS, ...options }));
      const model = new Model(options.update === "on-read-and-write");
      for (const one of all) {
        if (one.kind === "pass") {
          real.nowMs += one.ms;
          model.nowMs += one.ms;
        }
        expect(real.apply(one)).toEqual(model.apply(one));
      }
    }),
    { numRuns: 200 },
  );
});
