import type { MapState, NamespacedState } from "../../state.ts";
import { StoreState, writeNamed } from "./store-state.ts";

const EMPTY: readonly never[] = Object.freeze([]);

interface Entry {
  readonly sequence: number;
  readonly pair: readonly [unknown, unknown];
}

/** A row an entry: get, put, remove and contains touch no other. */
export class StoreMapState extends StoreState implements MapState<unknown, unknown>, NamespacedState<MapState<unknown, unknown>> {
  get state(): this {
    return this;
  }

  get(key: unknown): unknown {
    const bytes = this.rowOf(key);
    if (bytes === null) return null;
    const { reader } = this.rows;
    reader.reopen(bytes);
    reader.varuint();
    return this.readOpened();
  }

  put(key: unknown, value: unknown): void {
    const { rows } = this;
    const before = this.rowOf(key);
    let sequence = rows.nextSequence;
    if (before !== null) {
      rows.reader.reopen(before);
      sequence = rows.reader.varuint();
    }
    rows.value.truncate(0);
    rows.value.varuint(sequence);
    this.writeItem(value);
    if (before === null) rows.drawSequence();
    rows.store.put(this.row.view(), rows.value.view());
  }

  remove(key: unknown): void {
    // A blind delete would write a tombstone for a key that is not there.
    if (this.rowOf(key) !== null) this.rows.store.delete(this.row.view());
  }

  contains(key: unknown): boolean {
    return this.rowOf(key) !== null;
  }

  entries(): readonly (readonly [unknown, unknown])[] {
    const found: Entry[] = [];
    const rows = this.iterate();
    const prefixBytes = this.row.position;
    const keySerializer = this.stored.keySerializer!;
    const { reader } = this.rows;
    let ascending = true;
    while (rows.next()) {
      reader.reopen(rows.key, prefixBytes);
      const key: unknown = keySerializer.read(reader);
      if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the map key`);
      reader.reopen(rows.value);
      const sequence = reader.varuint();
      ascending &&= found.length === 0 || found[found.length - 1]!.sequence < sequence;
      found.push({ sequence, pair: [key, this.readOpened()] });
    }
    rows.close();
    if (found.length === 0) return EMPTY;
    if (!ascending) found.sort((left, right) => left.sequence - right.sequence);
    return found.map((entry) => entry.pair);
  }

  isEmpty(): boolean {
    const rows = this.iterate();
    const empty = !rows.next();
    rows.close();
    return empty;
  }

  clear(): void {
    this.deleteRows();
  }

  protected override moved(): void {}

  /** Makes `row` the key of the entry's row; the row's value, or null where there is none. */
  private rowOf(key: unknown): Uint8Array | null {
    this.locate();
    writeNamed(this.row, this.stored.keySerializer!, typeof key === "number" ? key + 0 : key, this.stored.name);
    return this.rows.store.get(this.row.view());
  }
}
