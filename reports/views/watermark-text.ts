import type { TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";

/** Milliseconds, or what its bounds mean: nothing known yet, and the end of the input. */
export function watermarkText(watermarkMs: TimestampMs): string {
  if (watermarkMs <= MIN_WATERMARK) return "none";
  return watermarkMs >= MAX_WATERMARK ? "end" : String(watermarkMs);
}
