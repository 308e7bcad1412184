import { ByteWriter } from "../../../base/bytes.ts";
import { StructuralEncoder } from "../../../base/codec.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { KeyGroupVisitor } from "../../keyed-section-reader.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { writeSequence } from "./row-format.ts";
import { writeNamed } from "./store-state.ts";
import type { StoreTimers } from "./store-timers.ts";
import type { AdoptedState } from "./stored-states.ts";

/** Writes what a section holds as rows. It moves the current key. */
export class RowLoader implements KeyGroupVisitor {
  private readonly rows: KeyedRows;
  private readonly timers: StoreTimers;
  private readonly states: Map<string, AdoptedState> = new Map();
  private readonly row: ByteWriter = new ByteWriter(128);
  private readonly encoder: StructuralEncoder = new StructuralEncoder(this.row);

  constructor(rows: KeyedRows, timers: StoreTimers, adopted: readonly AdoptedState[]) {
    this.rows = rows;
    this.timers = timers;
    for (const state of adopted) this.states.set(state.stored.name, state);
  }

  entry({ name }: SectionState, key: Key, namespace: Namespace, content: unknown): void {
    const { rows, row } = this;
    const adopted = this.states.get(name)!;
    const { kind, id, keySerializer } = adopted.stored;
    rows.setCurrentKey(key);
    row.truncate(0);
    rows.beginRow(row, id);
    this.encoder.write(namespace);
    const prefixBytes = row.position;
    if (kind === "list") {
      for (const element of content as readonly unknown[]) {
        rows.value.truncate(0);
        writeSequence(row, rows.drawSequence());
        this.put(adopted, element);
        row.truncate(prefixBytes);
      }
    } else if (kind === "map") {
      for (const [mapKey, value] of content as readonly (readonly [unknown, unknown])[]) {
        rows.value.truncate(0);
        rows.value.varuint(rows.drawSequence());
        writeNamed(row, keySerializer!, mapKey, name);
        this.put(adopted, value);
        row.truncate(prefixBytes);
      }
    } else {
      rows.value.truncate(0);
      this.put(adopted, content);
    }
  }

  timer(domain: TimerDomain, key: Key, namespace: Namespace, timestampMs: TimestampMs): void {
    this.timers.restore(domain, key, namespace, timestampMs);
  }

  /** Writes the row, whose key is complete, and the item at the end of its value. */
  private put({ stored, migration }: AdoptedState, item: unknown): void {
    const { rows } = this;
    writeNamed(rows.value, stored.serializer, migration === null ? item : migration(item), stored.name);
    rows.store.put(this.row.view(), rows.value.view());
  }
}
