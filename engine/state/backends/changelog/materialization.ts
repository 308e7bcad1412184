import { invariant } from "../../../base/assert.ts";
import { SNAPSHOT_ENTRIES_PER_STEP } from "../../../base/limits.ts";
import type { CheckpointId } from "../../../base/units.ts";
import type { IncrementalSnapshotWriter, KeyedBackend, SnapshotWriter } from "../../keyed-backend.ts";
import type { StoreFile } from "../../ordered-store.ts";
import type { BasePart, IncrementBase } from "./increment-format.ts";
import type { ChangeLog, LogPosition } from "./change-log.ts";
import { LOG_START } from "./change-log.ts";

/** The state at a position of the log; after it the log goes on. */
export interface MaterializedBase {
  /** Counts the materializations of the attempt; 0 is what it began with. */
  readonly id: number;
  readonly position: LogPosition;
  /** Null: it is in the nested backend's own form alone. */
  readonly sections: readonly Uint8Array[] | null;
  /** The same as increments name it. */
  readonly increment: IncrementBase;
}

type RunningMaterialization = { readonly id: number; readonly position: LogPosition } & (
  | { readonly isNative: false; readonly writer: SnapshotWriter }
  | { readonly isNative: true; readonly writer: IncrementalSnapshotWriter }
);

/** What a checkpoint that was neither completed nor aborted yet stands on. */
interface CapturedBase {
  readonly materializationId: number;
  readonly position: LogPosition;
}

/**
 * Turns the log into a base now and then, and keeps of the log what is still needed (as Flink's
 * PeriodicMaterializationManager and ChangelogTruncateHelper):
 *
 * A materialization is a snapshot of the nested backend at a position of the log, written in slices: in the nested
 * backend's own form, where it has one and checkpoints share files, so that it is an increment itself. Checkpoints
 * stand on the last one that is finished. The next one waits until a completed checkpoint confirms it: before
 * that it has saved nobody anything. One that fails fails the task: what it could not read is the local disk.
 *
 * When a checkpoint completes, the log is truncated up to where its base stands, or the present base if that is
 * older. Earlier checkpoints are over then, and later ones in flight stand on the same base or a newer one.
 */
export class Materialization {
  base: MaterializedBase = { id: 0, position: LOG_START, sections: [], increment: { isNative: false, parts: [], logs: [] } };
  /** Checkpoints share files: the next one is in the nested backend's own form, if there is one. */
  prefersNative: boolean;
  private readonly nested: KeyedBackend;
  private readonly log: ChangeLog;
  private readonly afterBytes: number;
  private lastId = 0;
  private running: RunningMaterialization | null = null;
  /** The base no longer fits the log: a state's schema changed since. */
  private stale = false;
  private confirmedId = 0;
  /** Bytes of restored logs that the base stands before. */
  private restoredLogBytes = 0;
  /** Files of the present base and of the confirmed one: the next one in native form names them without bytes. */
  private nativeBytes: Map<string, Uint8Array> = new Map();
  private readonly captured: Map<CheckpointId, CapturedBase> = new Map();

  constructor(nested: KeyedBackend, log: ChangeLog, afterBytes: number, prefersNative: boolean) {
    invariant(afterBytes >= 1, "a materialization begins after at least one logged byte");
    this.nested = nested;
    this.log = log;
    this.afterBytes = afterBytes;
    this.prefersNative = prefersNative;
  }

  /** True while there is something to do. */
  get isDue(): boolean {
    if (this.running !== null || this.stale) return true;
    const logged = this.log.loggedBytes - this.base.position.bytes + this.restoredLogBytes;
    return this.confirmedId === this.base.id && logged >= this.afterBytes;
  }

  /** Null where checkpoints must not stand on the base. */
  get usableBase(): MaterializedBase | null {
    return this.stale ? null : this.base;
  }

  /** What was restored, before anything was logged; and as an increment, where it was one and was taken over whole. */
  restored(sections: readonly Uint8Array[], increment: IncrementBase | null): void {
    invariant(this.log.sqn === 0, "a backend is restored before its first use");
    this.base = { id: 0, position: LOG_START, sections, increment: increment ?? incrementOf(0, sections) };
    for (const { parts } of this.base.increment.logs) {
      for (const { segment } of parts) this.restoredLogBytes += segment.bytes.length;
    }
  }

  /** A state goes on with another schema than the base has: only a newer base will do. */
  invalidate(): void {
    this.running?.writer.cancel();
    this.running = null;
    this.stale = true;
  }

  /** One slice. */
  advance(): void {
    const running = (this.running ??= this.begin());
    if (running.writer.step(SNAPSHOT_ENTRIES_PER_STEP) > 0) return;
    const { id, position } = running;
    if (running.isNative) {
      this.base = { id, position, sections: null, increment: this.nativeBase(running.writer.files()) };
    } else {
      const sections = [running.writer.bytes()];
      this.base = { id, position, sections, increment: incrementOf(id, sections) };
    }
    this.running = null;
    this.stale = false;
    this.restoredLogBytes = 0;
  }

  /** A checkpoint stands on the base with this number, or on one of its own at `position`. */
  captureFor(checkpointId: CheckpointId, materializationId: number, position: LogPosition): void {
    this.captured.set(checkpointId, { materializationId, position });
  }

  /** Late news, of a checkpoint older than one that completed before, says nothing any more. */
  complete(checkpointId: CheckpointId): void {
    const completed = this.captured.get(checkpointId);
    if (completed === undefined) return;
    for (const id of this.captured.keys()) if (id <= checkpointId) this.captured.delete(id);
    if (completed.materializationId > this.confirmedId) {
      this.confirmedId = completed.materializationId;
      // The nested backend knows its snapshots by the number of the materialization (FLINK-25524).
      this.nested.notifyComplete(this.confirmedId);
      if (this.confirmedId === this.base.id) this.keepNativeBytes();
    }
    // A checkpoint with a base of its own stands further on than the present one.
    const { position } = this.base;
    this.log.truncate(completed.position.sqn < position.sqn ? completed.position : position);
  }

  /** The base stays: later checkpoints stand on it, and may confirm it. */
  abort(checkpointId: CheckpointId): void {
    this.captured.delete(checkpointId);
  }

  cancel(): void {
    this.running?.writer.cancel();
    this.running = null;
  }

  private begin(): RunningMaterialization {
    const id = ++this.lastId;
    const position = this.log.seal();
    const { incremental } = this.nested;
    if (incremental === null || !this.prefersNative) return { id, position, isNative: false, writer: this.nested.snapshot() };
    return { id, position, isNative: true, writer: incremental.snapshot(id) };
  }

  private nativeBase(files: readonly StoreFile[]): IncrementBase {
    const parts = files.map(({ name, bytes }): BasePart => {
      const known = bytes ?? this.nativeBytes.get(name);
      invariant(known !== undefined, "a nested backend names without bytes only what it was told is confirmed");
      this.nativeBytes.set(name, known);
      return { content: `native:${name}`, nestedName: name, bytes: known };
    });
    return { isNative: true, parts, logs: [] };
  }

  /** The base before this one is of no use to anybody any more. */
  private keepNativeBytes(): void {
    this.nativeBytes = new Map();
    for (const { nestedName, bytes } of this.base.increment.parts) if (nestedName !== "") this.nativeBytes.set(nestedName, bytes);
  }
}

function incrementOf(id: number, sections: readonly Uint8Array[]): IncrementBase {
  const parts = sections.map((bytes, i): BasePart => ({ content: `section:${id}.${i}`, nestedName: "", bytes }));
  return { isNative: false, parts, logs: [] };
}
