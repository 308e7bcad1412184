import type { TimestampMs } from "../base/units.ts";

/** Makes the watermark of one source partition. One object a partition and attempt. */
export interface WatermarkGenerator {
  onEvent(timestampMs: TimestampMs): void;
  /** The watermark as it stands now; only a larger one than before is emitted. */
  currentWatermarkMs(): TimestampMs;
}

/**
 * How event time comes into being, as Flink's WatermarkStrategy: timestamps, a generator for each
 * partition, and after how long without records a partition counts as idle.
 */
export interface WatermarkStrategy<T> {
  readonly createGenerator: () => WatermarkGenerator;
  /** Replaces the timestamp that came with the record; null keeps it. */
  readonly timestampOf: ((value: T, recordTimestampMs: TimestampMs) => TimestampMs) | null;
  /** Milliseconds without records after which a partition is idle; null: never. */
  readonly idleAfterMs: number | null;
}
