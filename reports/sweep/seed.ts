import { UsageError } from "../files/usage-error.ts";

const SEED_LIMIT = 1n << 64n;
const COMMIT_HASH = /^[0-9a-f]{40}$/i;
const SEED_FORMS = "give a whole number below 2^64 (7880408371515809323), hexadecimal (0x1f) or a 40-digit commit hash";
const RANGE_FORMS = "give a seed (7), or first and last of a range (1-5000, 0x1f-0x2f)";

/** Seeds from `first` to `last`, both included; first <= last. */
export interface SeedRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** The seed of a commit: its first 64 bits. */
export function seedOfCommit(hash: string): bigint {
  return BigInt(`0x${hash.slice(0, 16)}`);
}

/** A seed as written by people; throws UsageError that names `input`. */
export function parseSeed(text: string, input: string): bigint {
  if (COMMIT_HASH.test(text)) return seedOfCommit(text);
  if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(text)) throw new UsageError(input, "is no seed", SEED_FORMS);
  const seed = BigInt(text.toLowerCase());
  if (seed >= SEED_LIMIT) throw new UsageError(input, "is beyond 2^64 - 1", SEED_FORMS);
  return seed;
}

/** A range of seeds as written by people; throws UsageError that names `input`. */
export function parseSeedRange(text: string, input: string): SeedRange {
  const parts = text.split("-");
  if (parts.length > 2 || parts.some((part) => part === "")) {
    throw new UsageError(input, "is no range of seeds", RANGE_FORMS);
  }
  const first = parseSeed(parts[0] ?? "", input);
  const last = parts.length === 2 ? parseSeed(parts[1] ?? "", input) : first;
  if (last < first) throw new UsageError(input, "ends before it starts", `write ${last}-${first}`);
  return { first, last };
}

/** `count` seeds from `first` on, moved down where they would pass the last u64. */
export function rangeFrom(first: bigint, count: bigint): SeedRange {
  const start = first + count > SEED_LIMIT ? SEED_LIMIT - count : first;
  return { first: start, last: start + count - 1n };
}

/** As long as a range can be: for sweeps that end by time. */
export function endlessRange(first: bigint): SeedRange {
  return { first, last: SEED_LIMIT - 1n };
}

/** True for the share of seeds (in millionths) that a hash of the seed selects, whatever else is swept. */
export function isSelfChecked(seed: string, shareMillionths: number): boolean {
  return isDrawn(seed, shareMillionths);
}

/** True for the share of seeds whose checkpoints are each restored; other ones than those that are self-checked. */
export function isRestoredEvery(seed: string, shareMillionths: number): boolean {
  return isDrawn(`every ${seed}`, shareMillionths);
}

function isDrawn(text: string, shareMillionths: number): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  // One more round of mixing: neighbouring seeds differ only in the last digit.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = (hash ^ (hash >>> 12)) >>> 0;
  return hash % 1_000_000 < shareMillionths;
}
