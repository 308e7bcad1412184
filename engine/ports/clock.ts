import type { TimestampMs, TimeUs } from "../base/units.ts";

/**
 * Virtual time.
 *
 * Promises: `nowUs` never goes back within one process. May go wrong: `processingTimeMs` is the host's
 * wall clock and may be skewed, drift or jump. The caller must not assume that two hosts agree on it, nor
 * that little time passed between two steps (the process may have been paused).
 */
export interface Clock {
  nowUs(): TimeUs;
  processingTimeMs(): TimestampMs;
}
