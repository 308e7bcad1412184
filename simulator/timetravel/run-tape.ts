import { invariant } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { RunResult } from "../run-result.ts";
import { PORT_TRACE, traceKindName } from "../trace/kinds.ts";
import type { JudgedRun, RepeatableRun } from "./repeatable-run.ts";

/** Every so many steps the digest is written down, to be compared when somebody comes by again. */
const STEPS_BETWEEN_MARKS = 64;
const FIRST_CAPACITY = 1 << 12;
/** No process: the outside world. */
const NOBODY = -1;

/** One trace point of a run, in words. */
export interface TapePoint {
  /** Its number, from 0. */
  readonly index: number;
  readonly step: number;
  readonly atUs: TimeUs;
  /** Name of its kind ("snapshotTaken"). */
  readonly event: string;
  readonly kind: number;
  readonly subject: string;
  readonly x: number;
  readonly y: number;
  /** The process that ran, or null: the outside world. */
  readonly process: string | null;
  /** What a number of it stands for: the kind of a message, the key of a register, the kind of a fault. Else null. */
  readonly named: string | null;
}

/** Kinds of which y is the number of a name. */
const NAMING_KINDS: ReadonlySet<number> = new Set([
  PORT_TRACE.rpcSent,
  PORT_TRACE.rpcDelivered,
  PORT_TRACE.rpcResponded,
  PORT_TRACE.coordinationIssued,
  PORT_TRACE.coordinationApplied,
  PORT_TRACE.coordinationReplied,
]);

/**
 * What one pass over a whole run left: every trace point, as numbers, the time of every step, digests on the way,
 * and the result. Steps are numbered from 1; step 0 is the World before the first one.
 */
export class RunTape {
  readonly result: RunResult;
  /** The last step. */
  readonly steps: number;
  /** How many trace points there are. */
  readonly points: number;
  readonly #kinds: Uint8Array;
  readonly #subjects: Int32Array;
  readonly #processes: Int32Array;
  readonly #xs: Float64Array;
  readonly #ys: Float64Array;
  /** By step: how many points there are up to its end. */
  readonly #ends: Int32Array;
  readonly #times: Float64Array;
  readonly #names: readonly string[];
  /** At steps 0, 64, 128, …; the last one is the end of the run, after all points. */
  readonly #marks: readonly string[];

  constructor(recording: TapeRecording, result: RunResult, names: readonly string[]) {
    this.result = result;
    this.points = recording.points;
    this.steps = recording.times.length - 1;
    this.#kinds = Uint8Array.from(recording.kinds.subarray(0, this.points));
    this.#subjects = recording.subjects.slice(0, this.points);
    this.#processes = recording.processes.slice(0, this.points);
    this.#xs = recording.xs.slice(0, this.points);
    this.#ys = recording.ys.slice(0, this.points);
    this.#ends = Int32Array.from(recording.ends);
    this.#times = Float64Array.from(recording.times);
    this.#marks = recording.marks;
    this.#names = names;
  }

  /** Runs it once from its beginning to its end. */
  static of(run: RepeatableRun): RunTape {
    const judged = run.judged();
    try {
      return record(judged);
    } finally {
      judged.world.release();
    }
  }

  /** Virtual time of a step. */
  timeUsOf(step: number): TimeUs {
    return this.#at(this.#times, step);
  }

  /** The number of the first point of a step; that of the next step where it has none. */
  firstPointOf(step: number): number {
    return step === 0 ? 0 : this.#at(this.#ends, step - 1);
  }

  /** One behind the last point of a step. */
  endOf(step: number): number {
    return step === this.steps ? this.points : this.#at(this.#ends, step);
  }

  stepOf(point: number): number {
    let low = 0;
    let high = this.steps;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.endOf(middle) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The last step that begins no later; 0 where the first one does. */
  stepAtTime(atUs: TimeUs): number {
    let low = 0;
    let high = this.steps;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.timeUsOf(middle) <= atUs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  kindOf(point: number): number {
    return this.#at(this.#kinds, point);
  }

  /** Equal for the same subject. */
  subjectNumberOf(point: number): number {
    return this.#at(this.#subjects, point);
  }

  subjectOf(point: number): string {
    return this.#names[this.#at(this.#subjects, point)] as string;
  }

  xOf(point: number): number {
    return this.#at(this.#xs, point);
  }

  yOf(point: number): number {
    return this.#at(this.#ys, point);
  }

  /** The process that ran; null: the outside world. */
  processOf(point: number): string | null {
    const process = this.#at(this.#processes, point);
    return process === NOBODY ? null : (this.#names[process] as string);
  }

  /** See TapePoint. */
  namedBy(point: number): string | null {
    const kind = this.kindOf(point);
    if (NAMING_KINDS.has(kind)) return this.#names[this.yOf(point)] ?? null;
    return kind === PORT_TRACE.faultFired ? (this.result.plan[this.xOf(point)]?.kind ?? null) : null;
  }

  /** The step is looked for where the caller does not know it. */
  pointAt(index: number, step: number = this.stepOf(index)): TapePoint {
    const kind = this.kindOf(index);
    return {
      index,
      step,
      atUs: this.timeUsOf(step),
      event: traceKindName(kind) ?? String(kind),
      kind,
      subject: this.subjectOf(index),
      x: this.xOf(index),
      y: this.yOf(index),
      process: this.processOf(index),
      named: this.namedBy(index),
    };
  }

  pointsOf(step: number): readonly TapePoint[] {
    const points: TapePoint[] = [];
    for (let index = this.firstPointOf(step); index < this.endOf(step); index += 1) points.push(this.pointAt(index, step));
    return points;
  }

  /** The digest at the end of this step, where it was written down; else null. */
  digestAt(step: number): string | null {
    return step % STEPS_BETWEEN_MARKS === 0 ? (this.#marks[step / STEPS_BETWEEN_MARKS] ?? null) : null;
  }

  #at(column: ArrayLike<number>, index: number): number {
    const value = column[index];
    invariant(value !== undefined, "the tape is asked for what it has");
    return value;
  }
}

/** The columns while they grow. */
class TapeRecording {
  kinds: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  subjects: Int32Array = new Int32Array(FIRST_CAPACITY);
  processes: Int32Array = new Int32Array(FIRST_CAPACITY);
  xs: Float64Array = new Float64Array(FIRST_CAPACITY);
  ys: Float64Array = new Float64Array(FIRST_CAPACITY);
  points = 0;
  readonly ends: number[] = [];
  readonly times: number[] = [];
  readonly marks: string[] = [];

  add(kind: number, subject: number, process: number, x: number, y: number): void {
    if (this.points === this.kinds.length) this.#grow();
    this.kinds[this.points] = kind;
    this.subjects[this.points] = subject;
    this.processes[this.points] = process;
    this.xs[this.points] = x;
    this.ys[this.points] = y;
    this.points += 1;
  }

  stepEnded({ world }: JudgedRun): void {
    if (this.times.length % STEPS_BETWEEN_MARKS === 0) this.marks.push(world.kernel.digest.hex());
    this.ends.push(this.points);
    this.times.push(world.nowUs);
  }

  #grow(): void {
    const capacity = this.kinds.length * 2;
    this.kinds = grown(this.kinds, new Uint8Array(capacity));
    this.subjects = grown(this.subjects, new Int32Array(capacity));
    this.processes = grown(this.processes, new Int32Array(capacity));
    this.xs = grown(this.xs, new Float64Array(capacity));
    this.ys = grown(this.ys, new Float64Array(capacity));
  }
}

function grown<T extends { set(values: ArrayLike<number>): void }>(from: ArrayLike<number>, to: T): T {
  to.set(from);
  return to;
}

function record(run: JudgedRun): RunTape {
  const { kernel } = run.world;
  const recording = new TapeRecording();
  kernel.recorder = (process, kind, subject, x, y) => recording.add(kind, subject, process?.subject ?? NOBODY, x, y);
  recording.stepEnded(run);
  while (run.advance()) recording.stepEnded(run);
  run.settle();
  kernel.recorder = null;
  const result = run.conclude();
  return new RunTape(recording, result, kernel.names());
}
