import { invariant } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import { encodeInto } from "../../../base/codec.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { KeyGroupRange, SnapshotWriter } from "../../keyed-backend.ts";
import { STATE_KINDS } from "../../snapshot-format.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { SegmentSpan } from "./change-log.ts";
import { CHANGELOG_MAGIC, CHANGELOG_VERSION } from "./changelog-format.ts";

/** Bytes that are copied for one entry of a step's budget: copying is that much faster than serializing. */
const BYTES_PER_ENTRY = 2048;

/** Everything that a container holds, by reference; none of it changes any more. */
export interface CapturedChangelog {
  readonly maxParallelism: number;
  readonly range: KeyGroupRange;
  readonly watermarkMs: TimestampMs;
  readonly materializationId: number;
  readonly baseSqn: number;
  /** The first `stateCount` of them: more may be bound meanwhile. */
  readonly states: readonly SectionState[];
  readonly stateCount: number;
  /** The sections of the base, or a snapshot of the nested backend that is one when it is written. */
  readonly base: readonly Uint8Array[] | SnapshotWriter;
  readonly log: SegmentSpan;
}

/** Writes a container (see changelog-format): mostly a matter of copying. */
export class ChangelogCheckpointWriter implements SnapshotWriter {
  private captured: CapturedChangelog | null;
  /** The container piece by piece, once the base is there. */
  private chunks: Uint8Array[] | null = null;
  private chunk = 0;
  private chunkAt = 0;
  private out: Uint8Array | null = null;
  private at = 0;

  constructor(captured: CapturedChangelog) {
    this.captured = captured;
  }

  step(entryBudget: number): number {
    invariant(entryBudget >= 1, "a step of a snapshot serializes at least one entry");
    const { captured } = this;
    if (captured !== null) {
      const base = "step" in captured.base ? null : captured.base;
      if (base === null) {
        const left = (captured.base as SnapshotWriter).step(entryBudget);
        if (left > 0) return left;
      }
      this.begin(captured, base ?? [(captured.base as SnapshotWriter).bytes()]);
    }
    return this.copy(entryBudget * BYTES_PER_ENTRY);
  }

  bytes(): Uint8Array {
    const { out } = this;
    invariant(out !== null && this.at === out.length, "a snapshot's bytes are taken once, after its last step");
    this.out = null;
    this.chunks = null;
    return out;
  }

  cancel(): void {
    const { captured } = this;
    if (captured !== null && "step" in captured.base) captured.base.cancel();
    this.captured = null;
    this.chunks = null;
    this.out = null;
  }

  private begin(captured: CapturedChangelog, base: readonly Uint8Array[]): void {
    this.captured = null;
    const chunks: Uint8Array[] = [];
    const writer = new ByteWriter();
    writeHead(writer, captured);
    writer.varuint(base.length);
    for (const section of base) {
      writer.varuint(section.length);
      chunks.push(writer.take(), section);
    }
    const { all, first, end } = captured.log;
    writer.varuint(end - first);
    for (let i = first; i < end; i++) {
      const { fromSqn, toSqn, bytes } = all[i]!;
      writer.varuint(fromSqn);
      writer.varuint(toSqn - fromSqn);
      writer.varuint(bytes.length);
      chunks.push(writer.take(), bytes);
    }
    chunks.push(writer.take());
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    this.out = new Uint8Array(length);
    this.chunks = chunks;
  }

  /** Copies at most so many bytes; returns how many entries' worth of them are left. */
  private copy(budget: number): number {
    const { chunks, out } = this;
    invariant(chunks !== null && out !== null, "a snapshot that was cancelled or taken takes no further step");
    for (let left = Math.min(budget, out.length - this.at); left > 0; ) {
      const chunk = chunks[this.chunk]!;
      const part = chunk.subarray(this.chunkAt, this.chunkAt + left);
      out.set(part, this.at);
      left -= part.length;
      this.at += part.length;
      this.chunkAt += part.length;
      if (this.chunkAt === chunk.length) {
        this.chunk++;
        this.chunkAt = 0;
      }
    }
    return Math.ceil((out.length - this.at) / BYTES_PER_ENTRY);
  }
}

function writeHead(writer: ByteWriter, captured: CapturedChangelog): void {
  const { range, states, stateCount } = captured;
  writer.u32(CHANGELOG_MAGIC);
  writer.u8(CHANGELOG_VERSION);
  writer.varuint(captured.maxParallelism);
  writer.varuint(range.start);
  writer.varuint(Math.max(0, range.end - range.start + 1));
  encodeInto(writer, captured.watermarkMs);
  writer.varuint(captured.materializationId);
  writer.varuint(captured.baseSqn);
  writeStates(writer, states, stateCount);
}

/** The table of states: the first `count` of them. */
export function writeStates(writer: ByteWriter, states: readonly SectionState[], count: number): void {
  writer.varuint(count);
  for (let i = 0; i < count; i++) {
    const { name, kind, serializer, keySerializer } = states[i]!;
    encodeInto(writer, name);
    writer.u8(STATE_KINDS.indexOf(kind));
    encodeInto(writer, serializer.schema);
    encodeInto(writer, keySerializer === null ? null : keySerializer.schema);
  }
}
