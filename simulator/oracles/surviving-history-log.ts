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
  /** Processing time when it was taken. */
  readonly atMs: TimestampMs;
}

const LEAST_ROOM = 256;
const NO_TIMES: Float64Array = new Float64Array(0);
/** Twice an id, plus one, must fit a place of the log. */
const IDS_LIMIT = 1 << 30;

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
  /** Room for more than there are: see `end`. Half the memory of an array, and a run writes one for each record. */
  entries: Int32Array = new Int32Array(LEAST_ROOM);
  readonly watermarks: TimestampMs[] = [];
  /** By place in `entries`: the processing time at which a record was looked at; empty where nothing depends on it. */
  times: Float64Array = NO_TIMES;
  restoredFrom: CheckpointId = NO_CHECKPOINT;
  /** Its task has finished: nothing follows, and later checkpoints hold what the last one held. */
  finished = false;
  /** Records that the lineage has emitted: the next one gets its id from this. */
  emitted = 0;
  /** User code asked for the time or for randomness: the same input may give another result. */
  isRepeatable = true;
  #count = 0;
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
    return this.first + this.#count;
  }

  /** The operator looks at a record. */
  record(id: number, applied: 0 | 1): void {
    this.#push(2 * id + applied);
  }

  /** The record it looked at last was not late. */
  applied(): void {
    const last = this.#count - 1;
    this.entries[last] = (this.entries[last] as number) | 1;
  }

  at(nowMs: TimestampMs): void {
    if (this.times.length !== this.entries.length) this.#makeTimes();
    this.times[this.#count - 1] = nowMs;
  }

  watermark(watermarkMs: TimestampMs): void {
    this.#push(~this.watermarks.length);
    this.watermarks.push(watermarkMs);
  }

  /** The id of the next record it emits. */
  derive(): number {
    const id = this.#firstId + this.emitted * this.#idStep;
    invariant(id < IDS_LIMIT, "a run has fewer than 2^30 record ids");
    this.emitted += 1;
    return id;
  }

  /** Forgets the entries before `end`. */
  drop(end: number): void {
    invariant(end >= this.first && end <= this.end, "only entries that exist are dropped");
    const left = this.entries.subarray(end - this.first, this.#count);
    this.entries.set(left);
    if (this.times.length > 0) this.times.copyWithin(0, end - this.first, this.#count);
    this.#count = left.length;
    this.first = end;
  }

  #push(entry: number): void {
    if (this.#count === this.entries.length) this.#makeRoom();
    this.entries[this.#count] = entry;
    this.#count += 1;
  }

  #makeRoom(): void {
    const { entries } = this;
    this.entries = new Int32Array(2 * entries.length);
    this.entries.set(entries);
  }

  #makeTimes(): void {
    const { times } = this;
    this.times = new Float64Array(this.entries.length);
    this.times.set(times);
  }
}
