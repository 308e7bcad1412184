import type { CheckpointId } from "../../engine/base/units.ts";
import { CheckpointRecords } from "../oracles/checkpoint-records.ts";
import type { Beginning } from "../prepared-run.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import { keepServices } from "../world/kept-services.ts";
import type { RepeatableRun } from "./repeatable-run.ts";

/** What was outside of the cluster in the step in which the record of a checkpoint was written. */
export interface KeptCheckpoint extends Beginning {
  readonly checkpointId: CheckpointId;
  readonly step: number;
}

/**
 * Takes the run again up to the step in which the checkpoint completed, and keeps what lay outside of the cluster
 * then. Null where no such checkpoint completes by the end of `lastStep`: none has that number, it is a savepoint with
 * which the job goes on, or it is of a later version of the job, which a fresh cluster would not begin with.
 */
export function keepCheckpoint(run: RepeatableRun, checkpointId: CheckpointId, lastStep: number): KeptCheckpoint | null {
  const again = run.plain();
  const { world } = again;
  const kept: KeptCheckpoint[] = [];
  CheckpointRecords.of(world).listen({
    recordWritten: (record) => {
      const isFirstVersion = (world.kernel.counts[PORT_TRACE.versionStarted] ?? 0) === 0;
      if (record.checkpointId !== checkpointId || !isFirstVersion) return;
      kept.push({ checkpointId, step: world.kernel.stepNumber, atUs: world.nowUs, services: keepServices(world) });
    },
  });
  while (kept.length === 0 && world.kernel.stepNumber < lastStep && again.advance());
  world.release();
  return kept[0] ?? null;
}
