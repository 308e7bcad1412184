import type { CheckpointId, TimeUs } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";

/** How far one subtask is with one checkpoint. Times are null for what has not happened. */
export interface SubtaskProgress {
  /** "sum[1]". */
  readonly subtask: string;
  /** The call of the coordinator arrived (sources only). */
  readonly triggeredUs: TimeUs | null;
  /** The first barrier's turn came. */
  readonly barrierUs: TimeUs | null;
  /** Barriers so far. */
  readonly barriers: number;
  readonly alignedUs: TimeUs | null;
  /** The alignment, or barriers in its outputs, took too long: it goes on unaligned. */
  readonly timedOutUs: TimeUs | null;
  readonly takenUs: TimeUs | null;
  readonly durableUs: TimeUs | null;
  /** The coordinator has its acknowledgement. */
  readonly acknowledgedUs: TimeUs | null;
  /** It said that it takes no part. */
  readonly declinedUs: TimeUs | null;
  /** It gave its snapshot, or its alignment, up. */
  readonly cancelledUs: TimeUs | null;
  /** It heard that the checkpoint completed. */
  readonly notifiedUs: TimeUs | null;
  /** Of its own file. */
  readonly ownBytes: number;
  /** Shared files that it wrote for this checkpoint. */
  readonly sharedBytes: number;
  /** Files of earlier checkpoints that it names again. */
  readonly reusedBytes: number;
  /** Records that are kept as in flight. */
  readonly inFlight: number;
}

type Growing = { -readonly [Field in keyof SubtaskProgress]: SubtaskProgress[Field] };

interface Progress {
  /** Subtasks that ran when it was triggered, in the order in which they were deployed. */
  readonly expected: readonly string[];
  /** Numbers of the points that say something of it, ascending. */
  readonly points: number[];
}

/** How far every subtask was with a checkpoint at the end of a step, those first that ran when it was triggered. */
export function progressOf(tape: RunTape, checkpointId: CheckpointId, step: number): readonly SubtaskProgress[] {
  const progress = progressesIn(tape).get(checkpointId);
  if (progress === undefined) return [];
  const subtasks = new Map<string, Growing>(progress.expected.map((subtask) => [subtask, begun(subtask)]));
  const end = tape.endOf(step);
  for (const point of progress.points) {
    if (point >= end) break;
    const subject = subjectAt(tape, point);
    if (subject === null) continue;
    let growing = subtasks.get(subject);
    if (growing === undefined) subtasks.set(subject, (growing = begun(subject)));
    note(growing, tape, point);
  }
  return [...subtasks.values()];
}

function begun(subtask: string): Growing {
  return {
    subtask,
    triggeredUs: null,
    barrierUs: null,
    barriers: 0,
    alignedUs: null,
    timedOutUs: null,
    takenUs: null,
    durableUs: null,
    acknowledgedUs: null,
    declinedUs: null,
    cancelledUs: null,
    notifiedUs: null,
    ownBytes: 0,
    sharedBytes: 0,
    reusedBytes: 0,
    inFlight: 0,
  };
}

/** An acknowledgement is counted in the name of the leader: the message that it came with names the subtask. */
function subjectAt(tape: RunTape, point: number): string | null {
  if (tape.kindOf(point) !== TRACE.checkpointAcked) return tape.subjectOf(point);
  const first = tape.firstPointOf(tape.stepOf(point));
  for (let before = point - 1; before >= first; before -= 1) {
    if (tape.kindOf(before) === PORT_TRACE.rpcDelivered && tape.xOf(before) === tape.xOf(point)) return tape.subjectOf(before);
  }
  return null;
}

function note(growing: Growing, tape: RunTape, point: number): void {
  const atUs = tape.timeUsOf(tape.stepOf(point));
  const y = tape.yOf(point);
  switch (tape.kindOf(point)) {
    case PORT_TRACE.rpcDelivered:
      growing.triggeredUs ??= atUs;
      return;
    case PORT_TRACE.rpcSent:
      growing.declinedUs ??= atUs;
      return;
    case TRACE.barrierReceived:
      growing.barrierUs ??= atUs;
      growing.barriers += 1;
      return;
    case TRACE.barriersAligned:
      growing.alignedUs ??= atUs;
      return;
    case TRACE.alignmentTimedOut:
    case TRACE.outputsTimedOut:
      growing.timedOutUs ??= atUs;
      return;
    case TRACE.snapshotTaken:
      growing.takenUs ??= atUs;
      return;
    case TRACE.sharedFileUploaded:
      growing.sharedBytes += y;
      return;
    case TRACE.sharedFileReused:
      growing.reusedBytes += y;
      return;
    case TRACE.channelStateComplete:
      growing.inFlight += y;
      return;
    case TRACE.snapshotDurable:
      growing.durableUs ??= atUs;
      growing.ownBytes = y - growing.sharedBytes;
      return;
    case TRACE.checkpointAcked:
      growing.acknowledgedUs ??= atUs;
      return;
    case TRACE.alignmentAborted:
    case TRACE.snapshotCancelled:
      growing.cancelledUs ??= atUs;
      return;
    case TRACE.checkpointNotified:
      growing.notifiedUs ??= atUs;
      return;
    default:
  }
}

/** Points in which x is the checkpoint, and that a subtask's progress is read from. */
const NOTED: ReadonlySet<number> = new Set<number>([
  TRACE.barrierReceived,
  TRACE.barriersAligned,
  TRACE.alignmentTimedOut,
  TRACE.outputsTimedOut,
  TRACE.snapshotTaken,
  TRACE.sharedFileUploaded,
  TRACE.sharedFileReused,
  TRACE.channelStateComplete,
  TRACE.snapshotDurable,
  TRACE.checkpointAcked,
  TRACE.alignmentAborted,
  TRACE.snapshotCancelled,
  TRACE.checkpointNotified,
]);
const TASK_ENDS: ReadonlySet<number> = new Set<number>([TRACE.taskFinished, TRACE.taskFailed, TRACE.taskCancelled]);
const PROCESS_ENDS: ReadonlySet<number> = new Set<number>([PORT_TRACE.processCrashed, PORT_TRACE.processStopped]);

const PROGRESSES = new WeakMap<RunTape, ReadonlyMap<CheckpointId, Progress>>();

function progressesIn(tape: RunTape): ReadonlyMap<CheckpointId, Progress> {
  let known = PROGRESSES.get(tape);
  if (known === undefined) PROGRESSES.set(tape, (known = gather(tape)));
  return known;
}

function gather(tape: RunTape): ReadonlyMap<CheckpointId, Progress> {
  const progresses = new Map<CheckpointId, Progress>();
  /** By subtask that runs: its process. */
  const running = new Map<string, string | null>();
  for (let point = 0; point < tape.points; point += 1) {
    const kind = tape.kindOf(point);
    if (kind === TRACE.checkpointTriggered) progresses.set(tape.xOf(point), { expected: [...running.keys()], points: [] });
    else if (isNoted(tape, kind, point)) progresses.get(tape.xOf(point))?.points.push(point);
    else followTasks(tape, kind, point, running);
  }
  return progresses;
}

function isNoted(tape: RunTape, kind: number, point: number): boolean {
  if (kind === PORT_TRACE.rpcDelivered) return tape.namedBy(point) === "trigger-checkpoint";
  if (kind === PORT_TRACE.rpcSent) return tape.namedBy(point) === "decline-checkpoint";
  return NOTED.has(kind);
}

function followTasks(tape: RunTape, kind: number, point: number, running: Map<string, string | null>): void {
  const subject = tape.subjectOf(point);
  if (kind === TRACE.taskDeployed) {
    running.delete(subject);
    running.set(subject, tape.processOf(point));
  } else if (TASK_ENDS.has(kind)) {
    // A zombie may end after its successor was deployed.
    if (running.get(subject) === tape.processOf(point)) running.delete(subject);
  } else if (PROCESS_ENDS.has(kind)) {
    for (const [subtask, process] of running) if (process === subject) running.delete(subtask);
  }
}
