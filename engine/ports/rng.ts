/** A named stream of integers, derived from (seed, label). */
export interface RandomStream {
  /** Uniform in 0 … bound-1 (bound a whole number from 1 to 2^32); a bound of 1 draws nothing. */
  below(bound: number): number;
}

/**
 * Randomness. Promises: the same seed and label give the same sequence, whatever else was drawn. The
 * caller takes one stream for each concern and component, so that a new draw in one place shifts no other.
 */
export interface Rng {
  stream(label: string): RandomStream;
}
