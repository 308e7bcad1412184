import { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import type { StateKind } from "../../engine/state/descriptors.ts";
import type { Key, Namespace } from "../../engine/state/state.ts";
import type { SerializerSchema } from "../../engine/state/type-serializer.ts";
import { itemDecoder } from "./item-decoder.ts";
import type { DecodeItem } from "./item-decoder.ts";
import { KeyGroupItems } from "./key-group-items.ts";
import type { ReferenceEntry } from "./reference-state.ts";

/**
 * A second reader of snapshots, made from the description of the format (heads of snapshot-format and the
 * serializers in engine/state) and not from the engine's code: what the engine wrote and only the engine can
 * read again would be no snapshot. Verifies structure and order as it goes and throws CorruptBytesError for
 * whatever is not as described. Which key group a key belongs to is left to the caller.
 */

/**
 * One entry of keyed state. `value`: as ReferenceEntry says, by kind; of a reducing or aggregating state the
 * accumulator. Where the state has a time to live, each value, element or map value is `{ value, lastUpdateMs }`.
 */
export interface SectionEntry extends ReferenceEntry {
  readonly kind: StateKind;
  readonly keyGroup: number;
}

export interface SectionTimer {
  readonly key: Key;
  readonly namespace: Namespace;
  readonly timestampMs: TimestampMs;
  readonly keyGroup: number;
}

/** A state as the section's table has it. */
export interface SectionState {
  readonly name: string;
  readonly kind: StateKind;
  readonly schema: SerializerSchema;
  /** Map state: of the map's keys; else null. */
  readonly keySchema: SerializerSchema | null;
}

/** How the items of a state are read. */
interface StateDecoders {
  readonly item: DecodeItem;
  readonly key: DecodeItem | null;
}

export interface KeyedSection {
  readonly maxParallelism: number;
  readonly firstKeyGroup: number;
  /** The operator's watermark as each key group has it, from the first on; there are as many as key groups. */
  readonly watermarks: readonly TimestampMs[];
  /** The least of them; before any where there is no key group. */
  readonly watermarkMs: TimestampMs;
  readonly states: readonly SectionState[];
  /** In the order of the section: by key group, state, key and namespace. */
  readonly entries: readonly SectionEntry[];
  readonly eventTimers: readonly SectionTimer[];
  readonly processingTimers: readonly SectionTimer[];
}

/** "WWKS", least byte first. */
const KEYED_MAGIC = 0x53_4b_57_57;
const KEYED_VERSION = 2;
const MOST_KEY_GROUPS = 32_768;
/** Event time, then processing time. */
const TIMER_DOMAINS = 2;
const KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];

/** Reads the keyed state of one operator subtask. */
export function readKeyedSection(bytes: Uint8Array): KeyedSection {
  return new KeyedSectionScan(bytes, null).section();
}

/**
 * Reads the keyed state of one operator subtask from checkpoint to checkpoint. What stands there as it stood
 * in the section before (the same bytes in the same place of the order) is not decoded again: its entry is
 * the one of the section before, the very same object.
 */
export class KeyedSectionReader {
  #bytes: Uint8Array | null = null;
  #section: KeyedSection | null = null;
  #before: KeyedSectionScan | null = null;

  read(bytes: Uint8Array): KeyedSection {
    if (this.#section !== null && this.#bytes === bytes) return this.#section;
    const scan = new KeyedSectionScan(bytes, this.#before);
    this.#section = scan.section();
    this.#bytes = bytes;
    this.#before = scan;
    return this.#section;
  }
}

function expectHead(reader: ByteReader, magic: number, known: number, what: string): void {
  if (reader.remaining < 6) reader.corrupt(`too short for ${what}`);
  if (reader.u32() !== magic) reader.corrupt(`the first bytes are not those of ${what}`);
  const version = reader.u8();
  if (version !== known) reader.corrupt(`${what} of the unknown version ${version}`);
}

class KeyedSectionScan {
  readonly #reader: ByteReader;
  readonly #bytes: Uint8Array;
  /** The scan of an earlier section, whose items are used again where they are the same; or null. */
  #before: KeyedSectionScan | null;
  #firstKeyGroup = 0;
  #states: SectionState[] = [];
  #decoders: StateDecoders[] = [];
  /** Where the state table stands. */
  #tableStart = 0;
  #tableEnd = 0;
  readonly #watermarks: TimestampMs[] = [];
  readonly #groups: KeyGroupItems[] = [];

  constructor(bytes: Uint8Array, before: KeyedSectionScan | null) {
    this.#reader = new ByteReader(bytes);
    this.#bytes = bytes;
    this.#before = before;
  }

  section(): KeyedSection {
    const reader = this.#reader;
    expectHead(reader, KEYED_MAGIC, KEYED_VERSION, "keyed state");
    const maxParallelism = reader.varuint();
    const firstKeyGroup = reader.varuint();
    const groups = reader.varuint();
    if (maxParallelism < 1 || maxParallelism > MOST_KEY_GROUPS) reader.corrupt(`${maxParallelism} key groups in all`);
    if (firstKeyGroup + groups > maxParallelism) {
      reader.corrupt(`key groups from ${firstKeyGroup}, ${groups} of them, but there are ${maxParallelism} in all`);
    }
    this.#firstKeyGroup = firstKeyGroup;
    this.#tableStart = reader.position;
    if (this.#before !== null && this.#isLike(this.#before)) {
      this.#states = this.#before.#states;
      this.#decoders = this.#before.#decoders;
      reader.skip(this.#before.#tableEnd - this.#before.#tableStart);
    } else {
      this.#before = null;
      this.#readStates();
    }
    this.#tableEnd = reader.position;
    for (let i = 0; i < groups; i++) this.#readKeyGroup(firstKeyGroup + i);
    if (reader.remaining > 0) reader.corrupt("something follows the last key group");
    this.#before = null;
    const watermarks = this.#watermarks;
    const states = this.#states;
    return {
      maxParallelism,
      firstKeyGroup,
      watermarks,
      watermarkMs: watermarks.length === 0 ? MIN_WATERMARK : watermarks.reduce((a, b) => Math.min(a, b), MAX_WATERMARK),
      states,
      entries: this.#gather(0, states.length) as readonly SectionEntry[],
      eventTimers: this.#gather(states.length, states.length + 1) as readonly SectionTimer[],
      processingTimers: this.#gather(states.length + 1, states.length + 2) as readonly SectionTimer[],
    };
  }

  /** What all key groups hold in the lists from `first` to before `end`. */
  #gather(first: number, end: number): readonly (SectionEntry | SectionTimer)[] {
    const gathered: (SectionEntry | SectionTimer)[] = [];
    for (const { all, lists } of this.#groups) {
      const stop = lists[end] ?? all.length;
      for (let i = lists[first] ?? all.length; i < stop; i++) gathered.push(all[i] as SectionEntry | SectionTimer);
    }
    return gathered;
  }

  /** True if both begin with the same key group, and the state table of the one stands at the place of the other's. */
  #isLike(before: KeyedSectionScan): boolean {
    if (this.#firstKeyGroup !== before.#firstKeyGroup) return false;
    const distance = this.#tableStart - before.#tableStart;
    for (let at = before.#tableStart; at < before.#tableEnd; at++) {
      if (this.#bytes[at + distance] !== before.#bytes[at]) return false;
    }
    return true;
  }

  #readStates(): void {
    const reader = this.#reader;
    const count = reader.varuint();
    for (let i = 0; i < count; i++) {
      const name = decodeFrom(reader);
      if (typeof name !== "string") return reader.corrupt("the name of a state is no string");
      const before = this.#states.at(-1);
      if (before !== undefined && name <= before.name) reader.corrupt(`state "${name}" stands after "${before.name}"`);
      const number = reader.u8();
      const kind = KINDS[number];
      if (kind === undefined) return reader.corrupt(`state "${name}" is of the unknown kind ${number}`);
      const schema = decodeFrom(reader);
      const item = itemDecoder(schema, reader);
      const keySchema = decodeFrom(reader);
      if ((keySchema !== null) !== (kind === "map")) reader.corrupt(`state "${name}" has a schema of keys, or a map state has none`);
      const key = keySchema === null ? null : itemDecoder(keySchema, reader);
      this.#states.push({ name, kind, schema: schema as SerializerSchema, keySchema: keySchema as SerializerSchema | null });
      this.#decoders.push({ item, key });
    }
  }

  #readKeyGroup(keyGroup: number): void {
    const reader = this.#reader;
    const length = reader.varuint();
    if (length > reader.remaining) reader.corrupt(`key group ${keyGroup} is longer than the section`);
    const end = reader.position + length;
    const watermarkMs = decodeFrom(reader);
    if (!isWholeNumber(watermarkMs)) return reader.corrupt(`the watermark of key group ${keyGroup} is no whole number`);
    this.#watermarks.push(watermarkMs);
    const before = this.#before === null ? null : (this.#before.#groups[this.#groups.length] ?? null);
    if (before !== null && before.isAt(this.#bytes, reader.position, end)) {
      reader.skip(end - reader.position);
      this.#groups.push(before);
      return;
    }
    const items = new KeyGroupItems(this.#bytes, reader.position);
    for (let state = 0; state < this.#states.length; state++) this.#readEntries(items, before, state, keyGroup);
    for (let domain = 0; domain < TIMER_DOMAINS; domain++) this.#readTimers(items, before, keyGroup);
    if (reader.position !== end) reader.corrupt(`key group ${keyGroup} does not end where its length says`);
    items.finish(end);
    this.#groups.push(items);
  }

  /** `before`: the key group in an earlier section, or null. */
  #readEntries(items: KeyGroupItems, before: KeyGroupItems | null, table: number, keyGroup: number): void {
    const reader = this.#reader;
    const { name: state, kind } = this.#states[table] as SectionState;
    const decoders = this.#decoders[table] as StateDecoders;
    before?.openList(items.lists.length);
    items.beginList();
    const count = reader.varuint();
    // Two known ones in a row are in order: they were in the earlier section.
    let areKnown = true;
    for (let i = 0; i < count; i++) {
      const start = reader.position;
      const known = before === null ? null : (before.find(this.#bytes, start) as SectionEntry | null);
      if (before !== null && known !== null && before.isWhole(this.#bytes, start)) {
        reader.skip(before.length());
        items.add(known, start, start + before.keyLength(), reader.position);
      } else {
        if (before !== null && known !== null) reader.skip(before.keyLength());
        const key = known === null ? this.#key() : known.key;
        const namespace = known === null ? this.#namespace() : known.namespace;
        const keyEnd = reader.position;
        const value = this.#content(state, kind, decoders);
        items.add({ state, kind, key, namespace, value, keyGroup }, start, keyEnd, reader.position);
      }
      if (!(areKnown && known !== null) && !items.isAscending()) reader.corrupt(`an entry of state "${state}" in key group ${keyGroup} is out of order or there twice`);
      areKnown = known !== null;
    }
  }

  #readTimers(items: KeyGroupItems, before: KeyGroupItems | null, keyGroup: number): void {
    const reader = this.#reader;
    before?.openList(items.lists.length);
    items.beginList();
    const count = reader.varuint();
    let areKnown = true;
    for (let i = 0; i < count; i++) {
      const start = reader.position;
      const known = before === null ? null : (before.find(this.#bytes, start) as SectionTimer | null);
      if (before !== null && known !== null) reader.skip(before.length());
      const timer = known ?? { key: this.#key(), namespace: this.#namespace(), timestampMs: this.#wholeNumber("a timer's timestamp"), keyGroup };
      items.add(timer, start, reader.position, reader.position);
      if (!(areKnown && known !== null) && !items.isAscending()) reader.corrupt(`a timer in key group ${keyGroup} is out of order or there twice`);
      areKnown = known !== null;
    }
  }

  #key(): Key {
    const key = decodeFrom(this.#reader);
    return isKey(key) ? key : this.#reader.corrupt("a key that can be none");
  }

  #namespace(): Namespace {
    const namespace = decodeFrom(this.#reader);
    if (typeof namespace === "string" || typeof namespace === "number") return namespace;
    return this.#reader.corrupt("a namespace that is neither text nor number");
  }

  #wholeNumber(what: string): number {
    const value = decodeFrom(this.#reader);
    return isWholeNumber(value) ? value : this.#reader.corrupt(`${what} is no whole number`);
  }

  #content(name: string, kind: StateKind, { item, key }: StateDecoders): unknown {
    const reader = this.#reader;
    if (kind !== "list" && kind !== "map") {
      const value = item(reader);
      return value === null ? reader.corrupt(`${kind} state "${name}" holds null`) : value;
    }
    const count = reader.count(1);
    if (count === 0) return reader.corrupt(`${kind} state "${name}" holds no elements`);
    const content: unknown[] = [];
    while (content.length < count) content.push(key === null ? item(reader) : [key(reader), item(reader)]);
    return content;
  }
}

function isWholeNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

/** True for what can be a key in a section. */
export function isKey(value: unknown): value is Key {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return true;
    case "number":
      return !Object.is(value, -0);
    default:
      return Array.isArray(value) && value.every(isKey);
  }
}
