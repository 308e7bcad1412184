import { invariant } from "../base/assert.ts";
import { RETRY_DELAY_US, STORAGE_ATTEMPTS } from "../base/limits.ts";
import type { LogError, LogReply } from "../ports/external-log.ts";
import type { Scheduler } from "../ports/scheduler.ts";

/** "unavailable" never had an effect; after "unknown" only what is idempotent may be repeated. */
export type Repeatable = "when-unavailable" | "when-unavailable-or-unknown";

/**
 * Repeats calls to the external log until they succeed or fail for good, with delays that double. After
 * `stop` no call is made and nobody is told of any reply.
 */
export class LogRetry {
  readonly #scheduler: Scheduler;
  #stopped: boolean = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** `call` makes one attempt; `done` gets the first reply that is ok, not repeatable, or the last allowed. */
  run<T>(
    repeatable: Repeatable,
    call: (reply: (reply: LogReply<T>) => void) => void,
    done: (reply: LogReply<T>) => void,
  ): void {
    if (!this.#stopped) this.#attempt(1, repeatable, call, done);
  }

  #attempt<T>(
    attempt: number,
    repeatable: Repeatable,
    call: (reply: (reply: LogReply<T>) => void) => void,
    done: (reply: LogReply<T>) => void,
  ): void {
    let replied = false;
    call((reply) => {
      invariant(!replied, "a call to the log gets one reply");
      replied = true;
      if (this.#stopped) return;
      if (reply.ok || attempt >= STORAGE_ATTEMPTS || !mayRepeat(reply.code, repeatable)) {
        done(reply);
        return;
      }
      this.#scheduler.after(RETRY_DELAY_US * (1 << (attempt - 1)), () => {
        if (!this.#stopped) this.#attempt(attempt + 1, repeatable, call, done);
      });
    });
  }
}

function mayRepeat(code: LogError, repeatable: Repeatable): boolean {
  return code === "unavailable" || (code === "unknown" && repeatable === "when-unavailable-or-unknown");
}
