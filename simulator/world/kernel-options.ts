import type { TimeUs } from "../../engine/base/units.ts";
import type { FaultPlan } from "../faults/fault.ts";

/** What a World's kernel is made with. */
export interface KernelOptions {
  readonly seed: string;
  /** Mean latencies and FIFO ties: no ordinary draw deviates. */
  readonly calm: boolean;
  readonly plan: FaultPlan;
  /** Everything heals at this time. */
  readonly healAtUs: TimeUs;
  /** What the clock says before the first step; absent: 0. */
  readonly beginsAtUs?: TimeUs;
  /** Microseconds of a thread's time for an element of work. */
  readonly elementUs: number;
}
