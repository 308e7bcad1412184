import { invariant } from "../base/assert.ts";
import { javaHash, murmurHash } from "../base/hash.ts";
import type { Key } from "../base/hash.ts";
import { MAX_PARALLELISM_LIMIT } from "../base/limits.ts";
import type { KeyGroup } from "../base/units.ts";
import type { KeyGroupRange } from "../state/keyed-backend.ts";

/** Least maximum parallelism that is derived from a parallelism (Flink: DEFAULT_LOWER_BOUND_MAX_PARALLELISM). */
const DEFAULT_MAX_PARALLELISM = 128;

/** The key group of a key: the unit in which keyed state moves between subtasks. */
export function keyGroupOf(key: Key, maxParallelism: number): KeyGroup {
  return murmurHash(javaHash(key)) % maxParallelism;
}

/** The key group of a key whose Java hash code is known. */
export function keyGroupOfHash(hash: number, maxParallelism: number): KeyGroup {
  return murmurHash(hash) % maxParallelism;
}

/** The subtask that owns a key group. */
export function subtaskOfKeyGroup(keyGroup: KeyGroup, maxParallelism: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** The key groups of subtask `index`: all those that `subtaskOfKeyGroup` gives it. */
export function keyGroupRange(maxParallelism: number, parallelism: number, index: number): KeyGroupRange {
  invariant(maxParallelism >= 1 && maxParallelism <= MAX_PARALLELISM_LIMIT, "max parallelism lies in [1, 32768]");
  invariant(parallelism >= 1 && parallelism <= maxParallelism, "parallelism lies in [1, max parallelism]");
  invariant(index >= 0 && index < parallelism, "a subtask index is below the parallelism");
  return {
    start: Math.floor((index * maxParallelism + parallelism - 1) / parallelism),
    end: Math.floor(((index + 1) * maxParallelism - 1) / parallelism),
  };
}

/** The maximum parallelism of a job that sets none: 1.5 times the parallelism, rounded up to a power of two. */
export function defaultMaxParallelism(parallelism: number): number {
  invariant(parallelism >= 1 && parallelism <= MAX_PARALLELISM_LIMIT, "parallelism lies in [1, 32768]");
  const wanted = parallelism + Math.floor(parallelism / 2);
  let power = DEFAULT_MAX_PARALLELISM;
  while (power < wanted && power < MAX_PARALLELISM_LIMIT) power *= 2;
  return power;
}
