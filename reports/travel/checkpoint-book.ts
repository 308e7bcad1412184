import { ABORT_REASONS, type AbortReason } from "../../engine/checkpoint/checkpoint-failure-manager.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";
import type { CheckpointAck, CheckpointSpan } from "./checkpoint-span.ts";

type Growing = { -readonly [Field in keyof CheckpointSpan]: CheckpointSpan[Field] } & { readonly acks: CheckpointAck[]; readonly points: number[] };

/** Kinds whose x is a checkpoint and which the engine's checkpointing emits. */
const OF_CHECKPOINTS: ReadonlySet<number> = new Set<number>([
  TRACE.barrierReceived,
  TRACE.barriersAligned,
  TRACE.alignmentAborted,
  TRACE.barrierForwarded,
  TRACE.snapshotTaken,
  TRACE.snapshotSerialized,
  TRACE.snapshotDurable,
  TRACE.snapshotCancelled,
  TRACE.checkpointNotified,
  TRACE.abortNotified,
  TRACE.alignmentTimedOut,
  TRACE.outputsTimedOut,
  TRACE.channelStateComplete,
  TRACE.checkpointTriggered,
  TRACE.checkpointAcked,
  TRACE.checkpointCompleted,
  TRACE.checkpointAborted,
  TRACE.checkpointSubsumed,
  TRACE.checkpointDiscarded,
  TRACE.declineIgnored,
  TRACE.savepointCompleted,
  TRACE.transactionPrepared,
  TRACE.transactionCommitting,
  TRACE.transactionCommitted,
  TRACE.sharedFileUploaded,
  TRACE.sharedFileReused,
  TRACE.sharedStateRegistered,
  TRACE.lateSharedStateRegistered,
  TRACE.localCopyStored,
]);

const REASONS: ReadonlyMap<number, AbortReason> = new Map(
  Object.entries(ABORT_REASONS).map(([reason, number]) => [number, reason as AbortReason]),
);

/** Gathers the checkpoints of a run from its trace points, which come in order. */
export class CheckpointBook {
  readonly #tape: RunTape;
  readonly #spans = new Map<CheckpointId, Growing>();
  /** Not decided yet. */
  readonly #open = new Set<Growing>();

  constructor(tape: RunTape) {
    this.#tape = tape;
  }

  /** In the order in which they were triggered. */
  get spans(): readonly CheckpointSpan[] {
    return [...this.#spans.values()];
  }

  add(point: number, step: number): void {
    const tape = this.#tape;
    const kind = tape.kindOf(point);
    if (kind === TRACE.checkpointTriggered) this.#begin(point, step);
    else if (kind === TRACE.storeRecovered) this.#recovered(tape.xOf(point), step);
    else if (kind === TRACE.leadershipLost || kind === PORT_TRACE.processCrashed || kind === PORT_TRACE.processStopped) this.#leaderGone(tape.subjectOf(point), step);
    if (!OF_CHECKPOINTS.has(kind)) return;
    const span = this.#spans.get(tape.xOf(point));
    if (span === undefined) return;
    span.points.push(point);
    this.#note(span, kind, point, step);
  }

  #begin(point: number, step: number): void {
    const tape = this.#tape;
    const span: Growing = {
      checkpointId: tape.xOf(point),
      attempt: tape.yOf(point),
      leader: tape.subjectOf(point),
      isSavepoint: false,
      triggerStep: step,
      triggerUs: tape.timeUsOf(step),
      completeStep: null,
      abortStep: null,
      abortReason: null,
      abandonStep: null,
      recoverStep: null,
      subsumeStep: null,
      discardStep: null,
      acks: [],
      points: [],
    };
    this.#spans.set(span.checkpointId, span);
    this.#open.add(span);
  }

  #note(span: Growing, event: number, point: number, step: number): void {
    switch (event) {
      case TRACE.checkpointAcked:
        span.acks.push({ step, atUs: this.#tape.timeUsOf(step), subtask: this.#acknowledging(point, step), missing: this.#tape.yOf(point) });
        return;
      case TRACE.checkpointCompleted:
      case TRACE.savepointCompleted:
        span.completeStep = step;
        span.isSavepoint = event === TRACE.savepointCompleted;
        this.#open.delete(span);
        return;
      case TRACE.checkpointAborted:
        span.abortStep = step;
        span.abortReason = REASONS.get(this.#tape.yOf(point)) ?? null;
        this.#open.delete(span);
        return;
      case TRACE.checkpointSubsumed:
        span.subsumeStep ??= step;
        return;
      case TRACE.checkpointDiscarded:
        span.discardStep ??= step;
        return;
      default:
    }
  }

  /** The point's subject is the leader; the message that it came with arrived in the same step, and names the subtask. */
  #acknowledging(point: number, step: number): string {
    const tape = this.#tape;
    for (let before = point - 1; before >= tape.firstPointOf(step); before -= 1) {
      if (tape.kindOf(before) === PORT_TRACE.rpcDelivered && tape.xOf(before) === tape.xOf(point)) return tape.subjectOf(before);
    }
    return tape.subjectOf(point);
  }

  #recovered(latest: CheckpointId, step: number): void {
    const span = this.#spans.get(latest);
    if (span !== undefined && span.completeStep === null && span.abortStep === null) span.recoverStep ??= step;
  }

  #leaderGone(name: string, step: number): void {
    for (const span of this.#open) {
      if (span.leader !== name) continue;
      span.abandonStep = step;
      this.#open.delete(span);
    }
  }
}
