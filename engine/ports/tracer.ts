/**
 * The one way out for observation: numbers now, words when somebody looks.
 *
 * A trace point is (kind, subject, x, y). `subject` is an interned name: the subtask ("sum[1]"), process
 * ("worker-2") or thing that acts. For points of the checkpoint protocol x is the checkpoint id.
 *
 * Promises: emitting changes nothing the engine can see. May throw ProcessDied (a trace point is where a
 * process can die).
 */
export interface Tracer {
  /** The number of a name; the same name always gets the same number. */
  intern(name: string): number;
  point(kind: EngineTraceKind, subject: number, x: number, y: number): void;
}

/**
 * Trace kinds of the engine. Numbers are part of the digest: never renumber, only add. Kinds from 100 on
 * belong to the ports (see simulator).
 */
export const TRACE = {
  /** A task took a buffer from an input channel and is about to process it. x: channel, y: records. */
  bufferConsumed: 1,
  /** x: checkpoint, y: channel. */
  barrierReceived: 2,
  /** All barriers are there. x: checkpoint. */
  barriersAligned: 3,
  /** x: checkpoint, y: reason code of the abort. */
  alignmentAborted: 4,
  /** The task forwards the barrier to all its outputs. x: checkpoint. */
  barrierForwarded: 5,
  /** Synchronous part of the snapshot done. x: checkpoint. */
  snapshotTaken: 6,
  /** One step of the asynchronous part. x: checkpoint, y: entries left (0: serialized). */
  snapshotSerialized: 7,
  /** Snapshot bytes are durable, the ack goes out next. x: checkpoint, y: bytes. */
  snapshotDurable: 8,
  /** The asynchronous part was cancelled. x: checkpoint. */
  snapshotCancelled: 9,
  /** The task learns that a checkpoint completed. x: checkpoint. */
  checkpointNotified: 10,
  /** The task learns that a checkpoint was aborted. x: checkpoint. */
  abortNotified: 11,
  /** The operator's watermark advanced. x: watermark (ms). */
  watermarkAdvanced: 12,
  /** A timer fires. x: its timestamp (ms), y: 0 event time, 1 processing time. */
  timerFired: 13,
  /** A record came too late for its window. x: its timestamp (ms). */
  recordDropped: 14,
  /** The source or task saw the end of its input. */
  inputEnded: 15,
  /** Task life cycle. x: attempt. */
  taskDeployed: 16,
  taskRestoreStarted: 17,
  /** State is loaded. x: attempt, y: checkpoint restored from, or -1. */
  taskRestored: 18,
  taskRunning: 19,
  taskFinished: 20,
  taskFailed: 21,
  taskCancelled: 22,
  /** An alignment took too long: the checkpoint goes on unaligned. x: checkpoint. */
  alignmentTimedOut: 23,
  /** Barriers that waited in outputs for too long overtake what is before them. x: checkpoint. */
  outputsTimedOut: 24,
  /** All that was in flight is known. x: checkpoint, y: records. Where nothing was: no point. */
  channelStateComplete: 25,
  /** In-flight data of a checkpoint was given back to the task. x: records at its inputs, y: at its outputs. */
  inFlightRestored: 26,
  /** As bufferConsumed, of what was in flight in the checkpoint that the task was restored from. */
  restoredBufferConsumed: 27,
  /** JobManager. x: leader epoch. */
  leadershipGained: 30,
  leadershipLost: 31,
  /** x: attempt, y: checkpoint it starts from, or -1. */
  jobDeploying: 32,
  jobRunning: 33,
  jobFailing: 34,
  jobRestarting: 35,
  jobFinished: 36,
  jobFailed: 37,
  jobCancelled: 41,
  /** Every task of this attempt is dead for the JobManager from here on. x: attempt. */
  attemptDead: 38,
  workerRegistered: 39,
  workerLost: 40,
  /** The job goes on with another parallelism, which is recorded. x: that. */
  jobRescaled: 45,
  /** Coordinator. x: checkpoint, y: attempt. */
  checkpointTriggered: 50,
  /** x: checkpoint, y: acks still missing. */
  checkpointAcked: 51,
  /** The commit point: the record is in Coordination. x: checkpoint, y: attempt. */
  checkpointCompleted: 52,
  /** x: checkpoint, y: reason (ABORT_REASONS). */
  checkpointAborted: 53,
  /** A retained checkpoint left the store. x: checkpoint. */
  checkpointSubsumed: 54,
  /** Its files are about to be deleted. x: checkpoint. */
  checkpointDiscarded: 55,
  /** A request waits. x: pending checkpoints, y: what for (REFUSALS). */
  checkpointRefused: 56,
  /** The completed store was recovered. x: latest checkpoint, or -1, y: how many. */
  storeRecovered: 57,
  /** A task declined a checkpoint that is decided already. x: checkpoint, y: reason (ABORT_REASONS). */
  declineIgnored: 58,
  /** The record of a savepoint is in Coordination. x: its number, y: attempt. */
  savepointCompleted: 59,
  /** Sink: x: checkpoint, y: transactions. */
  transactionPrepared: 60,
  transactionCommitting: 61,
  transactionCommitted: 62,
  transactionAborted: 63,
  /** A shared file of a snapshot is in remote storage. x: checkpoint, y: bytes. */
  sharedFileUploaded: 70,
  /** A snapshot names a file of an earlier checkpoint. x: checkpoint, y: bytes that were not written again. */
  sharedFileReused: 71,
  /** The leader learns what an acknowledgement shares. x: checkpoint, y: files. */
  sharedStateRegistered: 72,
  /** The same, too late for its checkpoint. x: checkpoint, y: files. */
  lateSharedStateRegistered: 73,
  /** No checkpoint needs a shared file any more; it is about to be deleted. x: checkpoint that brought it, y: one that used it last. */
  sharedFileDiscarded: 74,
  /** A restore looks for a shared file on its host. x: checkpoint, y: bytes; negative as for localCopyRead. */
  cachedFileRead: 75,
  /** The host keeps a shared file. x: checkpoint, y: bytes, or -1 where the disk did not take it. */
  cachedFileStored: 76,
  /** The host removed shared files. x: how many. */
  cachedFilesPruned: 77,
  /** Task-local state. The host's disk holds a copy of the subtask's file. x: checkpoint, y: bytes, or -1: it did not take it. */
  localCopyStored: 80,
  /** Copies that are of no use any more went. x: the checkpoint that completed, was aborted or is restored, y: how many. */
  localCopiesPruned: 81,
  /** A restore asked for a copy. x: checkpoint, y: bytes, or why it cannot be used (LOCAL_COPY_FAULTS). */
  localCopyRead: 82,
  /** What a restore from a checkpoint cost, once the state is loaded. x: bytes from remote storage, y: requests. */
  restoreReadRemote: 83,
  /** The same. x: bytes from the host's disk, y: files in all. */
  restoreReadLocal: 84,
  /** A job that allows for older checkpoints cannot read this one. x: checkpoint, y: the older one in its place, or -1: the job fails. */
  checkpointLost: 85,
} as const;

export type EngineTraceKind = (typeof TRACE)[keyof typeof TRACE];
