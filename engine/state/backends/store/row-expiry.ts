import type { TimestampMs } from "../../../base/units.ts";
import type { RowFilter } from "../../ordered-store.ts";
import type { TtlConfig } from "../../ttl-config.ts";
import { keyGroupBytes, readStateId } from "./row-format.ts";
import type { StoredState } from "./stored-states.ts";

/** The varuint at `start`. */
export function varuintAt(bytes: Uint8Array, start: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return value;
}

/** Where it ends. */
export function varuintEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at]! >= 0x80) at++;
  return at + 1;
}

/** The age in ms from which on an item is expired; Infinity where it never is. */
export function expiryOf(ttl: TtlConfig | null, applies: boolean): number {
  return ttl !== null && applies ? ttl.ttlMs : Infinity;
}

/** True for an item of a state with a time to live (its last update stands first) that is expired. */
export function isExpiredItem(value: Uint8Array, itemStart: number, expiryMs: number, nowMs: TimestampMs): boolean {
  return expiryMs !== Infinity && nowMs - varuintAt(value, itemStart) >= expiryMs;
}

/**
 * Says which rows a compaction may drop: those of states with `cleanupInCompaction` whose last update is
 * expired. It is made before the store, which gets `accepts` as its filter, and handed to the backend, which
 * tells it about each state that is bound; rows of a state that no job bound are kept. Of a row it reads the
 * state id and the timestamp at the head of the item, no more.
 *
 * The clock is read for every row: a compaction in several slices drops what is expired by the time it comes
 * by. Dropping is invisible to a state that never returns expired elements, as Flink wants it.
 */
export class CompactionFilter {
  readonly accepts: RowFilter;
  private readonly expiries: number[] = [];
  private readonly isMap: boolean[] = [];

  constructor(maxParallelism: number, nowMs: () => TimestampMs) {
    const width = keyGroupBytes(maxParallelism);
    this.accepts = (key, value) => {
      const id = readStateId(key, width);
      const expiryMs = this.expiries[id];
      if (expiryMs === undefined || expiryMs === Infinity) return false;
      return isExpiredItem(value, this.isMap[id] === true ? varuintEnd(value, 0) : 0, expiryMs, nowMs());
    };
  }

  track({ id, kind, ttl }: StoredState): void {
    // No holes: what is looked up for every row stays an array of numbers.
    while (this.expiries.length <= id) {
      this.expiries.push(Infinity);
      this.isMap.push(false);
    }
    this.expiries[id] = expiryOf(ttl, ttl?.cleanupInCompaction === true);
    this.isMap[id] = kind === "map";
  }
}
