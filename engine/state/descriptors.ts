import { structuralSerializer } from "./serializers/structural.ts";
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from "./state.ts";
import type { TtlConfig } from "./ttl-config.ts";
import type { TypeSerializer } from "./type-serializer.ts";

export type StateKind = "value" | "list" | "map" | "reducing" | "aggregating";

/** How a reducing or aggregating state folds what is added. Reducing: the accumulator is the value itself. */
export interface StateFold {
  readonly add: (value: any, accumulator: any) => any;
  readonly createAccumulator: () => any;
  readonly getResult: (accumulator: any) => any;
  /** Needed where namespaces are merged; null: they cannot be. */
  readonly merge: ((left: any, right: any) => any) | null;
}

/**
 * Names a state and says how it is kept. `S` is the state primitive that binding it gives; `shape` exists
 * only for the compiler.
 */
export interface StateDescriptor<S> {
  readonly kind: StateKind;
  readonly name: string;
  /** Value state only: what `value()` gives where nothing was written. */
  readonly defaultValue: unknown;
  /** Of the value, an element, a map's value, or the accumulator. */
  readonly serializer: TypeSerializer<any>;
  /** Map state only: of the map's keys; else null. */
  readonly keySerializer: TypeSerializer<any> | null;
  readonly ttl: TtlConfig | null;
  /** Reducing and aggregating state only, else null. */
  readonly fold: StateFold | null;
  readonly shape?: S;
}

export interface StateOptions<T> {
  /** The structural codec where not given. */
  readonly serializer?: TypeSerializer<T>;
  readonly ttl?: TtlConfig;
}

export interface MapStateOptions<K, V> extends StateOptions<V> {
  readonly keySerializer?: TypeSerializer<K>;
}

export function valueState<T>(
  name: string,
  defaultValue: T | null = null,
  options: StateOptions<T> = {},
): StateDescriptor<ValueState<T>> {
  return { ...parts("value", name, options), defaultValue };
}

export function listState<T>(name: string, options: StateOptions<T> = {}): StateDescriptor<ListState<T>> {
  return parts("list", name, options);
}

export function mapState<K, V>(name: string, options: MapStateOptions<K, V> = {}): StateDescriptor<MapState<K, V>> {
  return { ...parts("map", name, options), keySerializer: options.keySerializer ?? structuralSerializer };
}

/** Folds what is added into one value of the same type. */
export function reducingState<T>(
  name: string,
  reduce: (left: T, right: T) => T,
  options: StateOptions<T> = {},
): StateDescriptor<ReducingState<T>> {
  const add = (value: T, accumulator: T | null): T => (accumulator === null ? value : reduce(accumulator, value));
  const fold: StateFold = { add, createAccumulator: () => null, getResult: (value: T) => value, merge: reduce };
  return { ...parts("reducing", name, options), fold };
}

/** As Flink's AggregateFunction; accumulators are immutable. */
export interface StateAggregation<In, Acc, Out> {
  createAccumulator(): Acc;
  add(value: In, accumulator: Acc): Acc;
  getResult(accumulator: Acc): Out;
  merge?(left: Acc, right: Acc): Acc;
}

export function aggregatingState<In, Acc, Out>(
  name: string,
  aggregation: StateAggregation<In, Acc, Out>,
  options: StateOptions<Acc> = {},
): StateDescriptor<AggregatingState<In, Out>> {
  const fold: StateFold = {
    add: (value: In, accumulator: Acc) => aggregation.add(value, accumulator),
    createAccumulator: () => aggregation.createAccumulator(),
    getResult: (accumulator: Acc) => aggregation.getResult(accumulator),
    merge: aggregation.merge === undefined ? null : (left: Acc, right: Acc) => aggregation.merge!(left, right),
  };
  return { ...parts("aggregating", name, options), fold };
}

function parts(kind: StateKind, name: string, options: StateOptions<any>): StateDescriptor<any> {
  const { serializer = structuralSerializer, ttl = null } = options;
  return { kind, name, defaultValue: null, serializer, keySerializer: null, ttl, fold: null };
}
