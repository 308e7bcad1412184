import { invariant } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import { encodeInto } from "../../../base/codec.ts";
import { crc32 } from "../../../base/crc32.ts";
import type { CheckpointId, TimestampMs } from "../../../base/units.ts";
import type { IncrementalSnapshotWriter, KeyGroupRange, SnapshotWriter } from "../../keyed-backend.ts";
import type { StoreFile } from "../../ordered-store.ts";
import type { UploadedFiles } from "../../uploaded-files.ts";
import { writeStates } from "./checkpoint-writer.ts";
import { BASE_FORM, INCREMENT_MAGIC, INCREMENT_VERSION } from "./increment-format.ts";
import type { AttemptLog, IncrementBase } from "./increment-format.ts";

/** Bytes that are summed for one entry of a step's budget. */
const BYTES_PER_ENTRY = 2048;

/** Everything that an increment holds, by reference; none of it changes any more. */
export interface CapturedIncrement {
  readonly checkpointId: CheckpointId;
  /** Begins the names of its files, and of no other checkpoint's. */
  readonly namePrefix: string;
  readonly maxParallelism: number;
  readonly range: KeyGroupRange;
  readonly watermarkMs: TimestampMs;
  /** Or a snapshot of the nested backend, which is one when it is written. */
  readonly base: IncrementBase | SnapshotWriter;
  /** Of this attempt. */
  readonly log: AttemptLog;
}

interface Part {
  readonly content: string;
  readonly bytes: Uint8Array;
  readonly extension: "base" | "nested" | "log";
}

/** Writes an increment (see increment-format): names what the confirmed one holds, and sums up what is new. */
export class IncrementWriter implements IncrementalSnapshotWriter {
  private readonly captured: CapturedIncrement;
  private readonly uploads: UploadedFiles<string>;
  private readonly reusable: ReadonlyMap<string, StoreFile>;
  /** Null until it is there. */
  private base: IncrementBase | null;
  private parts: readonly Part[] | null = null;
  private readonly written: Map<string, StoreFile> = new Map();
  private next = 0;
  private head: StoreFile | null = null;
  private cancelled = false;

  constructor(captured: CapturedIncrement, uploads: UploadedFiles<string>) {
    this.captured = captured;
    this.uploads = uploads;
    this.reusable = uploads.begin(captured.checkpointId);
    this.base = "step" in captured.base ? null : captured.base;
  }

  step(entryBudget: number): number {
    invariant(entryBudget >= 1, "a step of a snapshot serializes at least one entry");
    invariant(!this.cancelled, "a cancelled snapshot takes no further step");
    if (this.base === null) {
      const writer = this.captured.base as SnapshotWriter;
      const left = writer.step(entryBudget);
      if (left > 0) return left;
      const part = { content: `own:${this.captured.checkpointId}`, nestedName: "", bytes: writer.bytes() };
      this.base = { isNative: false, parts: [part], logs: [] };
    }
    const parts = (this.parts ??= partsOf(this.base, this.captured.log));
    for (let budget = entryBudget * BYTES_PER_ENTRY; budget > 0 && this.next < parts.length; this.next++) {
      const part = parts[this.next]!;
      this.written.set(part.content, this.fileOf(part));
      budget -= part.bytes.length;
    }
    if (this.next < parts.length) return parts.length - this.next;
    if (this.head === null) this.finish(this.base);
    return 0;
  }

  files(): readonly StoreFile[] {
    const { head } = this;
    invariant(head !== null, "a snapshot's files are taken once, after its last step");
    return [head, ...this.written.values()];
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    if ("step" in this.captured.base) this.captured.base.cancel();
    if (this.head === null) this.uploads.forget(this.captured.checkpointId);
  }

  private fileOf({ content, bytes, extension }: Part): StoreFile {
    const known = this.reusable.get(content);
    if (known !== undefined) return known;
    const name = `${this.captured.namePrefix}-${this.next}.${extension}`;
    return { name, sizeBytes: bytes.length, checksum: crc32(bytes), bytes };
  }

  private finish(base: IncrementBase): void {
    const bytes = this.headBytes(base);
    this.head = { name: `${this.captured.namePrefix}.head`, sizeBytes: bytes.length, checksum: crc32(bytes), bytes };
    const uploaded = new Map<string, StoreFile>();
    for (const [content, file] of this.written) uploaded.set(content, { ...file, bytes: null });
    this.uploads.complete(this.captured.checkpointId, uploaded);
  }

  private headBytes(base: IncrementBase): Uint8Array {
    const { maxParallelism, range, watermarkMs, log } = this.captured;
    const writer = new ByteWriter();
    writer.u32(INCREMENT_MAGIC);
    writer.u8(INCREMENT_VERSION);
    writer.varuint(maxParallelism);
    writer.varuint(range.start);
    writer.varuint(Math.max(0, range.end - range.start + 1));
    encodeInto(writer, watermarkMs);
    writer.u8(base.isNative ? BASE_FORM.native : BASE_FORM.sections);
    writer.varuint(base.parts.length);
    for (const { content, nestedName } of base.parts) {
      encodeInto(writer, this.nameOf(content));
      encodeInto(writer, nestedName);
    }
    const logs = [...base.logs, log];
    writer.varuint(logs.length);
    for (const { states, baseSqn, parts } of logs) {
      writer.varuint(baseSqn);
      writeStates(writer, states, states.length);
      writer.varuint(parts.length);
      for (const { content, segment } of parts) {
        writer.varuint(segment.toSqn - segment.fromSqn);
        encodeInto(writer, this.nameOf(content));
      }
    }
    return writer.take();
  }

  private nameOf(content: string): string {
    const file = this.written.get(content);
    invariant(file !== undefined, "every part of an increment has a file");
    return file.name;
  }
}

function partsOf(base: IncrementBase, log: AttemptLog): readonly Part[] {
  const extension = base.isNative ? "nested" : "base";
  const parts: Part[] = base.parts.map(({ content, bytes }) => ({ content, bytes, extension }));
  for (const attempt of [...base.logs, log]) {
    for (const { content, segment } of attempt.parts) parts.push({ content, bytes: segment.bytes, extension: "log" });
  }
  return parts;
}
