import type { ListState, Namespace, NamespacedState } from "../../state.ts";
import { writeSequence } from "./row-format.ts";
import { StoreState } from "./store-state.ts";

const EMPTY: readonly never[] = Object.freeze([]);

/** A row an element. Adding is one write, without a read. */
export class StoreListState extends StoreState implements ListState<unknown>, NamespacedState<ListState<unknown>> {
  /** Ends of items that were written one after the other. */
  private readonly ends: number[] = [];

  get state(): this {
    return this;
  }

  get(): readonly unknown[] {
    let elements: unknown[] | null = null;
    const rows = this.iterate();
    while (rows.next()) {
      const element = this.readItem(rows.value, 0);
      if (elements === null) elements = [element];
      else elements.push(element);
    }
    rows.close();
    return elements ?? EMPTY;
  }

  add(value: unknown): void {
    this.locate();
    this.rows.value.truncate(0);
    this.writeItem(value);
    this.append(this.rows.value.view());
  }

  addAll(values: readonly unknown[]): void {
    if (values.length === 0) return;
    const items = this.encodeAll(values);
    this.locate();
    this.appendAll(items);
  }

  update(values: readonly unknown[]): void {
    // What cannot be encoded changes nothing.
    const items = this.encodeAll(values);
    this.deleteRows();
    this.appendAll(items);
  }

  clear(): void {
    this.deleteRows();
  }

  override mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void {
    const before = this.currentNamespace();
    const moved: Uint8Array[] = [];
    for (const source of sources) {
      if (source === target) continue;
      this.setNamespace(source);
      const rows = this.iterate();
      while (rows.next()) {
        moved.push(rows.value.slice());
        this.rows.store.delete(rows.key);
      }
      rows.close();
    }
    this.setNamespace(target);
    if (moved.length > 0) {
      this.locate();
      for (const item of moved) this.append(item);
    }
    this.setNamespace(before);
  }

  protected override moved(): void {}

  /** Writes a new last element; `row` is the prefix of the place. */
  private append(item: Uint8Array): void {
    const { row, rows } = this;
    const prefixBytes = row.position;
    writeSequence(row, rows.drawSequence());
    rows.store.put(row.view(), item);
    row.truncate(prefixBytes);
  }

  private appendAll(items: Uint8Array): void {
    let start = 0;
    for (const end of this.ends) {
      this.append(items.subarray(start, end));
      start = end;
    }
  }

  /** All items behind each other, their ends in `ends`. */
  private encodeAll(values: readonly unknown[]): Uint8Array {
    const { value } = this.rows;
    value.truncate(0);
    this.ends.length = 0;
    for (let i = 0; i < values.length; i++) {
      this.writeItem(values[i]);
      this.ends.push(value.position);
    }
    return value.view();
  }
}
