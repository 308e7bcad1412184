import type { StopMode } from "../../engine/checkpoint/checkpoint-properties.ts";
import type { TimeUs } from "../../engine/base/units.ts";

/** As the subject of an event: whichever JobManager it happens in. */
export const ANY_JOB_MANAGER = "jm";

/**
 * When a fault strikes: at a virtual time, or at the nth time that a trace point happens. Event identities
 * name the kind, the subject and (unless null) the point's x, which is the checkpoint for everything in the
 * checkpoint protocol, so they survive most code changes.
 */
export type Trigger =
  | { readonly on: "time"; readonly atUs: TimeUs }
  | {
      readonly on: "event";
      /** Name of the trace kind ("snapshotTaken"). */
      readonly event: string;
      /** Name of the subject ("sum[1]"); of a disk's, its host will do; ANY_JOB_MANAGER for any of those. */
      readonly subject: string;
      readonly x: number | null;
      /** 1: the first such point of the run. */
      readonly nth: number;
      /** Of a port call: before its effect, or after. */
      readonly when: "before" | "after";
    };

interface FaultBase {
  readonly id: string;
  readonly at: Trigger;
}

/** Strikes a process ("worker-2"); null: the one that runs when the event happens. */
export type ProcessFault =
  | (FaultBase & { readonly kind: "process-crash"; readonly process: string | null })
  | (FaultBase & { readonly kind: "process-pause"; readonly process: string | null; readonly durationUs: number })
  | (FaultBase & { readonly kind: "host-crash"; readonly host: string | null; readonly replace: boolean })
  /** The disk is lost and another, empty one takes its place. The host stays up; its processes end and start again. */
  | (FaultBase & { readonly kind: "disk-loss"; readonly host: string | null })
  /** Event trigger on userCall only. */
  | (FaultBase & { readonly kind: "user-exception" });

/** What a client asks of the job: no fault, but a disturbance that it must survive. */
export type ClientRequest =
  | (FaultBase & { readonly kind: "rescale"; readonly parallelism: number })
  | (FaultBase & { readonly kind: "savepoint" })
  /** The job ends with a savepoint, and the next version of it (the same one, where the scenario has no other) begins from there. */
  | (FaultBase & { readonly kind: "stop-with-savepoint"; readonly mode: StopMode })
  /** The job ends as it stands; where the scenario has a next version from a checkpoint, that goes on from the latest one that is retained. */
  | (FaultBase & { readonly kind: "cancel-job" })
  /** Checkpoints that are pending are given up. */
  | (FaultBase & { readonly kind: "checkpoint-abort" });

const REQUEST_KINDS: Readonly<Record<ClientRequest["kind"], true>> = {
  rescale: true,
  savepoint: true,
  "stop-with-savepoint": true,
  "cancel-job": true,
  "checkpoint-abort": true,
};

/** True for what a client may ask of any job, and no budget has to allow. */
export function isClientRequest(fault: Fault): fault is ClientRequest {
  return fault.kind in REQUEST_KINDS;
}

/** Each of these hits the one interaction that its event trigger names. */
export type InteractionFault =
  /** rpcSent. */
  | (FaultBase & { readonly kind: "rpc-drop" })
  | (FaultBase & { readonly kind: "rpc-duplicate"; readonly delayUs: number })
  | (FaultBase & { readonly kind: "rpc-delay"; readonly delayUs: number })
  /** rpcResponded: the reply is lost. */
  | (FaultBase & { readonly kind: "rpc-reply-drop" })
  /** frameSent. */
  | (FaultBase & { readonly kind: "connection-break" })
  | (FaultBase & { readonly kind: "frame-delay"; readonly delayUs: number })
  /** blobPutIssued, blobGetIssued, blobDeleteIssued, blobListed. "unknown": done, but reported as failed. */
  | (FaultBase & { readonly kind: "blob-error"; readonly code: "unavailable" | "unknown" })
  | (FaultBase & { readonly kind: "blob-slow"; readonly delayUs: number })
  /** blobDeleteIssued: the reply says ok, the effect comes later. */
  | (FaultBase & { readonly kind: "blob-late-delete"; readonly delayUs: number })
  /** coordinationIssued. "unknown": done, but reported as failed. */
  | (FaultBase & { readonly kind: "coordination-error"; readonly code: "unreachable" | "unknown" })
  | (FaultBase & { readonly kind: "coordination-slow"; readonly delayUs: number })
  /** logIssued. "unknown": done, but reported as failed. */
  | (FaultBase & { readonly kind: "log-error"; readonly code: "unavailable" | "unknown" })
  | (FaultBase & { readonly kind: "log-slow"; readonly delayUs: number })
  /** logIssued (append): the open transaction is timed out by the log just before. */
  | (FaultBase & { readonly kind: "transaction-timeout" })
  /**
   * diskOpened, diskRead, diskWritten, diskTruncated, diskNamed, diskDirectorySynced, diskLooked: the call fails and
   * does nothing, except that a write without space ("ENOSPC") writes the first `partBytes` bytes and returns
   * their number if there are any. A call that takes no space fails with EIO instead.
   */
  | (FaultBase & { readonly kind: "disk-error"; readonly code: "EIO" | "ENOSPC"; readonly partBytes: number })
  /** diskSynced: EIO. Some of the unsynced bytes reach the disk, none is written again by a later fsync. */
  | (FaultBase & { readonly kind: "disk-fsync-failure" })
  /** diskRead: at most so many bytes, but at least one if there are any. */
  | (FaultBase & { readonly kind: "disk-short-read"; readonly bytes: number })
  /**
   * diskRead, diskWritten: one bit of the bytes that the call reads or writes; diskSynced: of the whole file. The
   * bit's number counts from their start, or from their end when negative (-1: the last bit), and wraps.
   */
  | (FaultBase & { readonly kind: "disk-bit-flip"; readonly bit: number })
  /**
   * diskWritten: the bytes land so many sectors away (wrapping in the file they land in), and not where they
   * should. `elsewhere` 0: in the same file; n: in the nth of the disk's other files, in order of age (wraps).
   */
  | (FaultBase & { readonly kind: "disk-misdirected-write"; readonly sectorsAway: number; readonly elsewhere: number })
  /** Any event of a disk: the call takes so much longer, and its process with it. */
  | (FaultBase & { readonly kind: "disk-slow"; readonly delayUs: number })
  /** Names one ordinary draw: this interaction takes `latencyUs` instead of what would be drawn. */
  | (FaultBase & { readonly kind: "latency"; readonly latencyUs: number });

/** Each of these lasts from its trigger for `durationUs`, or until everything heals. */
export type WindowFault =
  /** Messages and connections from any host of `from` to any of `to` are cut (and back, unless oneWay). */
  | (FaultBase & {
      readonly kind: "partition";
      readonly from: readonly string[];
      readonly to: readonly string[];
      readonly oneWay: boolean;
      readonly durationUs: number;
    })
  /** Each call is lost, doubled or late with these chances (per cent). */
  | (FaultBase & {
      readonly kind: "rpc-chaos";
      readonly lossPercent: number;
      readonly duplicatePercent: number;
      readonly delayPercent: number;
      readonly delayUs: number;
      readonly durationUs: number;
    })
  | (FaultBase & { readonly kind: "network-slow"; readonly extraUs: number; readonly durationUs: number })
  | (FaultBase & { readonly kind: "blob-outage"; readonly errorPercent: number; readonly durationUs: number })
  | (FaultBase & { readonly kind: "coordination-outage"; readonly durationUs: number })
  /** The lease of the current leader is taken away. */
  | (FaultBase & { readonly kind: "lease-loss"; readonly lease: string })
  | (FaultBase & { readonly kind: "log-outage"; readonly errorPercent: number; readonly durationUs: number })
  /** Every write, and every creation of a name, fails with ENOSPC. host null: that of the process at the event. */
  | (FaultBase & { readonly kind: "disk-full"; readonly host: string | null; readonly durationUs: number })
  /** A process that touches its disk stands still until the window ends. */
  | (FaultBase & { readonly kind: "disk-stall"; readonly host: string | null; readonly durationUs: number });

export type Fault = ProcessFault | ClientRequest | InteractionFault | WindowFault;
export type FaultKind = Fault["kind"];
/** Kinds that a scenario's budget bounds: what a client asks for is part of the contract. */
export type BudgetedKind = Exclude<FaultKind, ClientRequest["kind"]>;

const INTERACTION_KINDS: Readonly<Record<InteractionFault["kind"], true>> = {
  "rpc-drop": true,
  "rpc-duplicate": true,
  "rpc-delay": true,
  "rpc-reply-drop": true,
  "connection-break": true,
  "frame-delay": true,
  "blob-error": true,
  "blob-slow": true,
  "blob-late-delete": true,
  "coordination-error": true,
  "coordination-slow": true,
  "log-error": true,
  "log-slow": true,
  "transaction-timeout": true,
  "disk-error": true,
  "disk-fsync-failure": true,
  "disk-short-read": true,
  "disk-bit-flip": true,
  "disk-misdirected-write": true,
  "disk-slow": true,
  latency: true,
};

/** True for a fault that the interaction at hand carries out. */
export function isInteractionFault(fault: Fault): fault is InteractionFault {
  return fault.kind in INTERACTION_KINDS;
}

/** All that goes wrong in a run, written down before it starts. */
export type FaultPlan = readonly Fault[];

/** What became of one fault of a plan. */
export interface FaultOutcome {
  readonly id: string;
  readonly kind: FaultKind;
  /** "dud": its trigger never came. "downgraded": the budget or the situation did not allow it. */
  readonly outcome: "fired" | "dud" | "downgraded";
  /** When it fired, else null. */
  readonly atUs: TimeUs | null;
  /** Number of the step it fired in, else null. */
  readonly step: number | null;
  /** Why it was downgraded, else null. */
  readonly reason: string | null;
}
