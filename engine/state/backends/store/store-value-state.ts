import type { NamespacedState, ValueState } from "../../state.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { StoreState } from "./store-state.ts";
import type { StoredState } from "./stored-states.ts";

/** One row. The value last read or written is remembered: most operators read and write it once a record. */
export class StoreValueState extends StoreState implements ValueState<unknown>, NamespacedState<ValueState<unknown>> {
  private readonly defaultValue: unknown;
  /** The value of the place at hand (null: none), while `known`. */
  private kept: unknown = null;
  private known = false;

  constructor(rows: KeyedRows, stored: StoredState, defaultValue: unknown) {
    super(rows, stored);
    this.defaultValue = defaultValue;
  }

  get state(): this {
    return this;
  }

  value(): unknown {
    this.locate();
    if (!this.known) {
      const bytes = this.rows.store.get(this.row.view());
      this.kept = bytes === null ? null : this.readItem(bytes, 0);
      this.known = true;
    }
    return this.kept === null ? this.defaultValue : this.kept;
  }

  update(value: unknown): void {
    if (value === null) {
      this.clear();
      return;
    }
    this.locate();
    const { rows } = this;
    rows.value.truncate(0);
    this.writeItem(value);
    this.known = false;
    rows.store.put(this.row.view(), rows.value.view());
    this.kept = value;
    this.known = true;
  }

  clear(): void {
    this.locate();
    if (this.known && this.kept === null) return;
    this.known = false;
    this.rows.store.delete(this.row.view());
    this.kept = null;
    this.known = true;
  }

  protected override moved(): void {
    this.known = false;
    this.kept = null;
  }
}
