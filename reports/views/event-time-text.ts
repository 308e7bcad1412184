import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import type { TimestampMs } from "../../engine/base/units.ts";

/** Timestamps from here on, in either direction, are taken for dates. */
const FIRST_DATE_MS = 100_000_000_000;
/** Furthest that a calendar reaches. */
const LAST_DATE_MS = 8_640_000_000_000_000;

/** Event time as a person reads it: "12.5s" since zero, or the date that it is, as far as it says something. */
export function eventTimeText(timestampMs: TimestampMs): string {
  const distance = Math.abs(timestampMs);
  if (distance < FIRST_DATE_MS || distance > LAST_DATE_MS) return `${timestampMs / 1000}s`;
  return new Date(timestampMs).toISOString().replace(/T00:00:00\.000Z$/, "").replace(/\.000Z$/, "Z");
}

/** The same of a watermark, or the words for those that are no time. */
export function watermarkText(watermarkMs: TimestampMs): string {
  if (watermarkMs === MIN_WATERMARK) return "none yet";
  return watermarkMs === MAX_WATERMARK ? "MAX" : eventTimeText(watermarkMs);
}
