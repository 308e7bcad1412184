import { mergeLists } from "../../namespace-merging.ts";
import type { ListState, Namespace, NamespacedState } from "../../state.ts";
import { LoggedState } from "./logged-state.ts";

export class LoggedListState
  extends LoggedState<ListState<unknown>>
  implements ListState<unknown>, NamespacedState<ListState<unknown>>
{
  get(): readonly unknown[] {
    return this.inner.get();
  }

  add(value: unknown): void {
    this.log.append(this.index, this.namespace, [value], this.serializer);
    this.inner.add(value);
  }

  addAll(values: readonly unknown[]): void {
    if (values.length === 0) return;
    this.log.append(this.index, this.namespace, values, this.serializer);
    this.inner.addAll(values);
  }

  update(values: readonly unknown[]): void {
    if (values.length === 0) return this.clear();
    this.log.replace(this.index, this.namespace, values, this.serializer);
    this.inner.update(values);
  }

  clear(): void {
    this.logClear();
    this.inner.clear();
  }

  /** Logged as the changes that it is made of. */
  override mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void {
    const { namespace } = this;
    mergeLists(this, target, sources);
    this.setNamespace(namespace);
  }
}
