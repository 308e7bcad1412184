import { ByteReader } from "../../../base/bytes.ts";
import { decodeFrom } from "../../../base/codec.ts";
import { MAX_PARALLELISM_LIMIT } from "../../../base/limits.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import { checkedSchema, serializerOf } from "../../serializers/serializer-schema.ts";
import { STATE_KINDS } from "../../snapshot-format.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import { CHANGELOG_MAGIC, CHANGELOG_VERSION } from "./changelog-format.ts";
import type { LogSegment } from "./changelog-format.ts";

/** True for what begins as a container of the changelog backend does. */
export function isChangelogContainer(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new ByteReader(bytes).u32() === CHANGELOG_MAGIC;
}

/**
 * What the changelog backend's `checkpoint` wrote (see changelog-format). Opening it reads everything but the
 * contents of the base and of the log. Throws CorruptBytesError for anything else.
 */
export class ChangelogContainer {
  readonly maxParallelism: number;
  readonly range: KeyGroupRange;
  readonly watermarkMs: TimestampMs;
  readonly materializationId: number;
  /** By their number in the log. */
  readonly states: readonly SectionState[];
  /** The sections of the base, ascending by their ranges. */
  readonly base: readonly KeyedSectionReader[];
  readonly segments: readonly LogSegment[];

  constructor(source: Uint8Array) {
    const reader = new ByteReader(source);
    if (reader.u32() !== CHANGELOG_MAGIC) reader.corrupt("no checkpoint of the changelog backend");
    const version = reader.u8();
    if (version !== CHANGELOG_VERSION) reader.corrupt(`a checkpoint of the changelog backend of version ${version}`);
    const { maxParallelism, range } = readRange(reader);
    this.maxParallelism = maxParallelism;
    this.range = range;
    this.watermarkMs = readInteger(reader, "a watermark");
    this.materializationId = reader.varuint();
    const baseSqn = reader.varuint();
    this.states = readStates(reader);
    this.base = this.readBase(reader);
    this.segments = readSegments(reader, baseSqn);
    if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the last segment`);
  }

  private readBase(reader: ByteReader): KeyedSectionReader[] {
    const sections: KeyedSectionReader[] = [];
    const count = reader.count(1);
    let next = this.range.start;
    for (let i = 0; i < count; i++) {
      const section = new KeyedSectionReader(reader.bytes(reader.varuint()));
      const { start, end } = section.range;
      if (section.maxParallelism !== this.maxParallelism) reader.corrupt("a base of another max parallelism");
      if (start < next || end > this.range.end) reader.corrupt("sections of the base out of order, or out of the range");
      next = end + 1;
      sections.push(section);
    }
    return sections;
  }
}

/** The max parallelism and the key groups of a subtask, as they stand behind the version. */
export function readRange(reader: ByteReader): { readonly maxParallelism: number; readonly range: KeyGroupRange } {
  const maxParallelism = reader.varuint();
  if (maxParallelism < 1 || maxParallelism > MAX_PARALLELISM_LIMIT) reader.corrupt(`a max parallelism of ${maxParallelism}`);
  const start = reader.varuint();
  const groups = reader.varuint();
  if (start + groups > maxParallelism) reader.corrupt("a key-group range beyond the max parallelism");
  return { maxParallelism, range: { start, end: start + groups - 1 } };
}

/** An integer that stands there as a value. */
export function readInteger(reader: ByteReader, what: string): number {
  const value = decodeFrom(reader);
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return reader.corrupt(`${what} that is no integer`);
}

export function readStates(reader: ByteReader): SectionState[] {
  const states: SectionState[] = [];
  const names = new Set<string>();
  const count = reader.count(5);
  for (let i = 0; i < count; i++) {
    const name = decodeFrom(reader);
    if (typeof name !== "string") return reader.corrupt("a state name that is no string");
    if (names.has(name)) reader.corrupt(`state "${name}" is there twice`);
    names.add(name);
    const kind = STATE_KINDS[reader.u8()];
    if (kind === undefined) return reader.corrupt("an unknown kind of state");
    const serializer = readSerializer(reader);
    if (serializer === null) return reader.corrupt("a state without a schema");
    const keySerializer = readSerializer(reader);
    if ((kind === "map") !== (keySerializer !== null)) reader.corrupt("a schema of map keys where none belongs, or none");
    states.push({ name, kind, serializer, keySerializer });
  }
  return states;
}

function readSerializer(reader: ByteReader): TypeSerializer<unknown> | null {
  const schema = decodeFrom(reader);
  return schema === null ? null : serializerOf(checkedSchema(schema));
}

function readSegments(reader: ByteReader, baseSqn: number): LogSegment[] {
  const segments: LogSegment[] = [];
  const count = reader.count(4);
  let sqn = baseSqn;
  for (let i = 0; i < count; i++) {
    const fromSqn = reader.varuint();
    if (fromSqn !== sqn) reader.corrupt(`a segment from operation ${fromSqn} on where ${sqn} is the next`);
    const operations = reader.varuint();
    if (operations === 0) reader.corrupt("a segment without operations");
    sqn += operations;
    if (!Number.isSafeInteger(sqn)) reader.corrupt("a number beyond the safe integers");
    segments.push({ fromSqn, toSqn: sqn, bytes: reader.bytes(reader.varuint()) });
  }
  return segments;
}
