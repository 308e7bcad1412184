import { ByteReader } from "../base/bytes.ts";
import { decodeFrom } from "../base/codec.ts";
import { MAX_PARALLELISM_LIMIT } from "../base/limits.ts";
import type { KeyGroup, TimestampMs } from "../base/units.ts";
import { keyGroupOf } from "../stream/key-groups.ts";
import { CHANGELOG_MAGIC } from "./backends/changelog/changelog-format.ts";
import { isKey } from "./key-identity.ts";
import type { KeyGroupRange } from "./keyed-backend.ts";
import { checkedSchema, serializerOf } from "./serializers/serializer-schema.ts";
import { STRUCTURAL_SCHEMA_BYTES, structuralSerializer } from "./serializers/structural.ts";
import { KEYED_SECTION_MAGIC, KEYED_SECTION_VERSION, STATE_KINDS, TIMER_DOMAINS } from "./snapshot-format.ts";
import type { SectionState } from "./snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "./state.ts";
import type { TypeSerializer } from "./type-serializer.ts";

/**
 * Receives the contents of a key group. What it is given is fresh and belongs to it. `content`: the value or
 * accumulator, an array of the elements, or one of the pairs of a map, as the schemas in the section say.
 */
export interface KeyGroupVisitor {
  entry(state: SectionState, key: Key, namespace: Namespace, content: unknown): void;
  timer(domain: TimerDomain, key: Key, namespace: Namespace, timestampMs: TimestampMs): void;
}

/**
 * Reads one keyed-state section (see snapshot-format). Opening it reads the header and where each group
 * lies; groups that nobody asks for are skipped. Throws CorruptBytesError for anything but a section.
 */
export class KeyedSectionReader {
  readonly maxParallelism: number;
  readonly range: KeyGroupRange;
  readonly states: readonly SectionState[];
  private readonly source: Uint8Array;
  /** Where group `range.start + i` begins; one more for the end of the last. */
  private readonly offsets: number[] = [];
  private readonly lengths: number[] = [];

  constructor(source: Uint8Array) {
    this.source = source;
    const reader = new ByteReader(source);
    const magic = reader.u32();
    if (magic === CHANGELOG_MAGIC) {
      reader.corrupt("state that a changelog backend wrote: restore it with one, or from a savepoint");
    }
    if (magic !== KEYED_SECTION_MAGIC) reader.corrupt("no keyed-state section");
    const version = reader.u8();
    if (version !== KEYED_SECTION_VERSION) {
      reader.corrupt(`a keyed-state section of version ${version}, where only version ${KEYED_SECTION_VERSION} can be read`);
    }
    this.maxParallelism = reader.varuint();
    if (this.maxParallelism < 1 || this.maxParallelism > MAX_PARALLELISM_LIMIT) {
      reader.corrupt(`a max parallelism of ${this.maxParallelism}`);
    }
    const start = reader.varuint();
    const groups = reader.varuint();
    if (start + groups > this.maxParallelism) reader.corrupt("a key-group range beyond the max parallelism");
    this.range = { start, end: start + groups - 1 };
    this.states = readStateTable(reader, source);
    for (let i = 0; i < groups; i++) {
      const length = reader.varuint();
      this.offsets.push(reader.position);
      this.lengths.push(length);
      reader.skip(length);
    }
    if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the last key group`);
  }

  /** Gives the contents of a key group of the range to `visitor`, in the order of the section; returns its watermark. */
  readGroup(keyGroup: KeyGroup, visitor: KeyGroupVisitor): TimestampMs {
    const index = keyGroup - this.range.start;
    const offset = this.offsets[index]!;
    const reader = new ByteReader(this.source, offset, offset + this.lengths[index]!);
    const watermarkMs = readInteger(reader, "a watermark");
    for (const state of this.states) {
      const count = reader.count(3);
      let lastStart = 0;
      let lastEnd = 0;
      for (let i = 0; i < count; i++) {
        const start = reader.position;
        const key = this.readKey(reader, keyGroup);
        const namespace = readNamespace(reader);
        const end = reader.position;
        if (i > 0 && reader.compare(lastStart, lastEnd, start, end) >= 0) reader.corrupt("entries out of order");
        lastStart = start;
        lastEnd = end;
        visitor.entry(state, key, namespace, readContent(reader, state));
      }
    }
    for (let domain = 0; domain < TIMER_DOMAINS; domain++) this.readTimers(reader, keyGroup, domain as TimerDomain, visitor);
    if (reader.remaining !== 0) reader.corrupt("a key group longer than its contents");
    return watermarkMs;
  }

  private readTimers(reader: ByteReader, keyGroup: KeyGroup, domain: TimerDomain, visitor: KeyGroupVisitor): void {
    const count = reader.count(3);
    let lastStart = 0;
    let lastEnd = 0;
    for (let i = 0; i < count; i++) {
      const start = reader.position;
      const key = this.readKey(reader, keyGroup);
      const namespace = readNamespace(reader);
      const timestampMs = readInteger(reader, "a timestamp");
      const end = reader.position;
      if (i > 0 && reader.compare(lastStart, lastEnd, start, end) >= 0) reader.corrupt("timers out of order");
      lastStart = start;
      lastEnd = end;
      visitor.timer(domain, key, namespace, timestampMs);
    }
  }

  private readKey(reader: ByteReader, keyGroup: KeyGroup): Key {
    const key = decodeFrom(reader);
    if (!isKey(key)) return reader.corrupt("a key of a type that no key has");
    if (keyGroupOf(key, this.maxParallelism) !== keyGroup) reader.corrupt(`a key that is not of key group ${keyGroup}`);
    return key;
  }
}

function readStateTable(reader: ByteReader, source: Uint8Array): SectionState[] {
  const states: SectionState[] = [];
  const count = reader.count(5);
  for (let i = 0; i < count; i++) {
    const name = decodeFrom(reader);
    if (typeof name !== "string") return reader.corrupt("a state name that is no string");
    if (i > 0 && name <= states[i - 1]!.name) reader.corrupt("state names out of order");
    const kind = STATE_KINDS[reader.u8()];
    if (kind === undefined) return reader.corrupt("an unknown kind of state");
    const serializer = readSerializer(reader, source);
    if (serializer === null) return reader.corrupt("a state without a schema");
    const keySerializer = readSerializer(reader, source);
    if ((kind === "map") !== (keySerializer !== null)) reader.corrupt("a schema of map keys where none belongs, or none");
    states.push({ name, kind, serializer, keySerializer });
  }
  return states;
}

/** The reader stands at its position in `source`. */
function readSerializer(reader: ByteReader, source: Uint8Array): TypeSerializer<any> | null {
  if (beginsWith(source, reader.position, STRUCTURAL_SCHEMA_BYTES)) {
    reader.skip(STRUCTURAL_SCHEMA_BYTES.length);
    return structuralSerializer;
  }
  const schema = decodeFrom(reader);
  return schema === null ? null : serializerOf(checkedSchema(schema));
}

function beginsWith(source: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (source[at + i] !== bytes[i]) return false;
  return true;
}

function readNamespace(reader: ByteReader): Namespace {
  const namespace = decodeFrom(reader);
  if (typeof namespace === "string" || typeof namespace === "number") return namespace;
  return reader.corrupt("a namespace that is neither string nor number");
}

function readInteger(reader: ByteReader, what: string): number {
  const value = decodeFrom(reader);
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return reader.corrupt(`${what} that is no integer`);
}

function readContent(reader: ByteReader, { kind, serializer, keySerializer }: SectionState): unknown {
  if (kind !== "list" && kind !== "map") {
    const value: unknown = serializer.read(reader);
    return value === null ? reader.corrupt(`a ${kind} state that holds null`) : value;
  }
  const count = reader.count(1);
  if (count === 0) reader.corrupt(`a ${kind} state without elements`);
  const content: unknown[] = [];
  for (let i = 0; i < count; i++) {
    if (kind === "list") content.push(serializer.read(reader));
    else content.push([keySerializer!.read(reader), serializer.read(reader)]);
  }
  return content;
}
