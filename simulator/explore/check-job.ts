import { JobDefinitionError } from "../../engine/api/job-definition-error.ts";
import { invalidCombination } from "../../engine/graph/job-modes.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import { needsSqlite } from "../../engine/state/backends/state-libraries.ts";
import type { RunOptions } from "../scenario.ts";

/**
 * Before anything runs: the job does what the run's options say, these go together, and what the state backend
 * needs is there. A job without checkpoints has no mode.
 */
export function checkJob({ config }: StreamGraph, options: RunOptions, { sqlite }: StateLibraries): void {
  const { backend, mode, restore, failover, parallelism, parallelismAfter } = options;
  requireSame("the state backend", "backends", config.stateBackend?.name ?? backend, backend);
  requireSame("the checkpoint mode", "modes", config.checkpoint?.mode ?? mode, mode);
  requireSame("the restore strategy", "restores", config.restore, restore);
  requireSame("the failover scope", "failovers", config.failover, failover);
  const invalid = invalidCombination({ backend, restore, failover, rescales: parallelism !== parallelismAfter });
  if (invalid !== null) throw new JobDefinitionError("the run's options", invalid.reason, invalid.wayOut);
  if (needsSqlite(backend) && sqlite === null) {
    const wayOut = "Pass what loadStateLibraries() gives to the Simulator";
    throw new JobDefinitionError("the state backend", `${backend} needs SQLite, which was not loaded`, wayOut);
  }
}

function requireSame(what: string, field: string, own: string, wanted: string): void {
  if (own === wanted) return;
  const reason = `the job sets ${own}, and this run is to use ${wanted}`;
  throw new JobDefinitionError(what, reason, `Say ${field}: ["${own}"] in the scenario, or set the job's by its options`);
}
