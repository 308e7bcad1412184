import type { AggregatingState, Namespace, NamespacedState, ValueState } from "../../state.ts";
import { LoggedState } from "./logged-state.ts";

/** Value state, or the accumulator of a folding one. */
export class LoggedValueState
  extends LoggedState<ValueState<unknown>>
  implements ValueState<unknown>, NamespacedState<ValueState<unknown>>
{
  value(): unknown {
    return this.inner.value();
  }

  update(value: unknown): void {
    if (value === null) return this.clear();
    this.log.set(this.index, this.namespace, value, this.serializer);
    this.inner.update(value);
  }

  clear(): void {
    this.logClear();
    this.inner.clear();
  }
}

/**
 * The accumulator of a nested folding state as a value of its own: the nested one is bound with a fold that
 * replaces what is there by what is added, so that the user's fold runs before the log and never in a replay.
 */
export class AccumulatorState implements ValueState<unknown>, NamespacedState<ValueState<unknown>> {
  private readonly nested: NamespacedState<AggregatingState<unknown, unknown>>;
  private readonly inner: AggregatingState<unknown, unknown>;

  constructor(nested: NamespacedState<AggregatingState<unknown, unknown>>) {
    this.nested = nested;
    this.inner = nested.state;
  }

  get state(): this {
    return this;
  }

  value(): unknown {
    return this.inner.get();
  }

  update(value: unknown): void {
    if (value === null) this.inner.clear();
    else this.inner.add(value);
  }

  clear(): void {
    this.inner.clear();
  }

  setNamespace(namespace: Namespace): void {
    this.nested.setNamespace(namespace);
  }

  mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void {
    this.nested.mergeNamespaces(target, sources);
  }

  cleanUpExpired(): void {
    this.nested.cleanUpExpired?.();
  }
}
