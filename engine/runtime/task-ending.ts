import type { Barrier } from "../checkpoint/barrier-handler.ts";
import type { InputChannel } from "./input-channel.ts";

/** What the ending of a task asks of the task. */
export interface EndingTask {
  /** None in a source. */
  channels(): readonly InputChannel[];
  checkpoint(barrier: Barrier): boolean;
  finish(): void;
}

/**
 * When a task is done. The input of a task ends (`end-of-input`: no record follows) long before its channels do
 * (`end-of-partition`: its sender has finished). A task finishes once nothing is left for it to commit and every
 * sender has finished: so none goes before what the tasks ahead of it still had to commit (FLINK-38614).
 *
 * A task behind finished ones gets no barrier from anybody. The coordinator triggers it, and it takes its part as soon
 * as the last channel ended, when all that was sent to it has been worked off.
 */
export class TaskEnding {
  readonly #task: EndingTask;
  /** Triggered while a channel was still open. */
  #triggered: Barrier[] = [];
  #mayFinish = false;

  constructor(task: EndingTask) {
    this.#task = task;
  }

  /** Every sender has finished; true for a source. */
  get channelsEnded(): boolean {
    return this.#task.channels().every(({ finished }) => finished);
  }

  trigger(barrier: Barrier): void {
    if (this.channelsEnded) this.#task.checkpoint(barrier);
    else this.#triggered.push(barrier);
  }

  channelEnded(channel: InputChannel): void {
    channel.finished = true;
    if (!this.channelsEnded) return;
    const triggered = this.#triggered;
    this.#triggered = [];
    for (const barrier of triggered) this.#task.checkpoint(barrier);
    this.#finishIfDone();
  }

  /** Nothing is left to commit. */
  release(): void {
    this.#mayFinish = true;
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#mayFinish && this.channelsEnded) this.#task.finish();
  }
}
