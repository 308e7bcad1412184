import type { CheckpointId } from "../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import { sameValue } from "../reference/structural-equality.ts";

/** Last checkpoints of an attempt that are kept in mind. */
const CUTS_KEPT = 16;

/** What a checkpoint says was at the sender, of which the rest has yet to be sent. */
interface AwaitedRecords {
  readonly checkpointId: CheckpointId;
  /** Number of the first of them. */
  readonly first: number;
  readonly values: readonly unknown[];
}

/** Counts at the last checkpoints. */
export class Cuts<T> {
  readonly #ids: CheckpointId[] = [];
  readonly #counts: T[] = [];

  keep(checkpointId: CheckpointId, count: T): void {
    this.#ids.push(checkpointId);
    this.#counts.push(count);
    if (this.#ids.length <= CUTS_KEPT) return;
    this.#ids.shift();
    this.#counts.shift();
  }

  at(checkpointId: CheckpointId): T | null {
    const cut = this.#ids.lastIndexOf(checkpointId);
    return cut < 0 ? null : (this.#counts[cut] as T);
  }
}

/** The records that were sent over one channel of one attempt, in order, as far as somebody may ask for them. */
export class SentRecords {
  sent = 0;
  /** The sender has finished: no barrier follows. */
  finished = false;
  /** Number of records before each barrier. */
  readonly beforeBarrier: Cuts<number> = new Cuts();
  readonly #keepsValues: boolean;
  readonly #differs: (checkpointId: CheckpointId) => void;
  #values: unknown[] = [];
  /** Number of the first that is kept. */
  #first = 0;
  #awaited: AwaitedRecords[] = [];

  /** `differs`: another record was sent than a checkpoint has at the sender. */
  constructor(keepsValues: boolean, differs: (checkpointId: CheckpointId) => void) {
    this.#keepsValues = keepsValues;
    this.#differs = differs;
  }

  frame(frame: StreamFrame): void {
    if (frame.kind === "buffer" && this.#keepsValues) {
      for (const value of frame.values) this.#values.push(value);
    }
    this.sent += frame.recordCount;
    if (frame.kind === "buffer" && frame.event?.kind === "end-of-partition") this.finished = true;
    if (frame.checkpointId !== NO_CHECKPOINT) this.beforeBarrier.keep(frame.checkpointId, this.sent);
    if (this.#awaited.length > 0) this.#compare();
  }

  /** True where the values are those sent, from the number `first` on, as far as these are still kept. */
  matches(first: number, values: readonly unknown[]): boolean {
    return values.every((value, i) => first + i < this.#first || sameValue(value, this.#values[first + i - this.#first]));
  }

  /** A checkpoint says that these waited behind its barrier. */
  expect(checkpointId: CheckpointId, first: number, values: readonly unknown[]): void {
    this.#awaited.push({ checkpointId, first, values });
    this.#compare();
  }

  /** Nobody will ask for records before that number. */
  forget(before: number): void {
    const end = Math.min(before, this.sent, ...this.#awaited.map(({ first }) => first));
    if (end <= this.#first) return;
    this.#values = this.#values.slice(end - this.#first);
    this.#first = end;
  }

  #compare(): void {
    const left: AwaitedRecords[] = [];
    for (const { checkpointId, first, values } of this.#awaited) {
      const here = Math.min(Math.max(this.sent - first, 0), values.length);
      if (!this.matches(first, values.slice(0, here))) this.#differs(checkpointId);
      else if (here < values.length) left.push({ checkpointId, first: first + here, values: values.slice(here) });
    }
    this.#awaited = left;
  }
}
