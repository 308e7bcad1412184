import type { TimestampMs } from "../../base/units.ts";
import type { TtlValue as TtlValueOf } from "../serializers/ttl-serializer.ts";
import type { TtlConfig } from "../ttl-config.ts";

/** A value, an element, a map's value or an accumulator, with the processing time of its last update. */
export type TtlValue = TtlValueOf<unknown>;

/** The processing time of the subtask's host. */
export interface TtlClock {
  processingTimeMs(): TimestampMs;
}

/** True from exactly `lastUpdateMs + ttlMs` on. The difference, unlike the sum, cannot be too large to be exact. */
export function isExpiredAt(lastUpdateMs: TimestampMs, ttlMs: number, nowMs: TimestampMs): boolean {
  return nowMs - lastUpdateMs >= ttlMs;
}

export function isExpired(element: TtlValue, ttl: TtlConfig, nowMs: TimestampMs): boolean {
  return isExpiredAt(element.lastUpdateMs, ttl.ttlMs, nowMs);
}
