import { ChangelogKeyedBackend } from "#whitewater/engine/state/backends/changelog/changelog-keyed-backend.js";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend, KeyGroupRange, SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import { int32Serializer, longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import type { AggregatingState, Key, ListState, MapState, Namespace, ReducingState, Timer, ValueState } from "#whitewater/engine/state/state.js";
import { keyGroupOf, keyGroupRange, subtaskOfKeyGroup } from "#whitewater/engine/stream/key-groups.js";
import { sameValue } from "#whitewater/simulator/reference/structural-equality.js";
import { expect } from "vitest";
import { randomStream } from "../random-stream.js";

export const MAX_PARALLELISM = 8;
export const KEYS: readonly Key[] = ["a", "b", 1, 1n, ["t", 1], -7, true, "c"];
export const NAMESPACES: readonly Namespace[] = ["", 10, "n"];

const SUM = { createAccumulator: () => 0, add: (value: number, sum: number) => sum + value, getResult: (sum: number) => `${sum}`, merge: (a: number, b: number) => a + b };
export const VALUE: StateDescriptor<ValueState<unknown>> = valueState<unknown>("value");
export const INT: StateDescriptor<ValueState<number>> = valueState<number>("int", null, { serializer: int32Serializer });
export const LIST: StateDescriptor<ListState<unknown>> = listState<unknown>("list");
export const MAP: StateDescriptor<MapState<unknown, unknown>> = mapState<unknown, unknown>("map");
export const LONGS: StateDescriptor<MapState<string, number>> = mapState<string, number>("longs", { keySerializer: stringSerializer, serializer: longSerializer });
export const REDUCED: StateDescriptor<ReducingState<string>> = reducingState<string>("reduced", (left, right) => `${left}${right}`);
export const SUMMED: StateDescriptor<AggregatingState<number, string>> = aggregatingState<number, number, string>("summed", SUM, { serializer: longSerializer });
export const LATE: StateDescriptor<ValueState<string>> = valueState<string>("late");

/** What a test may do to keyed state; `item` and `key` are made into whatever the operation needs. */
export interface Change {
  readonly do: string;
  readonly key: Key;
  readonly namespace: Namespace;
  readonly item: number;
}

export const CHANGES: readonly string[] = [
  "value",
  "clearValue",
  "int",
  "add",
  "addAll",
  "update",
  "clearList",
  "mergeLists",
  "put",
  "remove",
  "clearMap",
  "putLong",
  "removeLong",
  "reduce",
  "clearReduced",
  "mergeReduced",
  "sum",
  "clearSummed",
  "mergeSummed",
  "register",
  "unregister",
  "poll",
  "watermark",
  "late",
];

/** Does it to one backend; what a caller would get to see comes back. */
export function change(state: KeyedBackend, one: Change): unknown {
  const { item, namespace } = one;
  const others = NAMESPACES.filter((other) => (other === namespace ? item % 2 === 0 : true));
  state.setCurrentKey(one.key);
  switch (one.do) {
    case "value":
      return at(state.bind(VALUE), namespace).update(item % 5 === 0 ? null : { item, deep: [item, `${item}`] });
    case "clearValue":
      return at(state.bind(VALUE), namespace).clear();
    case "int":
      return at(state.bind(INT), namespace).update(item - 10);
    case "add":
      return at(state.bind(LIST), namespace).add(item);
    case "addAll":
      return at(state.bind(LIST), namespace).addAll(new Array<unknown>(item % 4).fill(item));
    case "update":
      return at(state.bind(LIST), namespace).update(Array.from({ length: item % 4 }, () => [item]));
    case "clearList":
      return at(state.bind(LIST), namespace).clear();
    case "mergeLists":
      return state.bind(LIST).mergeNamespaces(namespace, others);
    case "put":
      return at(state.bind(MAP), namespace).put(mapKey(item), item);
    case "remove":
      return at(state.bind(MAP), namespace).remove(mapKey(item));
    case "clearMap":
      return at(state.bind(MAP), namespace).clear();
    case "putLong":
      return at(state.bind(LONGS), namespace).put(`m${item % 3}`, item);
    case "removeLong":
      return at(state.bind(LONGS), namespace).remove(`m${item % 3}`);
    default:
      return changeFolds(state, one, others);
  }
}

function changeFolds(state: KeyedBackend, { do: name, namespace, item }: Change, others: readonly Namespace[]): unknown {
  const domain = item % 3 === 0 ? 1 : 0;
  switch (name) {
    case "reduce":
      return at(state.bind(REDUCED), namespace).add(`${item}`);
    case "clearReduced":
      return at(state.bind(REDUCED), namespace).clear();
    case "mergeReduced":
      return state.bind(REDUCED).mergeNamespaces(namespace, others);
    case "sum":
      return at(state.bind(SUMMED), namespace).add(item);
    case "clearSummed":
      return at(state.bind(SUMMED), namespace).clear();
    case "mergeSummed":
      return state.bind(SUMMED).mergeNamespaces(namespace, others);
    case "register":
      return state.timers().register(domain, namespace, item % 7);
    case "unregister":
      return state.timers().remove(domain, namespace, item % 7);
    case "poll":
      return picture(state.timers().poll(domain, item % 7));
    case "watermark":
      state.watermarkMs = item;
      return null;
    case "late":
      return at(state.bind(LATE), namespace).update(`${item}`);
    default:
      throw new Error(name);
  }
}

function at<S>(bound: { readonly state: S; setNamespace(namespace: Namespace): void }, namespace: Namespace): S {
  bound.setNamespace(namespace);
  return bound.state;
}

function mapKey(item: number): unknown {
  return [`m`, -0, 1n, ["x", item % 2], { item: item % 2 }][item % 5];
}

function picture(timer: Timer | null): unknown {
  return timer === null ? null : [timer.key, timer.namespace, timer.timestampMs];
}

export function heap(range: KeyGroupRange): HeapKeyedBackend {
  return new HeapKeyedBackend({ range, maxParallelism: MAX_PARALLELISM, tieBreak: randomStream(3) });
}

/** A heap that takes many steps for a snapshot, as if it held much. */
class SlowHeap extends HeapKeyedBackend {
  override snapshot(): SnapshotWriter {
    const writer = super.snapshot();
    return { step: () => writer.step(2), bytes: () => writer.bytes(), cancel: () => writer.cancel() };
  }
}

export function changelog(range: KeyGroupRange, materializeAfterBytes: number = 1 << 20): ChangelogKeyedBackend {
  const nested = new SlowHeap({ range, maxParallelism: MAX_PARALLELISM, tieBreak: randomStream(3) });
  return new ChangelogKeyedBackend(nested, { maxParallelism: MAX_PARALLELISM, materializeAfterBytes });
}

export const ALL: KeyGroupRange = { start: 0, end: MAX_PARALLELISM - 1 };

export function written(writer: SnapshotWriter, entryBudget: number = 3): Uint8Array {
  while (writer.step(entryBudget) > 0);
  return writer.bytes();
}

/** The canonical section of what a fresh backend makes of pieces. */
export function canonical(pieces: readonly Uint8Array[], range: KeyGroupRange = ALL): Uint8Array {
  const state = changelog(range);
  state.restore(pieces);
  return written(state.snapshot());
}

/** Like toEqual, but much faster where they are equal. */
export function expectSame(left: unknown, right: unknown): void {
  const same = left instanceof Uint8Array && right instanceof Uint8Array ? Buffer.compare(left, right) === 0 : sameValue(left, right);
  if (!same) expect(left).toEqual(right);
  else expect(true).toBe(true);
}

/** One subtask twice: the backend under test, and a heap that shows what it must hold. */
export interface Twin {
  readonly real: ChangelogKeyedBackend;
  readonly plain: HeapKeyedBackend;
}

export function subtasks(parallelism: number, materializeAfterBytes: number): Twin[] {
  return Array.from({ length: parallelism }, (_, index) => {
    const range = keyGroupRange(MAX_PARALLELISM, parallelism, index);
    return { real: changelog(range, materializeAfterBytes), plain: heap(range) };
  });
}

export function ownerOf(key: Key, parallelism: number): number {
  return subtaskOfKeyGroup(keyGroupOf(key, MAX_PARALLELISM), MAX_PARALLELISM, parallelism);
}
