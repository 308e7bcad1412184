import type { RandomStream } from "../../engine/ports/rng.ts";
import type { ActiveWindows } from "../faults/active-windows.ts";
import type { InteractionFault } from "../faults/fault.ts";
import type { Concern, Latency } from "./kernel.ts";

/** Mean virtual microseconds of one interaction, and of each KiB that it moves. */
interface Cost {
  readonly meanUs: number;
  readonly perKibUs: number;
}

const COSTS: Readonly<Record<Concern, Cost>> = {
  rpc: { meanUs: 500, perKibUs: 0 },
  frame: { meanUs: 300, perKibUs: 10 },
  loopback: { meanUs: 5, perKibUs: 0 },
  connect: { meanUs: 800, perKibUs: 0 },
  blobPut: { meanUs: 20_000, perKibUs: 20 },
  blobGet: { meanUs: 12_000, perKibUs: 20 },
  blobDelete: { meanUs: 10_000, perKibUs: 0 },
  blobList: { meanUs: 15_000, perKibUs: 0 },
  coordination: { meanUs: 3_000, perKibUs: 0 },
  logFetch: { meanUs: 2_000, perKibUs: 0 },
  logAppend: { meanUs: 3_000, perKibUs: 10 },
  logTransaction: { meanUs: 6_000, perKibUs: 0 },
};

/**
 * Microseconds that a synchronous disk call takes of its process's thread: as on a solid-state disk behind a
 * page cache. Always the mean: what the order of events depends on is drawn elsewhere.
 */
export const DISK_US = { look: 2, name: 20, read: 10, write: 5, fsync: 500, perKib: 1 } as const;

/** Microseconds of a task's time for one step, and for each element in it. */
export const STEP_US = 4;
export const ELEMENT_US = 1;

/** One in so many draws is an outlier, up to so many times the mean. */
const OUTLIER_ONE_IN = 64;
const OUTLIER_FACTOR = 40;

/** The latency of one component. */
export class ComponentLatency implements Latency {
  readonly #meanUs: number;
  readonly #perKibUs: number;
  /** Null: the mean, always. */
  readonly #stream: RandomStream | null;
  /** Where the network may be slow as a whole; null for what does not cross it. */
  readonly #windows: ActiveWindows | null;

  constructor(concern: Concern, stream: RandomStream | null, windows: ActiveWindows) {
    const { meanUs, perKibUs } = COSTS[concern];
    this.#meanUs = meanUs;
    this.#perKibUs = perKibUs;
    this.#stream = stream;
    this.#windows = concern === "rpc" || concern === "frame" ? windows : null;
  }

  us(bytes: number, fault: InteractionFault | null): number {
    if (fault !== null && fault.kind === "latency") return fault.latencyUs;
    const meanUs = this.#meanUs + Math.floor((bytes * this.#perKibUs) / 1024);
    const ordinaryUs = this.#stream === null ? meanUs : drawUs(meanUs, this.#stream);
    return this.#windows !== null && this.#windows.any ? ordinaryUs + this.#windows.extraNetworkUs : ordinaryUs;
  }
}

/**
 * Between a half and one and a half of the mean, now and then far more: what makes messages of different
 * connections overtake each other.
 */
function drawUs(meanUs: number, stream: RandomStream): number {
  const draw = stream.below(OUTLIER_ONE_IN * 1024);
  const outlier = draw < 1024;
  const span = outlier ? meanUs * OUTLIER_FACTOR : meanUs;
  const share = outlier ? draw : draw % 1024;
  return (meanUs >> 1) + Math.floor((span * share) / 1024);
}
