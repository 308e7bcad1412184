import { mapKeyIdentity } from "../../key-identity.ts";
import type { MapState, NamespacedState } from "../../state.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import { HeapState } from "./heap-state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { StateCell } from "./key-entry.ts";

/** By identity of the key; iterates in the order in which the keys were first put. Pairs are never changed. */
export type MapContent = Map<unknown, readonly [unknown, unknown]>;

export class HeapMapState extends HeapState implements MapState<unknown, unknown>, NamespacedState<MapState<unknown, unknown>> {
  private readonly keySerializer: TypeSerializer<any>;

  constructor(table: HeapTable, index: number, keySerializer: TypeSerializer<any>) {
    super(table, index);
    this.keySerializer = keySerializer;
  }

  get state(): this {
    return this;
  }

  get(key: unknown): unknown {
    const pair = this.content()?.get(this.identityOf(key));
    return pair === undefined ? null : pair[1];
  }

  put(key: unknown, value: unknown): void {
    // First: a key that is none must not leave a cell without a value.
    const identity = this.identityOf(key);
    const cell = this.cellForWrite();
    const pair = [typeof key === "number" ? key + 0 : key, value] as const;
    if (cell.value === null) {
      this.table.write(cell, new Map([[identity, pair]]));
      cell.shared = false;
    } else {
      this.ownedContent(cell).set(identity, pair);
    }
  }

  remove(key: unknown): void {
    const cell = this.cell();
    const content = this.content();
    const identity = this.identityOf(key);
    if (cell === null || content === null || !content.has(identity)) return;
    if (content.size === 1) this.table.clear(cell);
    else this.ownedContent(cell).delete(identity);
  }

  contains(key: unknown): boolean {
    return this.content()?.has(this.identityOf(key)) ?? false;
  }

  entries(): readonly (readonly [unknown, unknown])[] {
    const content = this.content();
    return content === null ? [] : [...content.values()];
  }

  isEmpty(): boolean {
    return this.content() === null;
  }

  clear(): void {
    const cell = this.cell();
    if (cell !== null) this.table.clear(cell);
  }

  private identityOf(key: unknown): unknown {
    return mapKeyIdentity(key, this.keySerializer);
  }

  private content(): MapContent | null {
    const cell = this.cell();
    return cell === null ? null : (cell.value as MapContent | null);
  }

  private ownedContent(cell: StateCell): MapContent {
    this.table.touch(cell);
    if (cell.shared) {
      cell.value = new Map(cell.value as MapContent);
      cell.shared = false;
    }
    return cell.value as MapContent;
  }
}
