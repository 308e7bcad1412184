import { ByteReader } from "../../base/bytes.ts";
import type { TimestampMs } from "../../base/units.ts";
import type { TtlConfig } from "../ttl-config.ts";
import { isExpired, isExpiredAt } from "./ttl-value.ts";
import type { TtlValue } from "./ttl-value.ts";

/*
 * What clean-up drops, for any backend. All of it is invisible where expired state is never returned.
 */

/** The elements of a list that are not expired; the very same list where none is. */
export function unexpiredElements(
  elements: readonly TtlValue[],
  ttl: TtlConfig,
  nowMs: TimestampMs,
): readonly TtlValue[] {
  if (!elements.some((element) => isExpired(element, ttl, nowMs))) return elements;
  return elements.filter((element) => !isExpired(element, ttl, nowMs));
}

/** The entries of a map that are not expired, in their order. */
export function unexpiredPairs<P extends readonly [unknown, unknown]>(
  pairs: Iterable<P>,
  ttl: TtlConfig,
  nowMs: TimestampMs,
): readonly P[] {
  const kept: P[] = [];
  for (const pair of pairs) if (!isExpired(pair[1] as TtlValue, ttl, nowMs)) kept.push(pair);
  return kept;
}

/** Whether the item (of a schema of type "ttl") that begins at `start` is expired at `nowMs`. */
export type TtlItemFilter = (bytes: Uint8Array, start: number, nowMs: TimestampMs) => boolean;

/**
 * For compaction: tells from the time at the head of an item, without reading the value behind it, whether
 * the item may be dropped. Throws CorruptBytesError where no item can begin. Compaction is not to drop what
 * the time to live of the state does not allow it to (`cleanupInCompaction`): then nothing is expired.
 */
export function ttlRowFilter(ttl: TtlConfig): TtlItemFilter {
  const { ttlMs, cleanupInCompaction } = ttl;
  if (!cleanupInCompaction) return () => false;
  return (bytes, start, nowMs) => isExpiredAt(new ByteReader(bytes, start).varuint(), ttlMs, nowMs);
}
