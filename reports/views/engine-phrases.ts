import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import { ABORT_REASONS } from "../../engine/checkpoint/checkpoint-failure-manager.ts";
import { LOCAL_COPY_FAULTS } from "../../engine/checkpoint/task-local-state.ts";
import { TRACE, type EngineTraceKind } from "../../engine/ports/tracer.ts";
import { counted } from "../text/format.ts";
import { eventTimeText } from "./event-time-text.ts";
import { bytesText, fromCheckpoint, wordsOf, type Phrase } from "./phrase.ts";

const abortReason = wordsOf(ABORT_REASONS, {
  declined: "a task declined it",
  expired: "it took too long",
  subsumed: "a later one completed",
  failover: "tasks fail over",
  finalize: "its metadata could not be written",
  shutdown: "the leader stops",
  requested: "somebody asked for it",
  unaligned: "an alignment ended without it",
  "task-not-running": "a task of it does not run",
  "partly-finished": "union state of an operator that finished in part",
} satisfies Record<keyof typeof ABORT_REASONS, string>);

const copyFault = wordsOf(LOCAL_COPY_FAULTS);
/** REFUSALS has two names for 0. */
const REFUSED_FOR: readonly string[] = ["enough checkpoints are under way", "old checkpoints are being deleted"];

function eventTime(timestampMs: number): string {
  if (timestampMs >= MAX_WATERMARK) return "the end of time";
  return timestampMs <= MIN_WATERMARK ? "before all time" : eventTimeText(timestampMs);
}

function copied(y: number): string {
  return y < 0 ? copyFault(y) : bytesText(y);
}

/** "sum[1]", done something to a checkpoint. */
function checkpointed(verb: string): Phrase {
  return ({ subject, x }) => `${subject} ${verb} checkpoint ${x}`;
}

/** What the leader says of the job, in one of its attempts. */
function attempted(what: string): Phrase {
  return ({ subject, x }) => `${what} (attempt ${x}, says ${subject})`;
}

function taskMoved(verb: string): Phrase {
  return ({ subject, x }) => `${subject} ${verb} (attempt ${x})`;
}

const TASK_PHRASES = {
  [TRACE.bufferConsumed]: ({ subject, x, y }) => `${subject} took a buffer of ${counted(y, "record")} from its channel ${x}`,
  [TRACE.restoredBufferConsumed]: ({ subject, x, y }) => `${subject} took a restored in-flight buffer of ${counted(y, "record")} from its channel ${x}`,
  [TRACE.barrierReceived]: ({ subject, x, y }) => `${subject} got the barrier of checkpoint ${x} on its channel ${y}`,
  [TRACE.barriersAligned]: ({ subject, x }) => `${subject} has all barriers of checkpoint ${x}`,
  [TRACE.alignmentAborted]: ({ subject, x, y }) => `${subject} gave up aligning checkpoint ${x}: ${abortReason(y)}`,
  [TRACE.alignmentTimedOut]: ({ subject, x }) => `${subject} aligned checkpoint ${x} for too long and goes on unaligned`,
  [TRACE.outputsTimedOut]: ({ subject, x }) => `${subject}: the barriers of checkpoint ${x} overtake what waits in its outputs`,
  [TRACE.barrierForwarded]: ({ subject, x }) => `${subject} sent the barrier of checkpoint ${x} on`,
  [TRACE.snapshotTaken]: ({ subject, x }) => `${subject} took its snapshot of checkpoint ${x}`,
  [TRACE.snapshotSerialized]: ({ subject, x, y }) =>
    y === 0 ? `${subject} has serialized its snapshot of checkpoint ${x}` : `${subject} serializes its snapshot of checkpoint ${x}: ${y} ${y === 1 ? "entry" : "entries"} left`,
  [TRACE.snapshotDurable]: ({ subject, x, y }) => `${subject}: its snapshot of checkpoint ${x} is durable (${bytesText(y)})`,
  [TRACE.snapshotCancelled]: ({ subject, x }) => `${subject} cancelled its snapshot of checkpoint ${x}`,
  [TRACE.channelStateComplete]: ({ subject, x, y }) => `${subject} has in flight for checkpoint ${x}: ${counted(y, "record")}`,
  [TRACE.checkpointNotified]: ({ subject, x, y }) => `${subject} learned that checkpoint ${x} completed${y === 1 ? ", its last one" : ""}`,
  [TRACE.abortNotified]: ({ subject, x }) => `${subject} learned that checkpoint ${x} was given up`,
  [TRACE.watermarkAdvanced]: ({ subject, x }) => `${subject} advanced its watermark to ${eventTime(x)}`,
  [TRACE.timerFired]: ({ subject, x, y }) => `${subject} fired ${y === 0 ? "an event-time" : "a processing-time"} timer of ${eventTime(x)}`,
  [TRACE.recordDropped]: ({ subject, x }) => `${subject} dropped a late record of ${eventTime(x)}`,
  [TRACE.inputEnded]: ({ subject }) => `${subject} reached the end of its input`,
  [TRACE.taskDeployed]: taskMoved("was deployed"),
  [TRACE.taskRestoreStarted]: ({ subject, x, y }) => `${subject} restores its state from ${fromCheckpoint(y)} (attempt ${x})`,
  [TRACE.taskRestored]: ({ subject, x, y }) => `${subject} has its state from ${fromCheckpoint(y)} (attempt ${x})`,
  [TRACE.taskRunning]: taskMoved("runs"),
  [TRACE.taskFinished]: taskMoved("finished"),
  [TRACE.taskFailed]: taskMoved("failed"),
  [TRACE.taskCancelled]: taskMoved("was cancelled"),
  [TRACE.inFlightRestored]: ({ subject, x, y }) => `${subject} got in-flight records back: ${x} at its inputs, ${y} at its outputs`,
  [TRACE.restoreReadRemote]: ({ subject, x, y }) => `${subject} read ${bytesText(x)} of state from remote storage (${counted(y, "request")})`,
  [TRACE.restoreReadLocal]: ({ subject, x, y }) => `${subject} read ${bytesText(x)} of state from its host's disk (${counted(y, "file")} in all)`,
} as const satisfies Partial<Record<EngineTraceKind, Phrase>>;

const JOB_PHRASES = {
  [TRACE.leadershipGained]: ({ subject, x }) => `${subject} leads (epoch ${x})`,
  [TRACE.leadershipLost]: ({ subject, x }) => `${subject} leads no more (epoch ${x})`,
  [TRACE.jobDeploying]: ({ subject, x, y }) => `the job starts from ${fromCheckpoint(y)} (attempt ${x}, says ${subject})`,
  [TRACE.jobRunning]: attempted("the job runs"),
  [TRACE.jobFailing]: attempted("the job fails over"),
  [TRACE.jobRestarting]: ({ subject, x, y }) => `the job restarts, for the ${ordinal(x)} time (${counted(y, "region")}, says ${subject})`,
  [TRACE.jobFinished]: ({ subject }) => `the job finished, says ${subject}`,
  [TRACE.jobFailed]: ({ subject }) => `the job failed for good, says ${subject}`,
  [TRACE.jobCancelled]: ({ subject }) => `the job was cancelled, says ${subject}`,
  [TRACE.attemptDead]: ({ subject, x }) => `attempt ${x} is dead for ${subject}`,
  [TRACE.workerRegistered]: ({ subject, x, y }) => `${subject} registered with ${counted(y, "slot")} (incarnation ${x})`,
  [TRACE.workerLost]: ({ subject, x }) => `${subject} is lost for the leader (incarnation ${x})`,
  [TRACE.jobRescaled]: ({ subject, x }) => `the job goes on with parallelism ${x}, says ${subject}`,
  [TRACE.checkpointTriggered]: ({ subject, x, y }) => `${subject} triggered checkpoint ${x} (attempt ${y})`,
  [TRACE.checkpointAcked]: ({ subject, x, y }) => `${subject} got an acknowledgement of checkpoint ${x}, ${y === 0 ? "the last one" : `${y} missing`}`,
  [TRACE.checkpointCompleted]: ({ subject, x, y }) => `${subject} completed checkpoint ${x} (attempt ${y})`,
  [TRACE.checkpointAborted]: ({ subject, x, y }) => `${subject} gave checkpoint ${x} up: ${abortReason(y)}`,
  [TRACE.checkpointSubsumed]: checkpointed("retains no more"),
  [TRACE.checkpointDiscarded]: ({ subject, x, y }) => `${subject} deletes ${counted(y, "file")} of checkpoint ${x}`,
  [TRACE.checkpointRefused]: ({ subject, x, y }) => `${subject} lets a checkpoint wait: ${REFUSED_FOR[y] ?? `reason ${y}`} (${x} pending)`,
  [TRACE.storeRecovered]: ({ subject, x, y }) => `${subject} found ${counted(y, "completed checkpoint")}${x < 0 ? "" : `, the latest is ${x}`}`,
  [TRACE.declineIgnored]: ({ subject, x, y }) => `${subject} ignored that checkpoint ${x} was declined (${abortReason(y)}): it is decided`,
  [TRACE.savepointCompleted]: ({ subject, x, y }) => `${subject} completed savepoint ${x} (attempt ${y})`,
  [TRACE.checkpointLost]: ({ subject, x, y }) =>
    `${subject} cannot read checkpoint ${x}: ${y < 0 ? "the job fails" : `checkpoint ${y} takes its place`}`,
} as const satisfies Partial<Record<EngineTraceKind, Phrase>>;

const FILE_PHRASES = {
  [TRACE.transactionPrepared]: ({ subject, x, y }) => `${subject} prepared ${counted(y, "transaction")} of checkpoint ${x}`,
  [TRACE.transactionCommitting]: ({ subject, x, y }) => `${subject} commits ${counted(y, "transaction")} of checkpoint ${x}`,
  [TRACE.transactionCommitted]: ({ subject, x, y }) => `${subject} committed ${counted(y, "transaction")} of checkpoint ${x}`,
  [TRACE.transactionAborted]: ({ subject, x, y }) => `${subject} aborted ${counted(y, "transaction")} left over behind ${fromCheckpoint(x)}`,
  [TRACE.sharedFileUploaded]: ({ subject, x, y }) => `${subject} uploaded a shared file of checkpoint ${x} (${bytesText(y)})`,
  [TRACE.sharedFileReused]: ({ subject, x, y }) => `${subject} names a shared file again for checkpoint ${x} (${bytesText(y)} not written)`,
  [TRACE.sharedStateRegistered]: ({ subject, x, y }) => `${subject} registered ${counted(y, "shared file")} of checkpoint ${x}`,
  [TRACE.lateSharedStateRegistered]: ({ subject, x, y }) => `${subject} registered ${counted(y, "shared file")} of checkpoint ${x}, too late for it`,
  [TRACE.sharedFileDiscarded]: ({ subject, x, y }) => `${subject} deletes a shared file of checkpoint ${x}, last used by ${y}`,
  [TRACE.cachedFileRead]: ({ subject, x, y }) => `${subject} looked for a shared file of checkpoint ${x} on its host: ${copied(y)}`,
  [TRACE.cachedFileStored]: ({ subject, x, y }) =>
    y < 0 ? `${subject} could not keep a shared file of checkpoint ${x} on its host` : `${subject} keeps a shared file of checkpoint ${x} on its host (${bytesText(y)})`,
  [TRACE.cachedFilesPruned]: ({ subject, x }) => `${subject} removed ${counted(x, "shared file")} from its host`,
  [TRACE.localCopyStored]: ({ subject, x, y }) =>
    y < 0 ? `${subject} could not keep a copy of its state of checkpoint ${x}` : `${subject} keeps a copy of its state of checkpoint ${x} (${bytesText(y)})`,
  [TRACE.localCopiesPruned]: ({ subject, x, y }) => `${subject} removed ${y} ${y === 1 ? "local copy" : "local copies"}: checkpoint ${x} made them useless`,
  [TRACE.localCopyRead]: ({ subject, x, y }) => `${subject} looked for its local copy of checkpoint ${x}: ${copied(y)}`,
} as const satisfies Partial<Record<EngineTraceKind, Phrase>>;

/** 1 -> "1st". */
function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  return `${number}${teen ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th")}`;
}

/** By kind: what the engine does, in words. The compiler sees to it that none is missing. */
export const ENGINE_PHRASES: Readonly<Record<EngineTraceKind, Phrase>> = { ...TASK_PHRASES, ...JOB_PHRASES, ...FILE_PHRASES };
