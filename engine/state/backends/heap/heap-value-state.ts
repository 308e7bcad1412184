import type { NamespacedState, ValueState } from "../../state.ts";
import { HeapState } from "./heap-state.ts";
import type { HeapTable } from "./heap-table.ts";

export class HeapValueState extends HeapState implements ValueState<unknown>, NamespacedState<ValueState<unknown>> {
  private readonly defaultValue: unknown;

  constructor(table: HeapTable, index: number, defaultValue: unknown) {
    super(table, index);
    this.defaultValue = defaultValue;
  }

  get state(): this {
    return this;
  }

  value(): unknown {
    const cell = this.cell();
    return cell === null || cell.value === null ? this.defaultValue : cell.value;
  }

  update(value: unknown): void {
    if (value === null) this.clear();
    else this.table.write(this.cellForWrite(), value);
  }

  clear(): void {
    const cell = this.cell();
    if (cell !== null) this.table.clear(cell);
  }
}
