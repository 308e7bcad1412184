import type { Key } from "../base/hash.ts";
import type { TimestampMs } from "../base/units.ts";
import type { StateDescriptor } from "./descriptors.ts";
import type { ExpiryCleanUps } from "./expiry-clean-ups.ts";

export type { Key };

/**
 * What a user function sees of state. All calls concern the current key (and namespace); values handed in
 * or out are immutable from then on: to change one, write a new one.
 */
export interface ValueState<T> {
  /** The value, or the descriptor's default, or null. */
  value(): T | null;
  /** null clears, as in Flink. */
  update(value: T | null): void;
  clear(): void;
}

export interface ListState<T> {
  /** The elements in the order added; empty where there are none. */
  get(): readonly T[];
  add(value: T): void;
  addAll(values: readonly T[]): void;
  /** Replaces all elements; an empty list clears. */
  update(values: readonly T[]): void;
  clear(): void;
}

export interface MapState<K, V> {
  get(key: K): V | null;
  put(key: K, value: V): void;
  remove(key: K): void;
  contains(key: K): boolean;
  /** Entries in the order in which the keys were first put; a snapshot of the moment of the call. */
  entries(): readonly (readonly [K, V])[];
  isEmpty(): boolean;
  clear(): void;
}

/** Everything added is folded into one value. */
export interface ReducingState<T> {
  /** The folded value, or null where nothing was added. */
  get(): T | null;
  add(value: T): void;
  clear(): void;
}

export interface AggregatingState<In, Out> {
  /** The result of what was added, or null where nothing was. */
  get(): Out | null;
  add(value: In): void;
  clear(): void;
}

/** Where the state of one (state, key) lives beside others: windows use their start; "" is the void one. */
export type Namespace = string | number;

/** State of one keyed operator subtask, as its operator sees it. */
export interface KeyedState {
  /** Sets the key that all state and timer calls concern. */
  setCurrentKey(key: Key): void;
  currentKey(): Key;
  /**
   * Binding the same name twice returns the same state; with another kind it throws. What was restored is made
   * what the descriptor's serializer wants; throws StateSchemaError where that cannot be, and changes nothing.
   */
  bind<S>(descriptor: StateDescriptor<S>): NamespacedState<S>;
  timers(): TimerStore;
  /** What it can do about state whose time to live is over. */
  readonly expiryCleanUps: ExpiryCleanUps;
}

/** A state primitive whose namespace can be moved; user functions get it in the void namespace. */
export interface NamespacedState<S> {
  readonly state: S;
  setNamespace(namespace: Namespace): void;
  /**
   * Moves what the current key has in the namespaces `sources` into `target`, beside what is there: lists are
   * appended in the order of `sources`, reducing and aggregating states folded. Other kinds throw, as in Flink.
   * `target` may be among the sources: what it holds stays, before what comes. The namespace set before is set
   * afterwards.
   */
  mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void;
  /**
   * Only of state with a time to live, where the backend cleans it up incrementally: looks at a few elements
   * of any keys and drops the expired ones. Called with every access.
   */
  cleanUpExpired?(): void;
}

export interface Timer {
  readonly key: Key;
  readonly namespace: Namespace;
  readonly timestampMs: TimestampMs;
}

/** 0: event time, 1: processing time. */
export type TimerDomain = 0 | 1;

/**
 * Timers of the current key: a set over (domain, timestamp, key, namespace), as in Flink's
 * InternalTimerService. Ties of one timestamp come in an order drawn from the seed (Flink leaves it open).
 */
export interface TimerStore {
  /** Registering twice is one timer. */
  register(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void;
  remove(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void;
  /** Timestamp of the earliest timer of a domain, or null. */
  peek(domain: TimerDomain): TimestampMs | null;
  /** Takes out the earliest timer that is due at `upToMs` (timestamp <= upToMs), or null. */
  poll(domain: TimerDomain, upToMs: TimestampMs): Timer | null;
  size(domain: TimerDomain): number;
  /** All timers, in no particular order (for inspection and snapshots). */
  all(domain: TimerDomain): readonly Timer[];
}
