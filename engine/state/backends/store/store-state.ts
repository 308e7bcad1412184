import { invariant } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import { StructuralEncoder, UnencodableValueError } from "../../../base/codec.ts";
import { structuralSerializer } from "../../serializers/structural.ts";
import type { StoreIterator } from "../../ordered-store.ts";
import type { Namespace } from "../../state.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { prefixEnd } from "./row-format.ts";
import type { StoredState } from "./stored-states.ts";

/** What the state primitives over a store share: the row key of the current key and namespace, and items. */
export abstract class StoreState {
  protected readonly rows: KeyedRows;
  protected readonly stored: StoredState;
  /** A row key: of it the first `prefixBytes` bytes are those of the place at hand. */
  protected readonly row: ByteWriter = new ByteWriter(128);
  private readonly encoder: StructuralEncoder = new StructuralEncoder(this.row);
  private prefixBytes = 0;
  private namespace: Namespace = "";
  /** The key's stamp in `rows` for which `row` was made; -1: for none. */
  private stamp = -1;

  constructor(rows: KeyedRows, stored: StoredState) {
    this.rows = rows;
    this.stored = stored;
  }

  setNamespace(namespace: Namespace): void {
    if (namespace === this.namespace) return;
    this.namespace = typeof namespace === "number" ? namespace + 0 : namespace;
    this.stamp = -1;
  }

  mergeNamespaces(_target: Namespace, _sources: readonly Namespace[]): void {
    invariant(false, "only list, reducing and aggregating state can be merged");
  }

  /** Called when the place, (key, namespace), may have become another one. */
  protected abstract moved(): void;

  /** Makes `row` the prefix of all rows of the place at hand. */
  protected locate(): void {
    if (this.stamp === this.rows.stamp) {
      this.row.truncate(this.prefixBytes);
      return;
    }
    this.stamp = -1;
    this.moved();
    this.row.truncate(0);
    this.rows.beginRow(this.row, this.stored.id);
    this.encoder.write(this.namespace);
    this.prefixBytes = this.row.position;
    this.stamp = this.rows.stamp;
  }

  protected currentNamespace(): Namespace {
    return this.namespace;
  }

  /** All rows of the place. */
  protected iterate(): StoreIterator {
    this.locate();
    const prefix = this.row.view();
    return this.rows.store.iterate(prefix, prefixEnd(prefix));
  }

  protected deleteRows(): void {
    const { store } = this.rows;
    const rows = this.iterate();
    while (rows.next()) store.delete(rows.key);
    rows.close();
  }

  /** Appends an item to the value of the row that is about to be written. */
  protected writeItem(value: unknown): void {
    const { serializer, name } = this.stored;
    // The shared encoder remembers the shapes of records.
    if (serializer === structuralSerializer) this.rows.valueEncoder.write(value, name);
    else writeNamed(this.rows.value, serializer, value, name);
  }

  /** The item that begins at `start` and ends with the bytes. */
  protected readItem(bytes: Uint8Array, start: number): unknown {
    const { reader } = this.rows;
    reader.reopen(bytes, start);
    return this.readOpened();
  }

  /** The item that ends with what the reader holds. */
  protected readOpened(): unknown {
    const { reader } = this.rows;
    const value: unknown = this.stored.serializer.read(reader);
    if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the item`);
    return value;
  }
}

/** Writes a value; the error says which state holds one that cannot be written. */
export function writeNamed(writer: ByteWriter, serializer: TypeSerializer<any>, value: unknown, name: string): void {
  try {
    serializer.write(writer, value);
  } catch (error) {
    if (!(error instanceof UnencodableValueError) || !error.path.startsWith("$")) throw error;
    throw new UnencodableValueError(`${name}${error.path.slice(1)}`, error.what);
  }
}
