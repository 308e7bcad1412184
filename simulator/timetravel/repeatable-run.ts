import type { RunResult } from "../run-result.ts";
import type { World } from "../world/world.ts";

/** A run under way. Whoever is done with it calls `world.release()`. */
export interface SteppedRun {
  readonly world: World;
  /** One step; false where there is none left. */
  advance(): boolean;
}

/** A run that is judged. */
export interface JudgedRun extends SteppedRun {
  /** After the last step. */
  settle(): void;
  conclude(): RunResult;
}

/**
 * A run that can be begun as often as wanted, and goes the same way each time: every World that it gives takes the
 * same steps, to the bit of the digest.
 */
export interface RepeatableRun {
  /** With its oracles. */
  judged(): JudgedRun;
  /** Without them, which is faster. */
  plain(): SteppedRun;
}
