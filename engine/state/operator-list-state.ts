import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { StructuralEncoder, decodeFrom } from "../base/codec.ts";
import type { OperatorListState } from "./keyed-backend.ts";

const MAGIC = 0x4c4f5757;
const VERSION = 1;
const NO_BYTES = new Uint8Array(0);

/**
 * The list state of one operator subtask, in memory.
 *
 * Where there are no lists, its section is empty. Else ("varuint" and "value" as in snapshot-format):
 *
 *     magic            4 bytes   57 57 4f 4c ("WWOL")
 *     format version   1 byte    01
 *     lists            varuint   N, those that are not empty
 *     N times, strictly ascending by name (UTF-16 code units):
 *       name           value     a string
 *       elements       value     an array, at least one element
 *     end                        nothing follows the last list
 */
export class OperatorLists implements OperatorListState {
  private lists: Map<string, readonly unknown[]> = new Map();
  /** Kept from one snapshot to the next, so that it knows how the elements are written. */
  private readonly writer: ByteWriter = new ByteWriter(512);
  private readonly encoder: StructuralEncoder = new StructuralEncoder(this.writer);

  /** The elements; empty where there is no such list. */
  get(name: string): readonly unknown[] {
    return this.lists.get(name) ?? [];
  }

  /** Replaces the list; an empty one is dropped. */
  update(name: string, values: readonly unknown[]): void {
    if (values.length === 0) this.lists.delete(name);
    else this.lists.set(name, values.slice());
  }

  /** Names of the lists that are not empty, sorted. */
  names(): readonly string[] {
    return [...this.lists.keys()].sort();
  }

  bytes(): Uint8Array {
    if (this.lists.size === 0) return NO_BYTES;
    const { writer, encoder } = this;
    writer.truncate(0);
    const names = this.names();
    writer.u32(MAGIC);
    writer.u8(VERSION);
    writer.varuint(names.length);
    for (const name of names) {
      encoder.write(name);
      encoder.write(this.get(name), name);
    }
    return writer.take();
  }

  /** Replaces everything by what `bytes` wrote; throws CorruptBytesError (and changes nothing) for other bytes. */
  restore(bytes: Uint8Array): void {
    if (bytes.length === 0) {
      this.lists = new Map();
      return;
    }
    const reader = new ByteReader(bytes);
    if (reader.u32() !== MAGIC) reader.corrupt("no operator-list section");
    const version = reader.u8();
    if (version !== VERSION) reader.corrupt(`an operator-list section of version ${version}`);
    const lists = new Map<string, readonly unknown[]>();
    const count = reader.count(4);
    let last = "";
    for (let i = 0; i < count; i++) {
      const name = decodeFrom(reader);
      if (typeof name !== "string" || (i > 0 && name <= last)) return reader.corrupt("list names out of order");
      const elements = decodeFrom(reader);
      if (!Array.isArray(elements) || elements.length === 0) return reader.corrupt("a list without elements");
      lists.set(name, elements);
      last = name;
    }
    if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the last list`);
    this.lists = lists;
  }
}
