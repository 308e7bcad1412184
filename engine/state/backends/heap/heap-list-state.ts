import { mergeLists } from "../../namespace-merging.ts";
import type { ListState, Namespace, NamespacedState } from "../../state.ts";
import { HeapState } from "./heap-state.ts";
import type { StateCell } from "./key-entry.ts";

const EMPTY: readonly never[] = Object.freeze([]);

/** Keeps an array of its own; what `get` gave out or a snapshot holds is copied before the next change. */
export class HeapListState extends HeapState implements ListState<unknown>, NamespacedState<ListState<unknown>> {
  get state(): this {
    return this;
  }

  get(): readonly unknown[] {
    const cell = this.cell();
    if (cell === null || cell.value === null) return EMPTY;
    cell.shared = true;
    return cell.value as readonly unknown[];
  }

  add(value: unknown): void {
    const cell = this.cellForWrite();
    if (cell.value === null) this.replace(cell, [value]);
    else this.ownedElements(cell).push(value);
  }

  addAll(values: readonly unknown[]): void {
    if (values.length === 0) return;
    const cell = this.cellForWrite();
    if (cell.value === null) return this.replace(cell, values.slice());
    const elements = this.ownedElements(cell);
    for (let i = 0; i < values.length; i++) elements.push(values[i]);
  }

  update(values: readonly unknown[]): void {
    if (values.length === 0) this.clear();
    else this.replace(this.cellForWrite(), values.slice());
  }

  clear(): void {
    const cell = this.cell();
    if (cell !== null) this.table.clear(cell);
  }

  override mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void {
    const { namespace } = this;
    mergeLists(this, target, sources);
    this.setNamespace(namespace);
  }

  private replace(cell: StateCell, elements: unknown[]): void {
    this.table.write(cell, elements);
    cell.shared = false;
  }

  private ownedElements(cell: StateCell): unknown[] {
    this.table.touch(cell);
    if (cell.shared) {
      cell.value = (cell.value as readonly unknown[]).slice();
      cell.shared = false;
    }
    return cell.value as unknown[];
  }
}
