import { unreachable } from "../base/assert.ts";

/**
 * When the retained checkpoints stay behind as a job ends (Flink: CheckpointRetentionPolicy):
 *
 *     never            nowhere
 *     on-failure       where it failed
 *     on-cancellation  where it failed or was cancelled
 *     always           wherever it ended, so that its last state can be read (no policy of Flink's)
 */
export const CHECKPOINT_RETENTIONS = ["never", "on-failure", "on-cancellation", "always"] as const;
export type CheckpointRetention = (typeof CHECKPOINT_RETENTIONS)[number];

/** How a job ends. A leader that loses its lease ends nothing: the job goes on under the next one. */
export type JobEnd = "finished" | "failed" | "cancelled";

export function retainsCheckpoints(retention: CheckpointRetention, end: JobEnd): boolean {
  switch (retention) {
    case "never":
      return false;
    case "on-failure":
      return end === "failed";
    case "on-cancellation":
      return end !== "finished";
    case "always":
      return true;
    default:
      return unreachable(retention, "retainsCheckpoints");
  }
}
