import type { TimestampMs } from "../base/units.ts";

/** Start of the tumbling window that holds a timestamp; windows start at `offsetMs` modulo `sizeMs` (> 0). */
export function windowStart(timestampMs: TimestampMs, offsetMs: number, sizeMs: number): TimestampMs {
  const remainder = (timestampMs - offsetMs) % sizeMs;
  return remainder < 0 ? timestampMs - (remainder + sizeMs) : timestampMs - remainder;
}
