import type { RunResult } from "../run-result.ts";
import type { World } from "../world/world.ts";
import type { JudgedRun, RepeatableRun, SteppedRun } from "./repeatable-run.ts";

/** The same run up to the end of a step, and from there with the randomness of another seed. Judged as the run is. */
export function reseededRun(run: RepeatableRun, step: number, seed: string): RepeatableRun {
  return {
    judged: () => new ReseededJudged(run.judged(), step, seed),
    plain: () => new Reseeded(run.plain(), step, seed),
  };
}

class Reseeded<R extends SteppedRun> implements SteppedRun {
  protected readonly run: R;
  readonly #step: number;
  readonly #seed: string;

  constructor(run: R, step: number, seed: string) {
    this.run = run;
    this.#step = step;
    this.#seed = seed;
  }

  get world(): World {
    return this.run.world;
  }

  advance(): boolean {
    const { world } = this.run;
    if (world.kernel.stepNumber === this.#step) world.reseed(this.#seed);
    return this.run.advance();
  }
}

class ReseededJudged extends Reseeded<JudgedRun> implements JudgedRun {
  settle(): void {
    this.run.settle();
  }

  conclude(): RunResult {
    return this.run.conclude();
  }
}
