import type { ClusterShape } from "../scenario.ts";
import type { Fault } from "./fault.ts";
import { ANY_JOB_MANAGER } from "./fault.ts";

const JOB_MANAGER = /^jm-\d+$/;

/**
 * The same fault, at an event of whichever JobManager it happens in: where there are standbys, the one that led in
 * the census need not lead in the run, and most faults that name it would never come up.
 */
export function atWhoeverLeads(fault: Fault, { jobManagers }: ClusterShape): Fault {
  const { at } = fault;
  if (jobManagers === 1 || at.on === "time" || !JOB_MANAGER.test(at.subject)) return fault;
  return { ...fault, at: { ...at, subject: ANY_JOB_MANAGER } };
}
