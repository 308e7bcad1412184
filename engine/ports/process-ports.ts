import type { BlobStore } from "./blob-store.ts";
import type { Clock } from "./clock.ts";
import type { Coordination } from "./coordination.ts";
import type { Disk } from "./disk.ts";
import type { ExternalLog } from "./external-log.ts";
import type { Address, Frame, Message, Network } from "./network.ts";
import type { Rng } from "./rng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Tracer } from "./tracer.ts";

/**
 * All doors of one process incarnation. They die with it: no callback of a dead process ever runs. Any
 * call may throw ProcessDied, before or after its effect; it unwinds the step, the engine never catches
 * it (a `catch` around user code rethrows what `isProcessDied` names), and no `finally` touches the world.
 */
export interface ProcessPorts {
  readonly self: Address;
  /** Counts the processes that lived at this address: 1 for the first. */
  readonly incarnation: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly disk: Disk;
  readonly blobs: BlobStore;
  readonly coordination: Coordination;
  readonly log: ExternalLog;
  readonly rng: Rng;
  readonly tracer: Tracer;
}

/** The same with the network; operators and connectors do not get it. */
export interface NetworkedPorts<M extends Message, F extends Frame> extends ProcessPorts {
  readonly network: Network<M, F>;
}

/** Thrown out of a port call when the calling process dies there. */
export class ProcessDied extends Error {
  override readonly name = "ProcessDied";
}

/** Recognises ProcessDied by its name, so that one from a second copy of the package counts too. */
export function isProcessDied(error: unknown): boolean {
  return error instanceof Error && error.name === "ProcessDied";
}
