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
}
