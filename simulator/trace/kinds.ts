import { TRACE } from "../../engine/ports/tracer.ts";

/**
 * Trace kinds of the ports and of the outside world. Numbers are part of the digest: never renumber, only
 * add. For each: what subject, x and y are.
 */
export const PORT_TRACE = {
  /** A call leaves. subject: the message's subject, x: checkpoint, y: interned message kind. */
  rpcSent: 100,
  /** A call arrives at its handler; same numbers. */
  rpcDelivered: 101,
  /** The handler responds; same numbers (of the response). */
  rpcResponded: 102,
  /** The caller gets its reply; y: 0 ok, 1 timeout, 2 unreachable. */
  rpcReplied: 103,
  /** subject: the hello's subject, x: connection number. */
  connectionOpened: 110,
  connectionAccepted: 111,
  /** One side learns of the break. */
  connectionBroken: 112,
  /** subject: the hello's subject, x: checkpoint of its barrier or -1, y: records. */
  frameSent: 113,
  frameDelivered: 114,
  /** One side closes the connection on purpose. subject: the hello's subject, x: connection number. */
  connectionClosed: 115,
  /**
   * Disks. subject: "<host>:<role>" (disk-identity), x: checkpoint parsed from the path ("chk-7") or -1. A trigger
   * that names the host alone ("host-1") means the files of every role. y: DISK_OPENINGS.
   */
  diskOpened: 120,
  /** y: bytes asked for. */
  diskRead: 121,
  /** y: bytes. */
  diskWritten: 122,
  /** y: unsynced bytes. */
  diskSynced: 123,
  diskDirectorySynced: 124,
  /** Directories made or removed, rename, link, unlink. y: which (DISK_NAMINGS). */
  diskNamed: 125,
  diskClosed: 126,
  /** The size of a file (y: bytes) or the names in a directory (y: names) were asked for. */
  diskLooked: 127,
  /** y: the new size. */
  diskTruncated: 128,
  /** An empty disk takes the place of one that is lost. subject: host. */
  diskLost: 129,
  /** subject: process. x: checkpoint parsed from the key ("chk-7"), or -1, y: bytes (of a failed reply: -code). */
  blobPutIssued: 130,
  /** The effect in the store. */
  blobPutApplied: 131,
  blobPutReplied: 132,
  blobGetIssued: 133,
  blobGetReplied: 134,
  blobDeleteIssued: 135,
  blobDeleteApplied: 136,
  blobDeleteReplied: 137,
  blobListed: 138,
  blobListReplied: 139,
  /** subject: process. x: call (COORDINATION_CALLS), y: number of the key. */
  coordinationIssued: 140,
  coordinationApplied: 141,
  coordinationReplied: 142,
  /** subject: the lease, x: its epoch, y: 0 it expired, 1 it was taken away. */
  leaseExpired: 143,
  /** subject: the topic for fetches, the producer id for the rest. x: call (LOG_CALLS), y: records (failed: -code). */
  logIssued: 150,
  logApplied: 151,
  logReplied: 152,
  /** An open transaction ran into the log's timeout. subject: producer id, y: records. */
  transactionTimedOut: 153,
  /** A scheduled callback of a process runs. */
  timerRan: 160,
  /** User code is about to run. x: USER_CALLS. */
  userCall: 170,
  /** The next version of the job begins from a savepoint or a retained checkpoint. x: its number, y: what it begins from. */
  versionStarted: 199,
  /** It was told to end. x: incarnation. */
  processStopped: 198,
  processStarted: 180,
  processCrashed: 181,
  processPaused: 182,
  processResumed: 183,
  hostCrashed: 184,
  hostStarted: 185,
  /** A fault fires. x: index in the plan. */
  faultFired: 190,
  partitionStarted: 191,
  partitionHealed: 192,
  healed: 193,
} as const;

export type PortTraceKind = (typeof PORT_TRACE)[keyof typeof PORT_TRACE];
/** Kinds are below this. */
export const TRACE_KINDS = 200;

/** Kinds whose subject is a file or directory of a host's disk. */
export function isDiskKind(kind: number): boolean {
  return kind >= PORT_TRACE.diskOpened && kind <= PORT_TRACE.diskTruncated;
}

export const DISK_OPENINGS = { read: 0, write: 1, create: 2 } as const;
export const DISK_NAMINGS = { makeDirectory: 0, rename: 1, link: 2, unlink: 3, removeDirectory: 4 } as const;
export const COORDINATION_CALLS = { acquire: 0, renew: 1, release: 2, read: 3, list: 4, compareAndSet: 5 } as const;
export const LOG_CALLS = { fetch: 0, open: 1, append: 2, prepare: 3, commit: 4, abort: 5, pending: 6 } as const;
export const USER_CALLS = { open: 0, process: 1, timer: 2, snapshot: 3, notify: 4 } as const;

const NAMES: readonly (string | undefined)[] = namesByNumber();

function namesByNumber(): (string | undefined)[] {
  const names: (string | undefined)[] = new Array(TRACE_KINDS).fill(undefined);
  for (const [name, kind] of Object.entries({ ...TRACE, ...PORT_TRACE })) names[kind] = name;
  return names;
}

/** The name of a kind ("snapshotTaken"), or null for a number that is none. */
export function traceKindName(kind: number): string | null {
  return NAMES[kind] ?? null;
}

/** The kind of a name, or null. */
export function traceKindOf(name: string): number | null {
  const kind = NAMES.indexOf(name);
  return kind < 0 ? null : kind;
}
