import type { RunOptions } from "#whitewater/simulator/scenario.js";

/** Replaces a text that stands in a source file of the engine exactly once. */
export interface Edit {
  /** From the root of the repository: "engine/runtime/task.ts". */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A real mistake, made again in the engine's source, and who should notice. */
export interface PlantedBug {
  readonly id: string;
  /** The issue in which Flink had it, where there is one. */
  readonly flink: string | null;
  /** What goes wrong, in one line. */
  readonly symptom: string;
  /**
   * Names of the oracles that may notice it: whatever else the runs report does not count.
   */
  readonly noticedBy: readonly string[];
  /** Of scenarios and controls. Swept in this order, seed by seed: each seed runs every one of them before the next seed. */
  readonly scenarios: readonly string[];
  /** Fixes what the seed would draw. */
  readonly fixed: Partial<RunOptions>;
  /** It has to be found within so many seeds; absent: SEEDS_TO_FIND. */
  readonly seedsToFind?: number;
  readonly edits: readonly Edit[];
}

/** A bug has to be found within so many seeds of an ordinary sweep. */
export const SEEDS_TO_FIND = 500;

/** One of the state backends and their disks: there is more that can go well by chance. */
export const STATE_SEEDS_TO_FIND = 1000;

/** The oracles that watch what a job computes. A bug that changes the result may be noticed by any of them. */
export const RESULT: readonly string[] = ["exactly-once state", "exactly-once output", "surviving history", "provenance"];
