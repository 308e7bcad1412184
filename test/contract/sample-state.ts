import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { AggregatingState, Key, ListState, MapState, Namespace, ReducingState, ValueState } from "#whitewater/engine/state/state.js";
import { owns } from "./backend-under-test.ts";
import type { Capabilities } from "./backend-under-test.ts";

export const COUNTS: StateDescriptor<ValueState<number>> = valueState<number>("counts", 0);
export const EVENTS: StateDescriptor<ListState<string>> = listState<string>("events");
export const SCORES: StateDescriptor<MapState<string, number>> = mapState<string, number>("scores");
export const TOTAL: StateDescriptor<ReducingState<number>> = reducingState<number>("total", (left, right) => left + right);
export const LONGEST: StateDescriptor<AggregatingState<string, number>> = aggregatingState<string, string, number>("longest", {
  createAccumulator: () => "",
  add: (word, longest) => (word.length > longest.length ? word : longest),
  getResult: (longest) => longest.length,
  merge: (left, right) => (right.length > left.length ? right : left),
});

export const SAMPLE_KEYS: readonly Key[] = [
  ...Array.from({ length: 24 }, (_, i) => `key-${i}`),
  ...Array.from({ length: 8 }, (_, i) => (i + 1) * 1000),
  1n, -0, true, ["t", 1], ["t", [2n]], "\ud83d", 2.5,
];
const NAMESPACES: readonly Namespace[] = ["", 60_000, "w"];

/** Binds a state of every kind. */
export function bindSample(backend: KeyedBackend, capabilities: Capabilities): void {
  backend.bind(COUNTS);
  backend.bind(EVENTS);
  backend.bind(SCORES);
  if (!capabilities.folds) return;
  backend.bind(TOTAL);
  backend.bind(LONGEST);
}

/** Changes something of every kind for one key, namespace by namespace; which, and how, follows from `round`. */
export function touchKey(backend: KeyedBackend, capabilities: Capabilities, key: Key, round: number): void {
  backend.setCurrentKey(key);
  NAMESPACES.forEach((namespace, place) => {
    const value = backend.bind(COUNTS);
    const list = backend.bind(EVENTS);
    const map = backend.bind(SCORES);
    for (const bound of [value, list, map]) bound.setNamespace(namespace);
    const turn = (round + place) % 4;
    value.state.update(turn === 3 ? null : (value.state.value() ?? 0) + round + 1);
    if (turn === 1) list.state.update([`only ${round}`]);
    else if (turn === 2) list.state.clear();
    else list.state.addAll([`event ${round}`, `of ${String(place)}`]);
    map.state.put(`s${round % 3}`, round);
    map.state.put("always", round * 2);
    if (turn === 2) map.state.remove(`s${(round + 1) % 3}`);
    if (turn === 3) map.state.clear();
    backend.timers().register(0, namespace, round * 10 + place);
    backend.timers().register(1, namespace, -round);
    if (turn === 3) backend.timers().remove(0, namespace, (round - 1) * 10 + place);
    if (!capabilities.folds) return;
    const total = backend.bind(TOTAL);
    const longest = backend.bind(LONGEST);
    total.setNamespace(namespace);
    longest.setNamespace(namespace);
    if (turn === 2) total.state.clear();
    else total.state.add(round + place);
    longest.state.add("x".repeat(round % 5));
  });
}

/** Touches every sample key that the backend owns. */
export function touchAll(
  backend: KeyedBackend,
  capabilities: Capabilities,
  round: number,
  maxParallelism?: number,
  keys: readonly Key[] = SAMPLE_KEYS,
): void {
  bindSample(backend, capabilities);
  for (const key of keys) {
    if (owns(backend.range, key, maxParallelism)) touchKey(backend, capabilities, key, round);
  }
}
