import type { AbortReason } from "../../../engine/checkpoint/checkpoint-failure-manager.ts";
import { ABORT_REASONS } from "../../../engine/checkpoint/checkpoint-failure-manager.ts";
import { TRACE } from "../../../engine/ports/tracer.ts";
import type { RunTape } from "../../../simulator/timetravel/run-tape.ts";

/** How far a task is with a checkpoint that it has not acknowledged. */
export type MissingStage = "no barrier yet" | "waits for its other barriers" | "writes its snapshot" | "snapshot written, not acknowledged";

export interface GivenUp {
  readonly checkpointId: number;
  readonly atUs: number;
  readonly reason: AbortReason | "unknown";
}

/** Points of checkpoints, by kind: their numbers on the tape, ascending. */
type PointsByKind = ReadonlyMap<number, readonly number[]>;

const KINDS: ReadonlySet<number> = new Set([
  TRACE.barrierReceived,
  TRACE.snapshotTaken,
  TRACE.snapshotDurable,
  TRACE.checkpointTriggered,
  TRACE.checkpointAcked,
  TRACE.checkpointAborted,
]);
/** Given up last. */
const GIVEN_UP_SHOWN = 10;
const indexes = new WeakMap<RunTape, PointsByKind>();

/** When what happened to the checkpoints of a run, up to the end of a step. */
export class CheckpointTrace {
  readonly #tape: RunTape;
  readonly #points: PointsByKind;
  /** Points from here on are still to come. */
  readonly #end: number;

  constructor(tape: RunTape, step: number) {
    this.#tape = tape;
    this.#end = tape.endOf(step);
    this.#points = indexOf(tape);
  }

  /** Times at which the acknowledgements of a checkpoint were taken, in that order. */
  acknowledgements(checkpointId: number): readonly number[] {
    return this.#of(TRACE.checkpointAcked, checkpointId).map((point) => this.#timeUs(point));
  }

  /** `triggeredAtUs`: where nothing was heard of the task since. */
  stageOf(checkpointId: number, task: string, triggeredAtUs: number): { readonly stage: MissingStage; readonly sinceUs: number } {
    const last = (kind: number): number | undefined => this.#of(kind, checkpointId).findLast((point) => this.#tape.subjectOf(point) === task);
    const first = (kind: number): number | undefined => this.#of(kind, checkpointId).find((point) => this.#tape.subjectOf(point) === task);
    const durable = last(TRACE.snapshotDurable);
    if (durable !== undefined) return { stage: "snapshot written, not acknowledged", sinceUs: this.#timeUs(durable) };
    const taken = last(TRACE.snapshotTaken);
    if (taken !== undefined) return { stage: "writes its snapshot", sinceUs: this.#timeUs(taken) };
    const barrier = first(TRACE.barrierReceived);
    if (barrier !== undefined) return { stage: "waits for its other barriers", sinceUs: this.#timeUs(barrier) };
    return { stage: "no barrier yet", sinceUs: triggeredAtUs };
  }

  /** Checkpoints that were given up, the latest last. */
  aborted(): readonly GivenUp[] {
    const points = (this.#points.get(TRACE.checkpointAborted) ?? []).filter((point) => point < this.#end);
    return points.slice(-GIVEN_UP_SHOWN).map((point) => {
      const code = this.#tape.yOf(point);
      const reason = (Object.keys(ABORT_REASONS) as AbortReason[]).find((name) => ABORT_REASONS[name] === code) ?? "unknown";
      return { checkpointId: this.#tape.xOf(point), atUs: this.#timeUs(point), reason };
    });
  }

  #of(kind: number, checkpointId: number): readonly number[] {
    return (this.#points.get(kind) ?? []).filter((point) => point < this.#end && this.#tape.xOf(point) === checkpointId);
  }

  #timeUs(point: number): number {
    return this.#tape.timeUsOf(this.#tape.stepOf(point));
  }
}

function indexOf(tape: RunTape): PointsByKind {
  const known = indexes.get(tape);
  if (known !== undefined) return known;
  const made = new Map<number, number[]>();
  for (let point = 0; point < tape.points; point += 1) {
    const kind = tape.kindOf(point);
    if (!KINDS.has(kind)) continue;
    const ofKind = made.get(kind);
    if (ofKind === undefined) made.set(kind, [point]);
    else ofKind.push(point);
  }
  indexes.set(tape, made);
  return made;
}
