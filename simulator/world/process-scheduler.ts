import type { Scheduler } from "../../engine/ports/scheduler.ts";
import type { SimKernel } from "./sim-kernel.ts";
import type { Process } from "./sim-process.ts";

/** The thread of one process. */
export function schedulerOf(kernel: SimKernel, process: Process): Scheduler {
  return {
    after: (delayUs, callback) => kernel.scheduleTimer(process, delayUs, callback),
    cancel: (handle) => kernel.cancel(handle),
    isPaced: kernel.isPaced,
    resume: (workUnits, callback) => kernel.resume(process, workUnits, callback),
  };
}
