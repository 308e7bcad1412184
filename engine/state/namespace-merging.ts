import { InvariantError } from "../base/assert.ts";
import type { ListState, Namespace, NamespacedState, ValueState } from "./state.ts";

/*
 * Merging the namespaces of the current key, over what every backend has: a primitive whose namespace can be
 * moved. The target may be among the sources and is then no source: what is there stays, before (or left of)
 * what comes. Both functions leave the primitive in some namespace: the caller sets its own again.
 */

/** Appends the lists of `sources`, in their order, to that of `target`, and empties them. */
export function mergeLists(
  list: NamespacedState<ListState<unknown>>,
  target: Namespace,
  sources: readonly Namespace[],
): void {
  let moved: readonly unknown[] = [];
  for (const source of sources) {
    if (source === target) continue;
    list.setNamespace(source);
    const elements = list.state.get();
    if (elements.length === 0) continue;
    moved = moved.length === 0 ? elements : [...moved, ...elements];
    list.state.clear();
  }
  if (moved.length === 0) return;
  list.setNamespace(target);
  list.state.addAll(moved);
}

/** Folds what `sources` hold into what `target` holds, from left to right, and empties them. */
export function mergeAccumulators(
  cell: NamespacedState<ValueState<unknown>>,
  merge: (left: unknown, right: unknown) => unknown,
  target: Namespace,
  sources: readonly Namespace[],
): void {
  cell.setNamespace(target);
  const before = cell.state.value();
  let merged = before;
  for (const source of sources) {
    if (source === target) continue;
    cell.setNamespace(source);
    const accumulator = cell.state.value();
    if (accumulator === null) continue;
    merged = merged === null ? accumulator : merge(merged, accumulator);
    cell.state.clear();
  }
  if (merged === before) return;
  cell.setNamespace(target);
  cell.state.update(merged);
}

/** What `mergeNamespaces` of value and map state does: there is no telling which of two values is the right one. */
export function refuseMerging(): never {
  throw new InvariantError("only list, reducing and aggregating state can be merged");
}
