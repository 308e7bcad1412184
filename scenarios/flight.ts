import type { TimestampMs } from "../engine/base/units.ts";

/** One flight, as the scenarios about flights read it. Frozen. */
export interface Flight {
  /** Local date and time, read as if it were UTC, in milliseconds since 1970. */
  readonly departureMs: TimestampMs;
  /** Whole minutes; negative: early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  /** Airport code, "ORD". */
  readonly origin: string;
  readonly destination: string;
}

export const MINUTE_MS: number = 60_000;
export const HOUR_MS: number = 60 * MINUTE_MS;
export const DAY_MS: number = 24 * HOUR_MS;
