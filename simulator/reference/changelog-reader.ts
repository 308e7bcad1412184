import { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MIN_WATERMARK } from "../../engine/base/units.ts";
import type { StateKind } from "../../engine/state/descriptors.ts";
import { ChangelogContents } from "./changelog-contents.ts";
import { itemDecoder } from "./item-decoder.ts";
import type { DecodeItem } from "./item-decoder.ts";
import { KeyedSectionReader } from "./snapshot-reader.ts";
import type { KeyedSection, SectionState } from "./snapshot-reader.ts";

/*
 * A second reader of what the changelog backend keeps in checkpoints, made from the description of the format
 * (head of changelog-format in engine/state/backends/changelog) and not from the engine's code. It applies the
 * log to the base and gives what a section of the same state would give. Throws CorruptBytesError for whatever
 * is not as described. Which key group a key belongs to is left to the caller.
 */

/** "WWCL", least byte first. */
const MAGIC = 0x4c_43_57_57;
const VERSION = 1;
const MOST_KEY_GROUPS = 32_768;
const KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];
const OPERATIONS = ["clear", "set", "replace", "append", "put", "remove", "register", "deregister"] as const;

/** A state of the log's table, and how its items are read. */
interface LogState extends SectionState {
  readonly item: DecodeItem;
  readonly key: DecodeItem | null;
}

/**
 * Reads the keyed state of one operator subtask from checkpoint to checkpoint, whichever backend wrote it. What
 * did not change since the checkpoint before comes as the same objects, as far as it stands in a section.
 */
export class KeyedStateReader {
  /** Of whole sections, or of the parts of a base. */
  readonly #readers: KeyedSectionReader[] = [];
  readonly #orders: WeakMap<object, string> = new WeakMap();
  #bytes: Uint8Array | null = null;
  #section: KeyedSection | null = null;

  read(bytes: Uint8Array): KeyedSection {
    if (this.#section !== null && this.#bytes === bytes) return this.#section;
    const isLog = bytes.length >= 4 && new ByteReader(bytes).u32() === MAGIC;
    this.#section = isLog ? new ContainerScan(bytes, this.#readers, this.#orders).section() : readerAt(this.#readers, 0).read(bytes);
    this.#bytes = bytes;
    return this.#section;
  }
}

/** Reads the keyed state of one operator subtask, whichever backend wrote it. */
export function readKeyedState(bytes: Uint8Array): KeyedSection {
  return new KeyedStateReader().read(bytes);
}

function readerAt(readers: KeyedSectionReader[], index: number): KeyedSectionReader {
  return (readers[index] ??= new KeyedSectionReader());
}

class ContainerScan {
  readonly #reader: ByteReader;
  readonly #readers: KeyedSectionReader[];
  readonly #states: LogState[] = [];
  readonly #contents: ChangelogContents;
  #maxParallelism = 0;
  #firstKeyGroup = 0;
  #groups = 0;

  constructor(bytes: Uint8Array, readers: KeyedSectionReader[], orders: WeakMap<object, string>) {
    this.#contents = new ChangelogContents(orders);
    this.#reader = new ByteReader(bytes);
    this.#readers = readers;
  }

  section(): KeyedSection {
    const reader = this.#reader;
    if (reader.u32() !== MAGIC) reader.corrupt("the first bytes are not those of a changelog");
    const version = reader.u8();
    if (version !== VERSION) reader.corrupt(`a changelog of the unknown version ${version}`);
    const maxParallelism = (this.#maxParallelism = reader.varuint());
    const firstKeyGroup = (this.#firstKeyGroup = reader.varuint());
    const groups = (this.#groups = reader.varuint());
    if (maxParallelism < 1 || maxParallelism > MOST_KEY_GROUPS) reader.corrupt(`${maxParallelism} key groups in all`);
    if (firstKeyGroup + groups > maxParallelism) reader.corrupt(`${groups} key groups from ${firstKeyGroup} on are too many`);
    const watermarkMs = wholeNumber(reader, "the watermark");
    // Which materialization the base comes from matters to nobody but its writer.
    reader.varuint();
    const baseSqn = reader.varuint();
    this.#readStates();
    const bases = this.#readBase();
    this.#readSegments(baseSqn);
    if (reader.remaining > 0) reader.corrupt("something follows the last segment");
    const states = this.#allStates(bases);
    return {
      maxParallelism,
      firstKeyGroup,
      watermarks: new Array<TimestampMs>(groups).fill(watermarkMs),
      watermarkMs: groups === 0 ? MIN_WATERMARK : watermarkMs,
      states,
      entries: this.#contents.entries(),
      eventTimers: this.#contents.timers(0),
      processingTimers: this.#contents.timers(1),
    };
  }

  #readStates(): void {
    const reader = this.#reader;
    const count = reader.varuint();
    for (let i = 0; i < count; i++) {
      const name = decodeFrom(reader);
      if (typeof name !== "string") return reader.corrupt("the name of a state is no string");
      if (this.#states.some((state) => state.name === name)) reader.corrupt(`state "${name}" is there twice`);
      const kind = KINDS[reader.u8()];
      if (kind === undefined) return reader.corrupt(`state "${name}" is of an unknown kind`);
      const schema = decodeFrom(reader) as SectionState["schema"];
      const item = itemDecoder(schema, reader);
      const keySchema = decodeFrom(reader) as SectionState["keySchema"];
      if ((keySchema !== null) !== (kind === "map")) reader.corrupt(`state "${name}" has a schema of keys, or a map has none`);
      const key = keySchema === null ? null : itemDecoder(keySchema, reader);
      this.#states.push({ name, kind, schema, keySchema, item, key });
    }
  }

  #readBase(): KeyedSection[] {
    const reader = this.#reader;
    const bases: KeyedSection[] = [];
    const count = reader.varuint();
    let next = this.#firstKeyGroup;
    for (let i = 0; i < count; i++) {
      const base = readerAt(this.#readers, i).read(reader.bytes(reader.varuint()));
      if (base.maxParallelism !== this.#maxParallelism) reader.corrupt("a base with another number of key groups in all");
      if (base.firstKeyGroup < next) reader.corrupt("a part of the base begins before the one before it ends");
      next = base.firstKeyGroup + base.watermarks.length;
      if (next > this.#firstKeyGroup + this.#groups) reader.corrupt("the base has key groups that are not the subtask's");
      this.#contents.load(base);
      bases.push(base);
    }
    return bases;
  }

  #readSegments(baseSqn: number): void {
    const reader = this.#reader;
    const count = reader.varuint();
    let next = baseSqn;
    for (let i = 0; i < count; i++) {
      const first = reader.varuint();
      if (first !== next) reader.corrupt(`a segment begins with operation ${first}, not ${next}`);
      const operations = reader.varuint();
      if (operations === 0) reader.corrupt("an empty segment");
      next = first + operations;
      const segment = reader.section(reader.varuint());
      for (let n = 0; n < operations; n++) this.#readOperation(segment);
      if (segment.remaining > 0) segment.corrupt("a segment holds more than its operations");
    }
  }

  #readOperation(reader: ByteReader): void {
    const code = reader.u8();
    const operation = OPERATIONS[code];
    if (operation === undefined) return reader.corrupt(`an operation of the unknown code ${code}`);
    const keyGroup = reader.varuint();
    const last = this.#firstKeyGroup + this.#groups - 1;
    if (keyGroup < this.#firstKeyGroup || keyGroup > last) reader.corrupt(`key group ${keyGroup} is not the subtask's`);
    const isTimer = operation === "register" || operation === "deregister";
    const state = isTimer ? null : this.#states[reader.varuint()];
    if (state === undefined) return reader.corrupt("an operation on an unknown state");
    const { key, namespace } = this.#contents.readPlace(reader);
    if (state === null) {
      const domain = reader.u8();
      if (domain !== 0 && domain !== 1) return reader.corrupt(`a timer of the unknown domain ${domain}`);
      const timestampMs = wholeNumber(reader, "a timer's timestamp");
      this.#contents.setTimer(domain, { key, namespace, timestampMs, keyGroup }, operation === "register");
      return;
    }
    const { name, kind } = state;
    const change = { state: name, kind, key, namespace, keyGroup };
    switch (operation) {
      case "clear":
        return this.#contents.clear(change);
      case "set": {
        if (kind === "list" || kind === "map") reader.corrupt(`${kind} state "${name}" is set to a value`);
        const value = state.item(reader);
        if (value === null) reader.corrupt(`${kind} state "${name}" is set to null`);
        return this.#contents.set(change, value);
      }
      case "replace":
      case "append": {
        if (kind !== "list") reader.corrupt(`elements for ${kind} state "${name}"`);
        const count = reader.count(1);
        if (count === 0) reader.corrupt("no element where there is at least one");
        const elements: unknown[] = [];
        while (elements.length < count) elements.push(state.item(reader));
        return operation === "replace" ? this.#contents.set(change, elements) : this.#contents.append(change, elements);
      }
      default: {
        if (state.key === null) return reader.corrupt(`a map's key for ${kind} state "${name}"`);
        const mapKey = state.key(reader);
        if (operation === "put") this.#contents.put(change, mapKey, state.item(reader));
        else this.#contents.remove(change, mapKey);
      }
    }
  }

  /** Those of the log's table, and those that only the base has. */
  #allStates(bases: readonly KeyedSection[]): readonly SectionState[] {
    const states = new Map<string, SectionState>();
    for (const { name, kind, schema, keySchema } of this.#states) states.set(name, { name, kind, schema, keySchema });
    for (const base of bases) {
      for (const state of base.states) {
        const known = states.get(state.name);
        if (known === undefined) states.set(state.name, state);
        else if (known.kind !== state.kind) this.#reader.corrupt(`state "${state.name}" is of two kinds`);
      }
    }
    return [...states.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }
}

function wholeNumber(reader: ByteReader, what: string): number {
  const value = decodeFrom(reader);
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return reader.corrupt(`${what} is no whole number`);
}
