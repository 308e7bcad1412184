import { invariant } from "../../engine/base/assert.ts";
import type { CheckpointId, TimestampMs } from "../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { Process } from "../world/sim-process.ts";

/** Where the log of an attempt stood when it took a snapshot. */
export interface HistoryMark {
  readonly log: HistoryLog;
  readonly checkpointId: CheckpointId;
  /** Entries before this one are in the snapshot. */
  readonly end: number;
  /** Records emitted before it. */
  readonly emitted: number;
}

/**
 * What one attempt of one keyed operator subtask did, in order. An entry >= 0 is a record: twice its id, plus
 * one where it was applied (and not late). An entry < 0 is a watermark: the bitwise complement of its place
 * in `watermarks`.
 */
export class HistoryLog {
  readonly process: Process;
  readonly attempt: number;
  /** Entries before this number were dropped: entry i is `entries[i - first]`. */
  first = 0;
  entries: number[] = [];
  readonly watermarks: TimestampMs[] = [];
  restoredFrom: CheckpointId = NO_CHECKPOINT;
  /** Records that the lineage has emitted: the next one gets its id from this. */
  emitted = 0;
  /** User code asked for the time or for randomness: the same input may give another result. */
  isRepeatable = true;
  readonly #firstId: number;
  readonly #idStep: number;

  /** What it emits gets the ids `firstId`, `firstId + idStep` … */
  constructor(process: Process, attempt: number, firstId: number, idStep: number) {
    invariant(idStep > 0, "ids of emitted records grow");
    this.process = process;
    this.attempt = attempt;
    this.#firstId = firstId;
    this.#idStep = idStep;
  }

  get end(): number {
    return this.first + this.entries.length;
  }

  /** The operator looks at a record. */
  record(id: number, applied: 0 | 1): void {
    this.entries.push(2 * id + applied);
  }

  /** The record it looked at last was not late. */
  applied(): void {
    const last = this.entries.length - 1;
    this.entries[last] = (this.entries[last] as number) | 1;
  }

  watermark(watermarkMs: TimestampMs): void {
    this.entries.push(~this.watermarks.length);
    this.watermarks.push(watermarkMs);
  }

  /** The id of the next record it emits. */
  derive(): number {
    const id = this.#firstId + this.emitted * this.#idStep;
    this.emitted += 1;
    return id;
  }

  /** Forgets the entries before `end`. */
  drop(end: number): void {
    invariant(end >= this.first && end <= this.end, "only entries that exist are dropped");
    this.entries = this.entries.slice(end - this.first);
    this.first = end;
  }
}
