import type { CheckpointId, TimeUs } from "../../engine/base/units.ts";
import type { AbortReason } from "../../engine/checkpoint/checkpoint-failure-manager.ts";
import type { PendingCheckpoint } from "../../engine/checkpoint/pending-checkpoint.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import type { World } from "../../simulator/world/world.ts";
import type { CheckpointSpan, CheckpointState } from "../travel/checkpoint-span.ts";
import { checkpointStateAt, decisionOf } from "../travel/checkpoint-span.ts";
import type { Journey } from "../travel/journey.ts";
import { runIndexOf } from "../travel/run-index.ts";
import type { CheckpointFiles } from "./checkpoints-files.ts";
import { filesOfCheckpoint } from "./checkpoints-files.ts";
import type { SubtaskProgress } from "./checkpoints-progress.ts";
import { progressOf } from "./checkpoints-progress.ts";
import { recordedSnapshots } from "./inspect/checkpoint-files.ts";

/** A checkpoint or savepoint, as it stands at the end of a step. */
export interface CheckpointFacts {
  readonly checkpointId: CheckpointId;
  /** A savepoint is known as one while it is pending, and where it completes. */
  readonly kind: "checkpoint" | "savepoint";
  readonly state: CheckpointState;
  /** Why it was given up, in words; else null. */
  readonly reason: string | null;
  readonly leader: string;
  readonly attempt: number;
  readonly triggerStep: number;
  readonly triggeredUs: TimeUs;
  /** Step and time at which it completed or was given up; null while it runs. */
  readonly decidedStep: number | null;
  readonly decidedUs: TimeUs | null;
  /** From its trigger to its end, or so far. */
  readonly tookUs: number;
  /** How barriers are handled. */
  readonly mode: CheckpointMode | "none";
  /** Subtasks that went on unaligned because the alignment took too long. */
  readonly timedOut: number;
  /** Records kept as in flight. */
  readonly inFlight: number;
  /** Bytes of the files that no other checkpoint shares, without the metadata. */
  readonly ownBytes: number;
  /** Bytes of shared files that were written for it. */
  readonly sharedBytes: number;
  /** Bytes of files of earlier checkpoints that were not written again. */
  readonly reusedBytes: number;
  readonly acknowledged: number;
  readonly subtasks: readonly SubtaskProgress[];
  /** Its state changed in this very step. */
  readonly changed: boolean;
}

export interface CheckpointsFacts {
  readonly step: number;
  readonly checkpoints: readonly CheckpointFacts[];
}

/** One of them, with its files. */
export interface CheckpointDetail {
  readonly step: number;
  readonly checkpoint: CheckpointFacts;
  readonly files: CheckpointFiles;
}

/** All that were triggered by the end of a step, in that order. */
export function checkpointsFacts(journey: Journey, step: number): CheckpointsFacts {
  const world = journey.machine.seek(step);
  const context = contextOf(journey, world, step);
  const begun = runIndexOf(journey.tape).checkpoints.filter(({ triggerStep }) => triggerStep <= step);
  return { step, checkpoints: begun.map((span) => factsOf(span, context)) };
}

/** Null where none of this number was triggered by then. */
export function checkpointDetail(journey: Journey, step: number, checkpointId: CheckpointId): CheckpointDetail | null {
  const span = runIndexOf(journey.tape).checkpoints.find((one) => one.checkpointId === checkpointId);
  if (span === undefined || span.triggerStep > step) return null;
  const world = journey.machine.seek(step);
  const recorded = recordedSnapshots(world);
  return { step, checkpoint: factsOf(span, contextOf(journey, world, step)), files: filesOfCheckpoint(world, checkpointId, recorded) };
}

interface Context {
  readonly journey: Journey;
  readonly step: number;
  readonly mode: CheckpointMode | "none";
  /** Names of the job's vertices, sources first. */
  readonly vertices: readonly string[];
  /** Those whose records are in Coordination: complete, even if their leader does not know it yet. */
  readonly recorded: ReadonlySet<CheckpointId>;
  readonly pending: readonly PendingCheckpoint[];
}

function contextOf(journey: Journey, world: World, step: number): Context {
  const { scenario, tape } = journey;
  const graph = scenario.job(tape.result.options);
  return {
    journey,
    step,
    mode: graph.config.checkpoint?.mode ?? "none",
    vertices: buildJobGraph(graph).vertices.map(({ name }) => name),
    recorded: new Set(recordedSnapshots(world).map(({ checkpointId }) => checkpointId)),
    pending: pendingIn(world),
  };
}

function pendingIn({ processes }: World): readonly PendingCheckpoint[] {
  return processes.flatMap((living) => (living.kind === "job-manager" && living.engine.leading ? (living.engine.master?.coordinator?.pending ?? []) : []));
}

function factsOf(span: CheckpointSpan, { journey, step, mode, vertices, recorded, pending }: Context): CheckpointFacts {
  const { tape } = journey;
  const { checkpointId, leader, attempt, triggerStep, triggerUs } = span;
  const state = stateAt(span, step, recorded);
  const isSavepoint = span.isSavepoint || pending.some((one) => one.checkpointId === checkpointId && one.properties.kind === "savepoint");
  const decision = decisionOf(span);
  const decidedStep = decision !== null && decision <= step ? decision : null;
  const decidedUs = decidedStep === null ? null : tape.timeUsOf(decidedStep);
  const subtasks = inOrder(progressOf(tape, checkpointId, step), vertices);
  const sum = (of: (one: SubtaskProgress) => number): number => subtasks.reduce((total, one) => total + of(one), 0);
  return {
    checkpointId,
    kind: isSavepoint ? "savepoint" : "checkpoint",
    state,
    reason: reasonOf(span, state),
    leader,
    attempt,
    triggerStep,
    triggeredUs: triggerUs,
    decidedStep,
    decidedUs,
    tookUs: (decidedUs ?? tape.timeUsOf(step)) - triggerUs,
    mode: isSavepoint && mode !== "none" ? "aligned" : mode,
    timedOut: subtasks.filter(({ timedOutUs }) => timedOutUs !== null).length,
    inFlight: sum((one) => one.inFlight),
    ownBytes: sum((one) => one.ownBytes),
    sharedBytes: sum((one) => one.sharedBytes),
    reusedBytes: sum((one) => one.reusedBytes),
    acknowledged: subtasks.filter(({ acknowledgedUs }) => acknowledgedUs !== null).length,
    subtasks,
    changed: [triggerStep, decidedStep, span.subsumeStep].includes(step),
  };
}

/** By vertex, then by number; those of a vertex that the job has not (any more) come last. */
function inOrder(subtasks: readonly SubtaskProgress[], vertices: readonly string[]): readonly SubtaskProgress[] {
  const ranked = subtasks.map((one) => {
    const [, name = one.subtask, number = "0"] = /^(.*)\[(\d+)\]$/s.exec(one.subtask) ?? [];
    const vertex = vertices.indexOf(name);
    return { one, vertex: vertex < 0 ? vertices.length : vertex, number: Number(number) };
  });
  return ranked.sort((left, right) => left.vertex - right.vertex || left.number - right.number).map(({ one }) => one);
}

function stateAt(span: CheckpointSpan, step: number, recorded: ReadonlySet<CheckpointId>): CheckpointState {
  const state = checkpointStateAt(span, step) ?? "running";
  // The record is the commit point, whatever becomes of the leader that wrote it.
  return (state === "running" || state === "abandoned") && recorded.has(span.checkpointId) ? "complete" : state;
}

/** What an abort means. */
const ABORTED: Readonly<Record<AbortReason, string>> = {
  declined: "the snapshot of a task failed",
  expired: "it took longer than it may",
  subsumed: "a newer one completed first",
  failover: "its tasks failed, or were lost",
  finalize: "its metadata could not be written",
  shutdown: "the job ends",
  requested: "somebody asked for that",
  unaligned: "the alignment of a task ended without it",
  "task-not-running": "a task that it waits for does not run",
  "partly-finished": "an operator with union state has finished in part",
};

function reasonOf({ abortReason }: CheckpointSpan, state: CheckpointState): string | null {
  if (state === "abandoned") return "its leader was lost before it was decided";
  if (state !== "aborted") return null;
  return abortReason === null ? "the trace does not say why" : ABORTED[abortReason];
}
