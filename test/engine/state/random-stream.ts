import type { RandomStream } from "#whitewater/engine/ports/rng.js";

/** A small stream of integers for tests: the same seed gives the same numbers. */
export function randomStream(seed: number): RandomStream {
  let state = seed >>> 0;
  return {
    below(bound: number): number {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 4294967296) * bound);
    },
  };
}
