/**
 * Decides after each failure whether the job starts again, and when (Flink: RestartBackoffTimeStrategy). One
 * object for a leader's term: a later leader begins with a fresh one, as in Flink, so that restarts are
 * counted anew.
 *
 * The caller notifies of the failure first, and asks the other two questions at the same virtual time.
 */
export interface RestartBackoff {
  /** False where the failure merges into a restart that is still to come, and counts with that one. */
  notifyFailure(): boolean;
  canRestart(): boolean;
  /** From now to the restart, in virtual microseconds; only where `canRestart`. */
  delayUs(): number;
  /** For inspection. */
  inspect(): RestartBackoffSnapshot;
}

/** A restart strategy as a person sees it in a paused World. */
export interface RestartBackoffSnapshot {
  readonly strategy: "none" | "fixed-delay" | "failure-rate" | "exponential-delay";
  /** Failures that count at the moment. */
  readonly failures: number;
  /** The job fails for good with one more; null: never. */
  readonly tolerated: number | null;
  /** What the next restart waits for, as far as that is known before it; null where nothing is. */
  readonly delayMs: number | null;
}
