import type { WatermarkGenerator, WatermarkStrategy } from "../api/watermark-strategy.ts";
import { invariant } from "../base/assert.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../base/units.ts";
import type { TimestampMs } from "../base/units.ts";

/** Expects records at most `boundMs` behind the greatest timestamp seen (Flink: BoundedOutOfOrdernessWatermarks). */
export class BoundedOutOfOrdernessWatermarks implements WatermarkGenerator {
  private readonly boundMs: number;
  private maxTimestampMs: TimestampMs = MIN_WATERMARK;

  constructor(boundMs: number) {
    invariant(Number.isSafeInteger(boundMs) && boundMs >= 0, "out-of-orderness is a whole number of milliseconds");
    this.boundMs = boundMs;
  }

  onEvent(timestampMs: TimestampMs): void {
    if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs;
  }

  currentWatermarkMs(): TimestampMs {
    const watermarkMs = this.maxTimestampMs - this.boundMs - 1;
    return watermarkMs > MIN_WATERMARK ? watermarkMs : MIN_WATERMARK;
  }
}

/** Expects timestamps that never go back (Flink: AscendingTimestampsWatermarks). */
export class AscendingTimestampsWatermarks extends BoundedOutOfOrdernessWatermarks {
  constructor() {
    super(0);
  }
}

/**
 * The watermark of one source subtask over its partitions (Flink: WatermarkOutputMultiplexer with
 * WatermarksWithIdleness): the minimum over the active partitions, and never less than before.
 *
 * A partition is idle when more than `idleAfterMs` passed without a record from it, counted from
 * `startedAtMs` before its first; any record makes it active again. An ended partition leaves the set.
 * While no partition is active the subtask is idle and its watermark stays where it is: the minimum over
 * nothing is never taken for the end of time. Time comes in with every call, in whole milliseconds; the
 * answers depend on nothing else.
 */
export class PartitionWatermarks {
  private readonly idleAfterMs: number;
  /** By slot; null once the partition ended. */
  private readonly generators: (WatermarkGenerator | null)[] = [];
  private readonly lastRecordMs: number[] = [];
  /** Slot of a partition, -1 where it is not ours. */
  private readonly slots: number[] = [];
  private lastMs: TimestampMs = MIN_WATERMARK;

  constructor(
    strategy: Pick<WatermarkStrategy<never>, "createGenerator" | "idleAfterMs">,
    partitions: readonly number[],
    startedAtMs: number,
  ) {
    this.idleAfterMs = strategy.idleAfterMs ?? Infinity;
    for (const partition of partitions) {
      while (this.slots.length <= partition) this.slots.push(-1);
      invariant(this.slots[partition] === -1, "a partition is listed once");
      this.slots[partition] = this.generators.length;
      this.generators.push(strategy.createGenerator());
      this.lastRecordMs.push(startedAtMs);
    }
  }

  /** Records of a partition come now: gives the generator that is to see each of them. */
  recordsFrom(partition: number, nowMs: number): WatermarkGenerator {
    const slot = this.slots[partition] ?? -1;
    const generator = this.generators[slot] ?? null;
    invariant(generator !== null, "records come from partitions of this subtask that have not ended");
    this.lastRecordMs[slot] = nowMs;
    return generator;
  }

  /** The partition will give no record any more and holds nothing back. */
  onEnded(partition: number): void {
    const slot = this.slots[partition] ?? -1;
    invariant(slot >= 0, "only a partition of this subtask can end");
    this.generators[slot] = null;
  }

  /** The watermark as of `nowMs`; MIN_WATERMARK where nothing is known. */
  watermarkMs(nowMs: number): TimestampMs {
    let minimum: TimestampMs = MAX_WATERMARK;
    let found = false;
    for (let slot = 0; slot < this.generators.length; slot++) {
      if (!this.isActive(slot, nowMs)) continue;
      const watermarkMs = this.generators[slot]!.currentWatermarkMs();
      found = true;
      if (watermarkMs < minimum) minimum = watermarkMs;
    }
    if (found && minimum > this.lastMs) this.lastMs = minimum;
    return this.lastMs;
  }

  /** True while no partition is active: because all are idle or ended, or because there is none. */
  isIdle(nowMs: number): boolean {
    for (let slot = 0; slot < this.generators.length; slot++) if (this.isActive(slot, nowMs)) return false;
    return true;
  }

  private isActive(slot: number, nowMs: number): boolean {
    return this.generators[slot] !== null && nowMs - this.lastRecordMs[slot]! <= this.idleAfterMs;
  }
}
