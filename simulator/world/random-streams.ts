import seedrandom from "seedrandom";
import { invariant } from "../../engine/base/assert.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";

const TWO_32 = 4294967296;

/** One stream. Created on its first draw, because most streams of a run are never drawn from. */
class SeededStream implements RandomStream {
  readonly label: string;
  #seed: string;
  #next: (() => number) | null = null;
  draws = 0;

  constructor(seed: string, label: string) {
    this.#seed = seed;
    this.label = label;
  }

  below(bound: number): number {
    invariant(bound >= 1 && bound <= TWO_32, "a bound lies between 1 and 2^32");
    // A forced choice draws nothing.
    if (bound === 1) return 0;
    this.draws += 1;
    if (this.#next === null) this.#next = seedrandom.tychei(`${this.#seed}/${this.label}`).int32;
    return Math.floor(((this.#next() >>> 0) / TWO_32) * bound);
  }

  reseed(seed: string): void {
    this.#seed = seed;
    this.#next = null;
  }
}

/**
 * All random streams of a run: one for each label, derived from (seed, label), so that a new draw in one
 * place shifts no other. What is below 2^32 is drawn from 32 bits; the bias is below one in 2^32/bound.
 */
export class RandomStreams {
  readonly #streams = new Map<string, SeededStream>();
  #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
  }

  stream(label: string): RandomStream {
    let stream = this.#streams.get(label);
    if (stream === undefined) {
      stream = new SeededStream(this.#seed, label);
      this.#streams.set(label, stream);
    }
    return stream;
  }

  /** From here on every stream goes on as if the run had this seed. */
  reseed(seed: string): void {
    this.#seed = seed;
    for (const stream of this.#streams.values()) stream.reseed(seed);
  }

  /** For inspection: labels with their number of draws, sorted. */
  draws(): readonly { readonly label: string; readonly draws: number }[] {
    const all = [...this.#streams.values()].map(({ label, draws }) => ({ label, draws }));
    return all.sort((left, right) => (left.label < right.label ? -1 : 1));
  }
}
