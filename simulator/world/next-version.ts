import type { FileHandle } from "../../engine/checkpoint/checksummed-file.ts";
import type { SnapshotRestore, StartingSnapshot } from "../../engine/checkpoint/snapshot-restore.ts";
import type { JobStatusRecord } from "../../engine/runtime/job-status.ts";
import type { SimCoordination } from "../hosts/sim-coordination.ts";
import type { RunOptions, Scenario } from "../scenario.ts";
import { JOB_ID } from "./simulated-cluster.ts";

/** What the next version of a job that has ended begins from; null: there is none. A cancelled job has one at most. */
export function startOfNextVersion(end: JobStatusRecord, coordination: SimCoordination, scenario: Scenario, upgrades: number): StartingSnapshot | null {
  const { status, savepoint, leavesCheckpoints } = end;
  if (savepoint !== null) return { kind: "savepoint", ...savepoint };
  if (status !== "cancelled" || upgrades > 0 || scenario.upgrade?.from !== "checkpoint") return null;
  return leavesCheckpoints ? latestRetained(coordination) : null;
}

/** How it begins from there. */
export function restoreOfNextVersion(snapshot: StartingSnapshot, { upgrade }: Scenario, after: RunOptions): SnapshotRestore {
  return {
    snapshot,
    claim: upgrade?.claim ?? "no-claim",
    allowNonRestoredState: upgrade?.allowNonRestoredState ?? false,
    parallelism: upgrade === undefined ? null : after.parallelism,
  };
}

function latestRetained(coordination: SimCoordination): StartingSnapshot | null {
  const prefix = `${JOB_ID}/checkpoints/`;
  let latest: StartingSnapshot | null = null;
  for (const { key, value } of coordination.registers(prefix)) {
    const checkpointId = Number(key.slice(prefix.length));
    if (value === null || checkpointId < (latest?.checkpointId ?? 0)) continue;
    latest = { kind: "checkpoint", checkpointId, file: JSON.parse(value) as FileHandle };
  }
  return latest;
}
