import fc from "fast-check";
import { bindState } from "#whitewater/engine/state/bind-state.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import type { Key, Namespace } from "#whitewater/engine/state/state.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";

export const KEYS: readonly Key[] = ["a", "b", "", 0, -0, 7, -3, 1.5, 300, 70000, 9n, -1n, true, false, ["a", 1], ["a", [0]], "\ud800", "zz"];
const NAMESPACES: readonly Namespace[] = ["", 0, 1, 1000, -5, "n"];
const MAP_KEYS: readonly unknown[] = ["x", "y", 0, -0, 5, [1], { f: 1 }, null, "xx"];
const VALUES: readonly unknown[] = [0, -0, 1, "v", null, undefined, { a: [1, 2], b: "c" }, [], new Uint8Array([1, 2, 3]), 7n, NaN, "long".repeat(60)];
const TTL = ttlConfig({ ttlMs: 10, cleanupInFullSnapshot: true, cleanupIncrementally: 0 });

/** A change or look at state: which one, and numbers that choose what it concerns. */
export type Operation = readonly [kind: string, key: number, namespace: number, argument: number];

const KINDS = [
  "update", "clear value", "long", "clear long",
  "add", "addAll", "updateList", "clear list", "merge lists",
  "put", "put", "remove", "clear map", "put text",
  "reduce", "clear reduced", "merge reduced", "aggregate", "merge aggregated",
  "register", "register", "remove timer", "poll", "watermark",
  "tick", "ttl update", "ttl add", "ttl put", "ttl read", "read", "read",
] as const;

export const operation: fc.Arbitrary<Operation> = fc.tuple(
  fc.constantFrom(...KINDS),
  fc.nat(KEYS.length - 1),
  fc.nat(NAMESPACES.length - 1),
  fc.nat(1000),
);

/** Applies operations to one backend; whatever a job sees of them is returned. */
export class OperationRunner {
  readonly backend: KeyedBackend;
  private readonly states;
  private readonly clock: { nowMs: number };

  constructor(backend: KeyedBackend, clock: { nowMs: number }) {
    this.backend = backend;
    this.clock = clock;
    const ttlClock = { processingTimeMs: () => clock.nowMs };
    const sum = { createAccumulator: () => 0, add: (value: number, acc: number) => acc + value, getResult: (acc: number) => acc * 2, merge: (l: number, r: number) => l + r };
    // Not in the order of their names.
    this.states = {
      value: backend.bind(valueState<unknown>("value", "default")),
      list: backend.bind(listState<unknown>("list")),
      map: backend.bind(mapState<unknown, unknown>("map")),
      long: backend.bind(valueState<number>("a-long", null, { serializer: longSerializer })),
      text: backend.bind(mapState<string, number>("text", { keySerializer: stringSerializer, serializer: longSerializer })),
      reduced: backend.bind(reducingState<string>("reduced", (l, r) => `${l}${r}`)),
      aggregated: backend.bind(aggregatingState<number, number, number>("aggregated", sum)),
      ttlValue: bindState(backend, valueState<unknown>("ttl-value", null, { ttl: TTL }), ttlClock),
      ttlList: bindState(backend, listState<unknown>("ttl-list", { ttl: TTL }), ttlClock),
      ttlMap: bindState(backend, mapState<unknown, unknown>("ttl-map", { ttl: TTL }), ttlClock),
    };
  }

  run([kind, keyIndex, namespaceIndex, argument]: Operation): unknown {
    const { backend, clock } = this;
    const s = this.states;
    backend.setCurrentKey(KEYS[keyIndex]!);
    const namespace = NAMESPACES[namespaceIndex]!;
    for (const state of Object.values(s)) state.setNamespace(namespace);
    const value = VALUES[argument % VALUES.length];
    const values = VALUES.slice(argument % VALUES.length, (argument % VALUES.length) + (argument % 4));
    const mapKey = MAP_KEYS[argument % MAP_KEYS.length];
    const sources = NAMESPACES.slice(argument % 4, (argument % 4) + 3);
    const timers = backend.timers();
    const domain = (argument % 2) as 0 | 1;
    switch (kind) {
      case "update": return s.value.state.update(value);
      case "clear value": return s.value.state.clear();
      case "long": return s.long.state.update(argument);
      case "clear long": return s.long.state.clear();
      case "add": return s.list.state.add(value);
      case "addAll": return s.list.state.addAll(values);
      case "updateList": return s.list.state.update(values);
      case "clear list": return s.list.state.clear();
      case "merge lists": return s.list.mergeNamespaces(namespace, sources);
      case "put": return s.map.state.put(mapKey, value);
      case "remove": return s.map.state.remove(mapKey);
      case "clear map": return s.map.state.clear();
      case "put text": return s.text.state.put(String(argument % 5), argument);
      case "reduce": return s.reduced.state.add(String(argument % 7));
      case "clear reduced": return s.reduced.state.clear();
      case "merge reduced": return s.reduced.mergeNamespaces(namespace, sources);
      case "aggregate": return s.aggregated.state.add(argument);
      case "merge aggregated": return s.aggregated.mergeNamespaces(namespace, sources);
      case "register": return timers.register(domain, namespace, argument % 30);
      case "remove timer": return timers.remove(domain, namespace, argument % 30);
      case "poll": return timer(timers.poll(domain, argument % 40));
      case "watermark": return void (backend.watermarkMs = argument);
      case "tick": return void (clock.nowMs += argument % 8);
      case "ttl update": return s.ttlValue.state.update(value ?? "v");
      case "ttl add": return s.ttlList.state.add(value ?? "v");
      case "ttl put": return s.ttlMap.state.put(mapKey, value ?? "v");
      case "ttl read": return [s.ttlValue.state.value(), s.ttlList.state.get(), s.ttlMap.state.get(mapKey), s.ttlMap.state.entries()];
      case "read": return [
        s.value.state.value(), s.long.state.value(), s.list.state.get(), s.map.state.get(mapKey), s.map.state.contains(mapKey),
        s.map.state.entries(), s.map.state.isEmpty(), s.text.state.entries(), s.reduced.state.get(), s.aggregated.state.get(),
        timers.peek(0), timers.size(1), backend.currentKey(), backend.watermarkMs,
      ];
      default: throw new Error(`no operation ${kind}`);
    }
  }
}

function timer(polled: { readonly key: Key; readonly namespace: Namespace; readonly timestampMs: number } | null): unknown {
  return polled === null ? null : [polled.key, polled.namespace, polled.timestampMs];
}
