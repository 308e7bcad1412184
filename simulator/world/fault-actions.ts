import type { ClientRequest } from "../faults/fault.ts";
import type { SimHost } from "./kernel.ts";
import type { Process } from "./sim-process.ts";

/** What a fault does to the World beyond the interaction it hits. */
export interface FaultActions {
  crashProcess(process: Process): void;
  crashHost(host: SimHost, replace: boolean): void;
  /** An empty disk takes the place of the host's; its processes end. */
  loseDisk(host: SimHost): void;
  loseLease(lease: string): void;
  partitionStarted(): void;
  /** A client asks for it; it goes on asking until the job does it or is over. */
  request(request: ClientRequest): void;
  processNamed(name: string): Process | null;
  hostNamed(name: string): SimHost | null;
  /** Process that a trace subject stands for ("worker-2", or the worker of "sum[1]"), or null. */
  processOf(subject: number): Process | null;
}
