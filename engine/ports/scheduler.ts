/** Names a scheduled callback until it ran or was cancelled. */
export type TimerHandle = number;

/**
 * The process's single thread.
 *
 * Promises: callbacks run one at a time, each to its end, never from inside `after` or `resume`, and never
 * after the process died. May go wrong: a callback runs later than asked (the process was paused). The
 * caller must not assume any order between callbacks due at the same time, except that `resume` callbacks
 * of one owner keep their order.
 */
export interface Scheduler {
  /** Runs `callback` at least `delayUs` (>= 0) from now. */
  after(delayUs: number, callback: () => void): TimerHandle;
  /** Forgets a callback that has not run; a handle that already ran is ignored. */
  cancel(handle: TimerHandle): void;
  /** An element of work takes so long that a task gives up the thread after every step, also where nothing waits. */
  readonly isPaced: boolean;
  /** Gives up the thread after `workUnits` elements of work; `callback` runs when the thread is free again. */
  resume(workUnits: number, callback: () => void): void;
}
