import type { CheckpointId } from "../base/units.ts";
import type { RestartBackoffSnapshot } from "../restore/restart/restart-backoff.ts";

/** Parts of a leader's term as a person sees them in a paused World; the others are to be seen from outside. */
export interface JobMasterSnapshot {
  /** In this term. */
  readonly restarts: number;
  readonly backoff: RestartBackoffSnapshot;
  readonly nextCheckpointId: CheckpointId;
  /** What the job was asked to run with; null: as it says itself. */
  readonly parallelism: number | null;
}
