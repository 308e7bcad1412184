import { invariant } from "../../../base/assert.ts";
import { SNAPSHOT_ENTRIES_PER_STEP } from "../../../base/limits.ts";
import type { CheckpointId } from "../../../base/units.ts";
import type { KeyedBackend, SnapshotWriter } from "../../keyed-backend.ts";
import type { ChangeLog, LogPosition } from "./change-log.ts";
import { LOG_START } from "./change-log.ts";

/** The state at a position of the log, as sections; after it the log goes on. */
export interface MaterializedBase {
  /** Counts the materializations of the attempt; 0 is what it began with. */
  readonly id: number;
  readonly position: LogPosition;
  readonly sections: readonly Uint8Array[];
}

interface RunningMaterialization {
  readonly id: number;
  readonly position: LogPosition;
  readonly writer: SnapshotWriter;
}

/** What a checkpoint that was neither completed nor aborted yet stands on. */
interface CapturedBase {
  readonly materializationId: number;
  readonly position: LogPosition;
}

/**
 * Turns the log into a base now and then, and keeps of the log what is still needed (as Flink's
 * PeriodicMaterializationManager and ChangelogTruncateHelper):
 *
 * A materialization is a snapshot of the nested backend at a position of the log, written in slices. Checkpoints
 * stand on the last one that is finished. The next one waits until a completed checkpoint confirms it: before
 * that it has saved nobody anything. One that fails fails the task: what it could not read is the local disk.
 *
 * When a checkpoint completes, the log is truncated up to where its base stands, or the present base if that is
 * older. Earlier checkpoints are over then, and later ones in flight stand on the same base or a newer one.
 */
export class Materialization {
  base: MaterializedBase = { id: 0, position: LOG_START, sections: [] };
  private readonly nested: KeyedBackend;
  private readonly log: ChangeLog;
  private readonly afterBytes: number;
  private lastId = 0;
  private running: RunningMaterialization | null = null;
  /** The base no longer fits the log: a state's schema changed since. */
  private stale = false;
  private confirmedId = 0;
  private readonly captured: Map<CheckpointId, CapturedBase> = new Map();

  constructor(nested: KeyedBackend, log: ChangeLog, afterBytes: number) {
    invariant(afterBytes >= 1, "a materialization begins after at least one logged byte");
    this.nested = nested;
    this.log = log;
    this.afterBytes = afterBytes;
  }

  /** True while there is something to do. */
  get isDue(): boolean {
    if (this.running !== null || this.stale) return true;
    return this.confirmedId === this.base.id && this.log.loggedBytes - this.base.position.bytes >= this.afterBytes;
  }

  /** Null where checkpoints must not stand on the base. */
  get usableBase(): MaterializedBase | null {
    return this.stale ? null : this.base;
  }

  /** What was restored, before anything was logged. */
  restored(sections: readonly Uint8Array[]): void {
    invariant(this.log.sqn === 0, "a backend is restored before its first use");
    this.base = { id: 0, position: LOG_START, sections };
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
    this.base = { id: running.id, position: running.position, sections: [running.writer.bytes()] };
    this.running = null;
    this.stale = false;
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
    return { id: ++this.lastId, position: this.log.seal(), writer: this.nested.snapshot() };
  }
}
