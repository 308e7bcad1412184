import type { World } from "../world/world.ts";
import type { RepeatableRun, SteppedRun } from "./repeatable-run.ts";
import type { RunTape } from "./run-tape.ts";

/** Where a run that is taken again is not the run on the tape any more. */
export interface Deviation {
  /** The first step after which it was noticed; it came about at most 64 steps before. */
  readonly step: number;
  readonly expected: string;
  readonly actual: string;
}

/** A run that stands still at the end of some step, and is compared with its tape whenever it moves on. */
export class PausedRun {
  readonly #tape: RunTape;
  readonly #run: SteppedRun;
  #deviation: Deviation | null = null;

  constructor(run: RepeatableRun, tape: RunTape) {
    this.#tape = tape;
    this.#run = run.plain();
    this.#compare();
  }

  get world(): World {
    return this.#run.world;
  }

  get step(): number {
    return this.#run.world.kernel.stepNumber;
  }

  /** The first one; null as long as all was as it was. */
  get deviation(): Deviation | null {
    return this.#deviation;
  }

  /** Goes on to this step, or as far as there are any. */
  moveTo(step: number): void {
    const { kernel } = this.#run.world;
    while (kernel.stepNumber < step) {
      const moved = this.#run.advance();
      this.#compare();
      if (moved) continue;
      this.#deviation ??= { step: kernel.stepNumber, expected: `${step} steps`, actual: `${kernel.stepNumber} steps` };
      return;
    }
  }

  release(): void {
    this.#run.world.release();
  }

  #compare(): void {
    const { kernel } = this.#run.world;
    const expected = this.#tape.digestAt(kernel.stepNumber);
    if (expected === null || this.#deviation !== null) return;
    const actual = kernel.digest.hex();
    if (actual !== expected) this.#deviation = { step: kernel.stepNumber, expected, actual };
  }
}
