import type { OperatorChain } from "../operators/operator-chain.ts";
import type { Scheduler } from "../ports/scheduler.ts";
import type { KeyedBackend } from "../state/keyed-backend.ts";
import { userErrorText } from "./user-error.ts";

/** Elements of work that one slice counts as. */
const SLICE_WORK_UNITS = 16;

/**
 * Background work of the keyed backends of a task (compaction, materialization): one slice at a time, as a
 * step of its own between those of the task. Flink does this in threads of its own; here it takes turns.
 */
export class StateMaintenance {
  readonly #backends: readonly KeyedBackend[];
  readonly #scheduler: Scheduler;
  readonly #isRunning: () => boolean;
  readonly #fail: (reason: string) => void;
  #scheduled = false;
  readonly #run = (): void => this.#slice();

  constructor(chain: OperatorChain, scheduler: Scheduler, isRunning: () => boolean, fail: (reason: string) => void) {
    this.#backends = chain.operators.flatMap(({ keyed }) => (keyed === null ? [] : [keyed]));
    this.#scheduler = scheduler;
    this.#isRunning = isRunning;
    this.#fail = fail;
  }

  /** After each step of the task, which may have left something to do. */
  arm(): void {
    if (this.#scheduled || !this.#isNeeded()) return;
    this.#scheduled = true;
    this.#scheduler.resume(SLICE_WORK_UNITS, this.#run);
  }

  #isNeeded(): boolean {
    for (let i = 0; i < this.#backends.length; i += 1) if ((this.#backends[i] as KeyedBackend).needsMaintenance) return true;
    return false;
  }

  #slice(): void {
    this.#scheduled = false;
    if (!this.#isRunning()) return;
    try {
      for (const backend of this.#backends) if (backend.needsMaintenance) backend.maintain();
    } catch (error) {
      this.#fail(userErrorText(error));
      return;
    }
    this.arm();
  }
}
