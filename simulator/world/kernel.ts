import type { Disk } from "../../engine/ports/disk.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { InteractionFault } from "../faults/fault.ts";

/** One incarnation of a simulated process. A restarted process is another object. */
export interface SimProcess {
  readonly name: string;
  readonly incarnation: number;
  readonly host: SimHost;
  /** Interned `name`. */
  readonly subject: number;
  readonly alive: boolean;
}

export interface SimHost {
  readonly name: string;
  /** False between a host crash and its restart. */
  readonly up: boolean;
}

/** Things whose virtual duration the cost model knows. */
export type Concern =
  | "rpc"
  | "frame"
  | "loopback"
  | "connect"
  | "blobPut"
  | "blobGet"
  | "blobDelete"
  | "blobList"
  | "coordination"
  | "logFetch"
  | "logAppend"
  | "logTransaction";

/** How long the interactions of one component take. Held by who interacts, so that a draw looks nothing up. */
export interface Latency {
  /**
   * Virtual microseconds for one interaction: the mean in calm runs, else drawn from the stream of
   * (concern, component); `fault` of kind "latency" decides it, `bytes` adds the transfer time.
   */
  us(bytes: number, fault: InteractionFault | null): number;
}

/**
 * What the simulated ports see of the World: time, the queue, randomness, trace points, faults.
 *
 * How a simulated port call is written:
 *
 *     const fault = kernel.enter(process, KIND, subject, x, y);   // a crash "before" throws here
 *     ... the effect, changed by `fault` if there is one ...
 *     kernel.leave(process);                                       // a crash "after" throws here
 */
export interface Kernel {
  readonly nowUs: TimeUs;
  /** The stream of a label: same label, same stream object. */
  stream(label: string): RandomStream;
  intern(name: string): number;
  nameOf(subject: number): string;

  /**
   * Runs `callback` as a step of `process` after `delayUs`: never if that incarnation is dead by then, later
   * if it is paused. With null it is a step of the outside world (a server answers, a message arrives),
   * which always runs. Returns a handle for `cancel`.
   */
  schedule(process: SimProcess | null, delayUs: number, callback: () => void): number;
  cancel(handle: number): void;

  /**
   * A trace point at a port. Folds it into the digest, counts it, and fires the faults whose trigger it is:
   * may throw ProcessDied when `process` (the caller; null in steps of the outside world) dies here. Returns
   * the fault that changes this very interaction, or null. A window fault that hits the interaction comes
   * back as the named fault it amounts to ("rpc-drop", "blob-error", "log-error", …).
   */
  enter(process: SimProcess | null, kind: number, subject: number, x: number, y: number): InteractionFault | null;
  /** After the effect: may throw ProcessDied. */
  leave(process: SimProcess | null): void;
  /** A trace point without a fault of its own (replies, deliveries): may throw ProcessDied like `enter`. */
  point(process: SimProcess | null, kind: number, subject: number, x: number, y: number): void;

  latency(concern: Concern, component: string): Latency;
  /** A synchronous call took so long: the process's thread is free that much later after this step. */
  spend(process: SimProcess, us: number): void;
  /** A synchronous call hangs: nothing of the process runs for so long, or until everything heals. */
  stall(process: SimProcess, us: number): void;

  /** True while a partition cuts the way from one host to another. */
  isCut(from: SimHost, to: SimHost): boolean;
  /** True while coordination cannot be reached. */
  coordinationDown(): boolean;

  /** Folds bytes written to disk, blob store or log into the digest. */
  foldBytes(bytes: Uint8Array): void;
  /** Folds text written to coordination into the digest. */
  foldText(text: string): void;
}

/** A simulated disk as the World uses it. */
export interface SimDisk {
  /** The port for one process on the host; its descriptors die with it. */
  portFor(process: SimProcess): Disk;
  /** Power loss: what was not synced is lost, wholly or in part. Drawn from `kernel.stream("disk:" + host)`. */
  powerLoss(): void;
}
