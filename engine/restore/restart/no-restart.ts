import { invariant } from "../../base/assert.ts";
import type { RestartBackoff, RestartBackoffSnapshot } from "./restart-backoff.ts";

/** The first failure is the last one. */
export class NoRestart implements RestartBackoff {
  notifyFailure(): boolean {
    return true;
  }

  canRestart(): boolean {
    return false;
  }

  delayUs(): number {
    invariant(false, "a job that does not restart has no delay before it does");
  }

  inspect(): RestartBackoffSnapshot {
    return { strategy: "none", failures: 0, tolerated: 0, delayMs: null };
  }
}
