import type { CheckpointId } from "../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { ProducerSession } from "../../engine/ports/external-log.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { LogObserver, NetworkObserver, ObservedConnection } from "../hosts/service-observers.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";
import type { TaskAttempt, TaskAttempts } from "./task-attempts.ts";

/** How far a task is with its checkpoints. */
interface Progress {
  /** Snapshot taken, acknowledgement not sent, not given up. */
  readonly unacknowledged: CheckpointId[];
  acknowledged: CheckpointId;
  notified: CheckpointId;
}

/** A checkpoint that was triggered and neither completed nor was given up. */
interface Pending {
  readonly checkpointId: CheckpointId;
  readonly leader: SimProcess;
  acknowledged: boolean;
}

/** A barrier that was sent and has not arrived. */
interface BarrierUnderWay {
  readonly connection: ObservedConnection<ControlMessage>;
  readonly checkpointId: CheckpointId;
}

/**
 * What a process was doing when it crashed. Counted once a crash:
 *
 * - "crash between snapshot and ack": a task of it had taken its snapshot of a checkpoint, which was not given
 *   up, and its acknowledgement had not been sent.
 * - "crash between ack and completion": a task of it had sent its acknowledgement of a checkpoint, or it led
 *   and had one, and the checkpoint was still pending.
 * - "crash between completion and notification": the record of a checkpoint was written, and a task of it,
 *   running in the attempt of that checkpoint, had not been notified; or it wrote the record and had not
 *   learned yet that it is there.
 * - "crash between pre-commit and commit": the log had prepared a transaction of it and not decided it.
 * - "crash during a restore": a task of it had begun to restore, and was not restored.
 * - "two crashes within one recovery": since a crash of the leader, or of a process with tasks of the job, no
 *   attempt has run; this is another crash.
 * - "barriers in flight on two channels at a crash": on two connections or more a barrier was sent and had not
 *   been delivered, and neither end had died before.
 */
export class CrashSites implements NetworkObserver<ControlMessage, StreamFrame>, LogObserver, RecordListener {
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  /** By number of the task attempt. */
  readonly #progress: (Progress | undefined)[] = [];
  #pending: Pending[] = [];
  #latest: CheckpointRecord | null = null;
  /** The writer of the latest record knows that it is there. */
  #latestKnown = true;
  /** Who prepared each undecided transaction. */
  readonly #prepared: Map<string, SimProcess> = new Map();
  #barriers: BarrierUnderWay[] = [];
  #leader: SimProcess | null = null;
  #crashesInRecovery = 0;

  constructor(context: OracleContext, tasks: TaskAttempts) {
    this.#context = context;
    this.#tasks = tasks;
  }

  watch(): void {
    const { world } = this.#context;
    world.networkObservers.push(this);
    world.logObservers.push(this);
    CheckpointRecords.of(world).listen(this);
    const { kernel } = world;
    kernel.on(TRACE.snapshotTaken, (process, subject, id) => {
      const task = this.#tasks.find(process, subject);
      if (task !== null) this.#progressOf(task).unacknowledged.push(id);
    });
    kernel.on(TRACE.snapshotCancelled, (process, subject, id) => {
      const task = this.#tasks.find(process, subject);
      if (task !== null) remove(this.#progressOf(task).unacknowledged, id);
    });
    kernel.on(TRACE.checkpointNotified, (process, subject, id) => {
      const task = this.#tasks.find(process, subject);
      if (task !== null) this.#progressOf(task).notified = id;
    });
    kernel.on(TRACE.leadershipGained, (process) => {
      this.#leader = process;
    });
    kernel.on(TRACE.jobRunning, () => {
      this.#crashesInRecovery = 0;
    });
    kernel.on(TRACE.checkpointTriggered, (leader, _subject, checkpointId) => {
      if (leader !== null) this.#pending.push({ checkpointId, leader, acknowledged: false });
    });
    kernel.on(TRACE.checkpointAcked, (_process, _subject, id) => {
      for (const checkpoint of this.#pending) if (checkpoint.checkpointId === id) checkpoint.acknowledged = true;
    });
    kernel.on(TRACE.checkpointCompleted, (_process, _subject, id) => {
      this.#closed(id);
      if (this.#latest?.checkpointId === id) this.#latestKnown = true;
    });
    kernel.on(TRACE.checkpointAborted, (_process, _subject, id) => this.#closed(id));
    kernel.on(PORT_TRACE.processCrashed, (_process, subject, incarnation) => this.#crashed(subject, incarnation));
  }

  onCallSent(_call: number, from: SimProcess, _to: Address, message: ControlMessage): void {
    if (message.kind !== "acknowledge-checkpoint" && message.kind !== "decline-checkpoint") return;
    const task = this.#tasks.find(from, message.subject);
    if (task === null || task.attempt !== message.id.attempt) return;
    const progress = this.#progressOf(task);
    remove(progress.unacknowledged, message.checkpointId);
    if (message.kind === "acknowledge-checkpoint") progress.acknowledged = Math.max(progress.acknowledged, message.checkpointId);
  }

  onFrameSent(connection: ObservedConnection<ControlMessage>, forward: boolean, frame: StreamFrame): void {
    if (!forward || frame.checkpointId === NO_CHECKPOINT) return;
    this.#barriers.push({ connection, checkpointId: frame.checkpointId });
  }

  onFrameDelivered(connection: ObservedConnection<ControlMessage>, forward: boolean, frame: StreamFrame): void {
    if (!forward || frame.checkpointId === NO_CHECKPOINT) return;
    const { checkpointId } = frame;
    const at = this.#barriers.findIndex((one) => one.connection === connection && one.checkpointId === checkpointId);
    if (at >= 0) this.#barriers.splice(at, 1);
  }

  onConnectionBroken(connection: ObservedConnection<ControlMessage>): void {
    if (this.#barriers.length > 0) this.#barriers = this.#barriers.filter((one) => one.connection !== connection);
  }

  onPrepare(process: SimProcess, _producer: ProducerSession, transactionId: string): void {
    this.#prepared.set(transactionId, process);
  }

  onCommit(_process: SimProcess, _producerId: string, transactionId: string): void {
    this.#prepared.delete(transactionId);
  }

  onAbort(_process: SimProcess | null, _producerId: string, transactionId: string): void {
    this.#prepared.delete(transactionId);
  }

  recordWritten(record: CheckpointRecord): void {
    this.#latest = record;
    this.#latestKnown = false;
    this.#closed(record.checkpointId);
  }

  #crashed(subject: number, incarnation: number): void {
    const isIt = (process: SimProcess | null): boolean =>
      process !== null && process.subject === subject && process.incarnation === incarnation;
    const running = this.#tasks.all.filter((task) => task.phase !== "over" && isIt(task.process));
    const { sometimes } = this.#context;
    if (running.some((task) => this.#progressOf(task).unacknowledged.length > 0)) sometimes("crash between snapshot and ack");
    if (this.#acknowledgedAndPending(running, isIt)) sometimes("crash between ack and completion");
    if (this.#completedAndUnnotified(running, isIt)) sometimes("crash between completion and notification");
    if ([...this.#prepared.values()].some(isIt)) sometimes("crash between pre-commit and commit");
    if (running.some((task) => task.phase === "restoring")) sometimes("crash during a restore");
    if (new Set(this.#barriers.map(({ connection }) => connection)).size >= 2) {
      sometimes("barriers in flight on two channels at a crash");
    }
    if (this.#crashesInRecovery > 0) sometimes("two crashes within one recovery");
    if (this.#crashesInRecovery > 0 || isIt(this.#leader) || running.length > 0) this.#crashesInRecovery += 1;
    this.#forget(isIt);
  }

  #acknowledgedAndPending(running: readonly TaskAttempt[], isIt: (process: SimProcess) => boolean): boolean {
    return this.#pending.some(
      ({ checkpointId, leader, acknowledged }) =>
        (acknowledged && isIt(leader)) || running.some((task) => this.#progressOf(task).acknowledged === checkpointId),
    );
  }

  #completedAndUnnotified(running: readonly TaskAttempt[], isIt: (process: SimProcess) => boolean): boolean {
    const latest = this.#latest;
    if (latest === null || latest.metadata === null) return false;
    if (!this.#latestKnown && latest.process !== null && isIt(latest.process)) return true;
    const { checkpointId, metadata } = latest;
    return running.some((task) => {
      const attempt = this.#tasks.attemptIn(metadata.attempt, task.vertex.id, task.subtask);
      return task.attempt === attempt && this.#progressOf(task).notified < checkpointId;
    });
  }

  #forget(isIt: (process: SimProcess | null) => boolean): void {
    this.#pending = this.#pending.filter(({ leader }) => !isIt(leader));
    this.#barriers = this.#barriers.filter(({ connection }) => !isIt(connection.from) && !isIt(connection.acceptedBy));
    for (const [transactionId, process] of this.#prepared) if (isIt(process)) this.#prepared.delete(transactionId);
    if (isIt(this.#leader)) this.#leader = null;
    for (const task of this.#tasks.all) if (isIt(task.process)) this.#progress[task.number] = undefined;
  }

  #closed(checkpointId: CheckpointId): void {
    const at = this.#pending.findIndex((one) => one.checkpointId === checkpointId);
    if (at >= 0) this.#pending.splice(at, 1);
  }

  #progressOf(task: TaskAttempt): Progress {
    let progress = this.#progress[task.number];
    if (progress === undefined) {
      progress = { unacknowledged: [], acknowledged: NO_CHECKPOINT, notified: NO_CHECKPOINT };
      this.#progress[task.number] = progress;
    }
    return progress;
  }
}

function remove(ids: CheckpointId[], checkpointId: CheckpointId): void {
  const at = ids.indexOf(checkpointId);
  if (at >= 0) ids.splice(at, 1);
}
