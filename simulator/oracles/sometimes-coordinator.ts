import { REFUSALS } from "../../engine/checkpoint/checkpoint-coordinator.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { OracleContext } from "./oracle.ts";
import type { TaskAttempts } from "./task-attempts.ts";

/** Counts the paths through the checkpoint coordinator (see SOMETIMES for what counts). */
export class CoordinatorPaths {
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  /** The latest attempt of which a task has finished. */
  #finishedIn = -1;
  #epochs = 0;

  constructor(context: OracleContext, tasks: TaskAttempts) {
    this.#context = context;
    this.#tasks = tasks;
  }

  watch(): void {
    const { world, sometimes } = this.#context;
    const { kernel } = world;
    kernel.on(TRACE.taskFinished, (process, subject) => {
      this.#finishedIn = Math.max(this.#finishedIn, this.#tasks.find(process, subject)?.attempt ?? -1);
    });
    kernel.on(TRACE.checkpointCompleted, (_process, _subject, _checkpointId, attempt) => {
      if (attempt === this.#finishedIn) sometimes("a checkpoint with finished tasks");
    });
    kernel.on(TRACE.savepointCompleted, () => sometimes("a savepoint completed"));
    kernel.on(TRACE.storeRecovered, (_process, _subject, latest) => {
      this.#epochs += 1;
      if (this.#epochs > 1 && latest >= 0 && world.upgrades === 0) sometimes("a leader recovered retained checkpoints");
    });
    kernel.on(TRACE.declineIgnored, () => sometimes("a late decline ignored"));
    kernel.on(TRACE.checkpointRefused, (_process, _subject, _pending, reason) => {
      if (reason === REFUSALS.cleaning) sometimes("cleaning held a trigger back");
    });
  }
}
