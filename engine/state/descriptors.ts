import type { ListState, MapState, ValueState } from "./state.ts";

export type StateKind = "value" | "list" | "map";

/**
 * Names a state and says how it is kept. `S` is the state primitive that binding it gives; `shape` exists
 * only for the compiler.
 */
export interface StateDescriptor<S> {
  readonly kind: StateKind;
  readonly name: string;
  /** Value state only: what `value()` gives where nothing was written. */
  readonly defaultValue: unknown;
  readonly shape?: S;
}

export function valueState<T>(name: string, defaultValue: T | null = null): StateDescriptor<ValueState<T>> {
  return { kind: "value", name, defaultValue };
}

export function listState<T>(name: string): StateDescriptor<ListState<T>> {
  return { kind: "list", name, defaultValue: null };
}

export function mapState<K, V>(name: string): StateDescriptor<MapState<K, V>> {
  return { kind: "map", name, defaultValue: null };
}
