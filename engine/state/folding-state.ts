import { invariant, present } from "../base/assert.ts";
import type { StateDescriptor, StateFold } from "./descriptors.ts";
import { mergeAccumulators } from "./namespace-merging.ts";
import type { AggregatingState, Namespace, NamespacedState, ReducingState, ValueState } from "./state.ts";

/**
 * Reducing and aggregating state over a backend's cell for a single value (the accumulator), for `bind` of
 * any backend: the cell must have no default, and must be nobody else's, because its namespace is moved here.
 * Adding null changes nothing, as Flink's AppendingState says.
 */
export class FoldingState
  implements
    ReducingState<unknown>,
    AggregatingState<unknown, unknown>,
    NamespacedState<AggregatingState<unknown, unknown>>
{
  private readonly cell: NamespacedState<ValueState<unknown>>;
  private readonly accumulator: ValueState<unknown>;
  private readonly fold: StateFold;
  private readonly name: string;
  private namespace: Namespace = "";

  constructor(cell: NamespacedState<ValueState<unknown>>, descriptor: StateDescriptor<unknown>) {
    this.cell = cell;
    this.accumulator = cell.state;
    this.name = descriptor.name;
    this.fold = present(descriptor.fold, `${descriptor.kind} state "${descriptor.name}" says how it folds`);
  }

  get state(): this {
    return this;
  }

  get(): unknown {
    const accumulator = this.accumulator.value();
    return accumulator === null ? null : this.fold.getResult(accumulator);
  }

  add(value: unknown): void {
    if (value === null) return;
    const { fold } = this;
    this.accumulator.update(fold.add(value, this.accumulator.value() ?? fold.createAccumulator()));
  }

  clear(): void {
    this.accumulator.clear();
  }

  setNamespace(namespace: Namespace): void {
    this.namespace = namespace;
    this.cell.setNamespace(namespace);
  }

  mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void {
    const { merge } = this.fold;
    if (merge === null) {
      invariant(false, `namespaces of state "${this.name}" cannot be merged: its aggregation has no merge function`);
    }
    mergeAccumulators(this.cell, merge, target, sources);
    this.cell.setNamespace(this.namespace);
  }

  cleanUpExpired(): void {
    this.cell.cleanUpExpired?.();
  }
}
