import { invariant } from "../base/assert.ts";
import { STORAGE_ATTEMPTS } from "../base/limits.ts";
import type { Scheduler } from "../ports/scheduler.ts";

const FIRST_DELAY_US = 20_000;

/**
 * Repeats one idempotent storage call until it succeeds, at most STORAGE_ATTEMPTS times, waiting twice as
 * long each time. `attempt` reports null for success, else the reason; `done` gets the last reason.
 * `isWanted` is asked before each repetition: false ends it with "abandoned".
 */
export function retryStorage(
  scheduler: Scheduler,
  attempt: (report: (error: string | null) => void) => void,
  isWanted: () => boolean,
  done: (error: string | null) => void,
): void {
  let tried = 0;
  const next = (): void => {
    if (!isWanted()) {
      done("abandoned");
      return;
    }
    tried += 1;
    let reported = false;
    attempt((error) => {
      invariant(!reported, "a storage call reports once");
      reported = true;
      if (error === null || tried >= STORAGE_ATTEMPTS) done(error);
      else scheduler.after(FIRST_DELAY_US << (tried - 1), next);
    });
  };
  next();
}
