import type { TimestampMs } from "../base/units.ts";
import { MIN_WATERMARK } from "../base/units.ts";
import { AscendingTimestampsWatermarks, BoundedOutOfOrdernessWatermarks } from "../stream/watermark-generators.ts";
import { requireFunction, requireWholeMs } from "./job-definition-error.ts";
import type { WatermarkGenerator, WatermarkStrategy } from "./watermark-strategy.ts";

const WHERE = "watermark strategy";

/** A watermark strategy that can be refined: each call gives a new one. */
export class WatermarkStrategyBuilder<T> implements WatermarkStrategy<T> {
  readonly createGenerator: () => WatermarkGenerator;
  readonly timestampOf: ((value: T, recordTimestampMs: TimestampMs) => TimestampMs) | null;
  readonly idleAfterMs: number | null;

  constructor(strategy: WatermarkStrategy<T>) {
    this.createGenerator = strategy.createGenerator;
    this.timestampOf = strategy.timestampOf;
    this.idleAfterMs = strategy.idleAfterMs;
  }

  /** Takes the timestamp from the value (whole milliseconds) instead of the one the record came with. */
  withTimestampAssigner<U extends T>(timestampOf: (value: U, recordTimestampMs: TimestampMs) => TimestampMs): WatermarkStrategyBuilder<U> {
    requireFunction(timestampOf, WHERE, "the timestamp assigner");
    const { createGenerator, idleAfterMs } = this;
    return new WatermarkStrategyBuilder<U>({ createGenerator, timestampOf, idleAfterMs });
  }

  /** A partition without records for longer than this holds nobody back. */
  withIdleness(idleAfterMs: number): WatermarkStrategyBuilder<T> {
    requireWholeMs(idleAfterMs, 1, WHERE, "the idle timeout");
    const { createGenerator, timestampOf } = this;
    return new WatermarkStrategyBuilder<T>({ createGenerator, timestampOf, idleAfterMs });
  }
}

/** Where strategies begin, as the static methods of Flink's WatermarkStrategy. */
export const WatermarkStrategies = {
  /** Records are at most `boundMs` behind the greatest timestamp of their partition. */
  forBoundedOutOfOrderness<T = unknown>(boundMs: number): WatermarkStrategyBuilder<T> {
    requireWholeMs(boundMs, 0, WHERE, "the out-of-orderness");
    return startingWith<T>(() => new BoundedOutOfOrdernessWatermarks(boundMs));
  },
  /** Timestamps of a partition never go back. */
  forMonotonousTimestamps<T = unknown>(): WatermarkStrategyBuilder<T> {
    return startingWith<T>(() => new AscendingTimestampsWatermarks());
  },
  /** No watermark before the end of the input. */
  noWatermarks<T = unknown>(): WatermarkStrategyBuilder<T> {
    return startingWith<T>(() => NO_WATERMARKS);
  },
  forGenerator<T = unknown>(createGenerator: () => WatermarkGenerator): WatermarkStrategyBuilder<T> {
    requireFunction(createGenerator, WHERE, "the generator's maker");
    return startingWith<T>(createGenerator);
  },
} as const;

/** Keeps nothing, so everybody may share it. */
const NO_WATERMARKS: WatermarkGenerator = {
  onEvent: () => undefined,
  currentWatermarkMs: () => MIN_WATERMARK,
};

function startingWith<T>(createGenerator: () => WatermarkGenerator): WatermarkStrategyBuilder<T> {
  return new WatermarkStrategyBuilder<T>({ createGenerator, timestampOf: null, idleAfterMs: null });
}
