import { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import { ChangelogIncrementReader, isChangelogIncrement } from "./changelog-increment-reader.ts";
import { isLsmDescription, LsmSnapshotReader } from "./lsm-levels-reader.ts";
import { NativeMetaReader } from "./native-meta-reader.ts";
import type { NativeMeta, RowState } from "./native-meta-reader.ts";
import type { NativeFile, NativeRow } from "./native-rows.ts";
import { isKey } from "./snapshot-reader.ts";
import type { KeyedSection, SectionEntry } from "./snapshot-reader.ts";
import { SqliteDatabaseReader } from "./sqlite-database-reader.ts";

/*
 * A second reader of native snapshots (increments), made from the descriptions of the formats (heads of
 * row-format and snapshot-meta in engine/state/backends/store, and those that the readers of the files name) and
 * not from the engine's code. It gives what a canonical section of the same state would give, and throws
 * CorruptBytesError for whatever is not as described. Which key group a key belongs to is left to the caller.
 */

/** Rows of one entry, and the entry that was made of them. */
interface Kept {
  readonly entry: SectionEntry;
  readonly rows: readonly NativeRow[];
}

/** The entry that rows are gathered for. */
interface OpenEntry {
  readonly place: Omit<SectionEntry, "value">;
  readonly state: RowState;
  /** What its row keys begin with. */
  readonly prefix: Uint8Array;
  readonly rows: NativeRow[];
}

const ONE_BYTE_KEY_GROUPS = 128;
const TWO_BYTE_ID = 0x80;
const SEQUENCE_BYTES = 6;

/**
 * Reads the native snapshots of one operator subtask from checkpoint to checkpoint. What stands in the same file
 * as before comes as the same objects.
 */
export class NativeSnapshotReader {
  readonly #metas: NativeMetaReader = new NativeMetaReader();
  readonly #lsm: LsmSnapshotReader = new LsmSnapshotReader();
  readonly #changelog: ChangelogIncrementReader = new ChangelogIncrementReader((files) => this.#readStore(files));
  readonly #sqlite: SqliteDatabaseReader = new SqliteDatabaseReader();
  /** By the first row of an entry. */
  #kept: WeakMap<NativeRow, Kept> = new WeakMap();
  #states: readonly RowState[] = [];

  /** `files`: the meta file, then those of the store, in the order in which they were given; or a changelog's. */
  read(files: readonly NativeFile[]): KeyedSection {
    const [head] = files;
    return head !== undefined && isChangelogIncrement(head.bytes) ? this.#changelog.read(files) : this.#readStore(files);
  }

  #readStore(files: readonly NativeFile[]): KeyedSection {
    const [first, ...others] = files;
    const meta = this.#metas.read(first?.bytes ?? new Uint8Array(0));
    if (meta.states !== this.#states) this.#kept = new WeakMap();
    this.#states = meta.states;
    const [description] = others;
    const isLsm = description !== undefined && isLsmDescription(description.bytes);
    const rows = isLsm ? this.#lsm.read(others) : this.#sqlite.read(others);
    const entries = inSectionOrder(new RowScan(meta, this.#kept).entries(rows));
    const states = meta.states.map(({ name, kind, schema, keySchema }) => ({ name, kind, schema, keySchema }));
    states.sort((left, right) => (left.name < right.name ? -1 : 1));
    return { ...meta.section, states, entries };
  }
}

/** Reads a single native snapshot. */
export function readNativeSnapshot(files: readonly NativeFile[]): KeyedSection {
  return new NativeSnapshotReader().read(files);
}

/** By key group, then state; what is of one key group and state is in order already. */
function inSectionOrder(entries: readonly SectionEntry[]): readonly SectionEntry[] {
  return entries.toSorted((left, right) => left.keyGroup - right.keyGroup || compareNames(left.state, right.state));
}

function compareNames(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

/** Rows in order become entries. */
class RowScan {
  readonly #meta: NativeMeta;
  readonly #kept: WeakMap<NativeRow, Kept>;
  readonly #keyGroupBytes: number;
  readonly #reader: ByteReader = new ByteReader(new Uint8Array(0));
  readonly #entries: SectionEntry[] = [];

  constructor(meta: NativeMeta, kept: WeakMap<NativeRow, Kept>) {
    this.#meta = meta;
    this.#kept = kept;
    this.#keyGroupBytes = meta.section.maxParallelism <= ONE_BYTE_KEY_GROUPS ? 1 : 2;
  }

  entries(rows: readonly NativeRow[]): readonly SectionEntry[] {
    let open: OpenEntry | null = null;
    for (const row of rows) {
      if (open === null || !beginsWith(row.key, open.prefix)) {
        if (open !== null) this.#close(open);
        open = this.#open(row);
      }
      open.rows.push(row);
    }
    if (open !== null) this.#close(open);
    return this.#entries;
  }

  #open(row: NativeRow): OpenEntry {
    const reader = this.#reader;
    reader.reopen(row.key);
    const keyGroup = this.#keyGroupBytes === 1 ? reader.u8() : reader.u8() * 256 + reader.u8();
    const { firstKeyGroup, watermarks } = this.#meta.section;
    if (keyGroup < firstKeyGroup || keyGroup >= firstKeyGroup + watermarks.length) reader.corrupt(`a row of key group ${keyGroup}, which is not the subtask's`);
    const first = reader.u8();
    const id = first < TWO_BYTE_ID ? first : (first - TWO_BYTE_ID) * 256 + reader.u8();
    const state = this.#meta.states[id];
    if (state === undefined) return reader.corrupt(`a row of the unknown state ${id}`);
    const key = decodeFrom(reader);
    if (!isKey(key)) return reader.corrupt("a key that can be none");
    const namespace = decodeFrom(reader);
    if (typeof namespace !== "string" && typeof namespace !== "number") return reader.corrupt("a namespace that is neither text nor number");
    const prefix = row.key.subarray(0, reader.position);
    return { place: { state: state.name, kind: state.kind, key, namespace, keyGroup }, state, prefix, rows: [] };
  }

  #close({ place, state, prefix, rows }: OpenEntry): void {
    const first = rows[0] as NativeRow;
    const kept = this.#kept.get(first);
    if (kept !== undefined && kept.rows.length === rows.length && rows.every((row, i) => row === kept.rows[i])) {
      this.#entries.push(kept.entry);
      return;
    }
    const entry = { ...place, value: this.#valueOf(state, rows, prefix.length) };
    this.#kept.set(first, { entry, rows });
    this.#entries.push(entry);
  }

  #valueOf(state: RowState, rows: readonly NativeRow[], suffixAt: number): unknown {
    if (state.kind === "list") return rows.map((row) => this.#element(state, row, suffixAt));
    if (state.kind === "map") return this.#pairs(state, rows, suffixAt);
    const [row] = rows as readonly [NativeRow];
    const reader = this.#reader;
    reader.reopen(row.key);
    if (rows.length > 1 || row.key.length > suffixAt) reader.corrupt(`${state.kind} state "${state.name}" has a row with a suffix`);
    const value = this.#item(state, row, 0);
    return value === null ? reader.corrupt(`${state.kind} state "${state.name}" holds null`) : value;
  }

  /** Elements ascend by their sequence numbers, which are big endian: in the order of the rows. */
  #element(state: RowState, row: NativeRow, suffixAt: number): unknown {
    const reader = this.#reader;
    reader.reopen(row.key, suffixAt);
    if (reader.remaining !== SEQUENCE_BYTES) reader.corrupt(`an element of list state "${state.name}" without a sequence number`);
    let sequence = 0;
    for (let i = 0; i < SEQUENCE_BYTES; i++) sequence = sequence * 256 + reader.u8();
    this.#checkSequence(sequence);
    return this.#item(state, row, 0);
  }

  #pairs(state: RowState, rows: readonly NativeRow[], suffixAt: number): readonly unknown[] {
    const reader = this.#reader;
    const pairs = rows.map((row) => {
      reader.reopen(row.key, suffixAt);
      const mapKey = state.mapKey?.(reader);
      if (reader.remaining > 0) reader.corrupt(`something follows a key of map state "${state.name}"`);
      reader.reopen(row.value as Uint8Array);
      const sequence = reader.varuint();
      this.#checkSequence(sequence);
      return { sequence, pair: [mapKey, this.#item(state, row, reader.position)] };
    });
    pairs.sort((left, right) => left.sequence - right.sequence);
    return pairs.map(({ pair }) => pair);
  }

  #item({ item, name }: RowState, { value }: NativeRow, start: number): unknown {
    const reader = this.#reader;
    reader.reopen(value as Uint8Array, start);
    const decoded = item(reader);
    return reader.remaining === 0 ? decoded : reader.corrupt(`something follows an item of state "${name}"`);
  }

  #checkSequence(sequence: number): void {
    if (sequence < this.#meta.nextSequence) return;
    this.#reader.corrupt(`sequence number ${sequence} is not below the next one, ${this.#meta.nextSequence}`);
  }
}

function beginsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let i = prefix.length - 1; i >= 0; i--) if (key[i] !== prefix[i]) return false;
  return true;
}
