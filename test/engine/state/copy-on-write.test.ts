import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import type { Key, Namespace } from "#whitewater/engine/state/state.js";
import { randomStream } from "./random-stream.js";

const MAX_PARALLELISM = 4;
const KEYS: readonly Key[] = ["a", "b", 1, 1n, ["t", 1], -7];
const NAMESPACES: readonly Namespace[] = ["", 10, 20];

function backend(): HeapKeyedBackend {
  return new HeapKeyedBackend({
    range: { start: 0, end: MAX_PARALLELISM - 1 },
    maxParallelism: MAX_PARALLELISM,
    tieBreak: randomStream(3),
  });
}

/** A backend and a plain picture of what it must hold, changed side by side. */
class Twin {
  readonly real: HeapKeyedBackend = backend();
  readonly value = this.real.bind(valueState<number>("value"));
  readonly list = this.real.bind(listState<number>("list"));
  readonly map = this.real.bind(mapState<string, number>("map"));
  readonly model: Map<string, unknown> = new Map();
  readonly timers: Set<string> = new Set();
  readonly flights: { readonly writer: SnapshotWriter; readonly expected: unknown }[] = [];
  private place = "";

  at(key: Key, namespace: Namespace): void {
    this.real.setCurrentKey(key);
    for (const state of [this.value, this.list, this.map]) state.setNamespace(namespace);
    this.place = `${text(key)} ${text(namespace)}`;
  }

  apply(operation: string, item: number): void {
    const slot = (state: string): string => `${state} ${this.place}`;
    const list = (this.model.get(slot("list")) ?? []) as readonly number[];
    const map = new Map(this.model.get(slot("map")) as readonly [string, number][] | undefined);
    switch (operation) {
      case "update":
        this.value.state.update(item);
        this.model.set(slot("value"), item);
        break;
      case "clear":
        this.value.state.clear();
        this.model.delete(slot("value"));
        break;
      case "add":
        this.list.state.add(item);
        this.model.set(slot("list"), [...list, item]);
        break;
      case "replace":
        this.list.state.update([item, item]);
        this.model.set(slot("list"), [item, item]);
        break;
      case "clearList":
        this.list.state.clear();
        this.model.delete(slot("list"));
        break;
      case "put":
        this.map.state.put(`m${item % 3}`, item);
        map.set(`m${item % 3}`, item);
        this.model.set(slot("map"), [...map]);
        break;
      case "remove":
        this.map.state.remove(`m${item % 3}`);
        map.delete(`m${item % 3}`);
        if (map.size === 0) this.model.delete(slot("map"));
        else this.model.set(slot("map"), [...map]);
        break;
      default:
        throw new Error(operation);
    }
  }

  timer(register: boolean, key: Key, namespace: Namespace, timestampMs: number): void {
    this.real.setCurrentKey(key);
    const name = `${timestampMs} ${text(key)} ${text(namespace)}`;
    if (register) this.real.timers().register(0, namespace, timestampMs);
    else this.real.timers().remove(0, namespace, timestampMs);
    if (register) this.timers.add(name);
    else this.timers.delete(name);
  }

  poll(upToMs: number): void {
    const due = [...this.timers].map((name) => Number(name.split(" ")[0])).filter((ms) => ms <= upToMs);
    const timer = this.real.timers().poll(0, upToMs);
    expect(timer?.timestampMs).toBe(due.length === 0 ? undefined : Math.min(...due));
    if (timer === null) return;
    const removed = this.timers.delete(`${timer.timestampMs} ${text(timer.key)} ${text(timer.namespace)}`);
    expect(removed).toBe(true);
  }

  begin(): void {
    this.real.watermarkMs = this.flights.length;
    this.flights.push({ writer: this.real.snapshot(), expected: this.expected() });
  }

  expected(): unknown {
    return { watermarkMs: this.real.watermarkMs, entries: [...this.model].sort(), timers: [...this.timers].sort() };
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
}

/** What a backend holds, in the form of the picture. */
function picture(state: HeapKeyedBackend): unknown {
  const entries = state.entries().map((one) => [`${one.state} ${text(one.key)} ${text(one.namespace)}`, one.value]);
  const timers = state.inspectTimers().eventTime.map((one) => `${one.timestampMs} ${text(one.key)} ${text(one.namespace)}`);
  return { watermarkMs: state.watermarkMs, entries: entries.sort(), timers: timers.sort() };
}

function restored(bytes: Uint8Array): HeapKeyedBackend {
  const state = backend();
  state.restore([bytes]);
  return state;
}

const place = { key: fc.constantFrom(...KEYS), namespace: fc.constantFrom(...NAMESPACES) };
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("update", "clear", "add", "replace", "clearList", "put", "remove"),
      item: fc.nat(20),
      ...place,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("register", "unregister"), item: fc.integer({ min: 1, max: 4 }), ...place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("poll"), item: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("snapshot"), item: fc.constant(0) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("step", "cancel"), item: fc.nat(5) }) },
);

describe("copy-on-write snapshots of the heap backend", () => {
  it("write the state of the moment they were taken, however it changes while they are written", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120, size: "max" }), (steps) => {
        const twin = new Twin();
        for (const one of steps) {
          const flight = twin.flights[one.item % Math.max(1, twin.flights.length)];
          if (one.do === "snapshot") twin.begin();
          else if (one.do === "step") flight?.writer.step(1 + (one.item % 2));
          else if (one.do === "cancel") {
            if (one.item !== 0 || flight === undefined) continue;
            flight.writer.cancel();
            twin.flights.splice(twin.flights.indexOf(flight), 1);
          } else if (one.do === "poll") twin.poll(one.item);
          else if ("key" in one) {
            twin.at(one.key, one.namespace);
            if (one.do === "register" || one.do === "unregister") twin.timer(one.do === "register", one.key, one.namespace, one.item);
            else twin.apply(one.do, one.item);
          }
          expect(twin.real.timers().size(0)).toBe(twin.timers.size);
        }
        expect(picture(twin.real)).toEqual(twin.expected());
        for (const { writer, expected } of twin.flights) {
          while (writer.step(2) > 0);
          const bytes = writer.bytes();
          const back = restored(bytes);
          expect(picture(back)).toEqual(expected);
          // Canonical: what is restored writes the same bytes again.
          const again = back.snapshot();
          while (again.step(1000) > 0);
          expect(again.bytes()).toEqual(bytes);
          writer.cancel();
        }
        expect(picture(twin.real)).toEqual(twin.expected());
      }),
      { numRuns: 300 },
    );
  });

  it("serialize at most the entries asked for in a step, and count what is left", () => {
    const twin = new Twin();
    for (const key of KEYS) {
      for (const namespace of NAMESPACES) {
        twin.at(key, namespace);
        twin.apply("update", 1);
        twin.apply("add", 2);
        twin.timer(true, key, namespace, 5);
      }
    }
    const total = KEYS.length * NAMESPACES.length * 3;
    const writer = twin.real.snapshot();
    const left: number[] = [];
    do left.push(writer.step(4));
    while (left.at(-1)! > 0);
    expect(left).toEqual(Array.from({ length: Math.ceil(total / 4) }, (_, i) => Math.max(0, total - 4 * (i + 1))));
  });

  it("keep no old version once the last of them ended", () => {
    const twin = new Twin();
    for (let round = 0; round < 50; round++) {
      const writer = twin.real.snapshot();
      const older = twin.real.snapshot();
      for (const key of KEYS) {
        twin.at(key, "");
        twin.apply("update", round);
        twin.apply("clear", 0);
        twin.timer(true, key, "", round);
        twin.timer(false, key, "", round);
      }
      writer.cancel();
      writer.cancel();
      older.step(1000);
      older.cancel();
    }
    expect(twin.real.entries()).toEqual([]);
    // Reaches inside: the promise is about memory, which nothing else shows.
    const { table } = twin.real as unknown as { readonly table: { readonly groups: readonly Set<unknown>[]; readonly touched: readonly unknown[] } };
    expect(table.groups.map((group) => group.size)).toEqual([0, 0, 0, 0]);
    expect(table.touched).toEqual([]);
  });
});
