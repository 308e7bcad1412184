import { invariant } from "../base/assert.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../base/units.ts";
import type { TimestampMs } from "../base/units.ts";

export interface WatermarkValveOutput {
  emitWatermark(watermarkMs: TimestampMs): void;
  /** true: no input is active any more; false: one is again. */
  emitIdle(idle: boolean): void;
}

/**
 * Combines the watermarks of a task's input channels (Flink: StatusWatermarkValve).
 *
 * The output is the minimum over the aligned channels: the active ones, except those that came back from
 * idleness with a watermark behind the output and have yet to catch up. It only ever grows. An idle channel
 * is left out of the minimum, and watermarks from it are ignored: a channel that has something to say must
 * become active first, its final MAX included. When the last active channel goes idle while it determined
 * the output, the greatest watermark of all channels is emitted, since nobody is left to hold it back.
 */
export class WatermarkValve {
  private readonly output: WatermarkValveOutput;
  private readonly watermarks: TimestampMs[];
  private readonly active: boolean[];
  private readonly aligned: boolean[];
  private activeCount: number;
  private lastMs: TimestampMs = MIN_WATERMARK;

  constructor(channelCount: number, output: WatermarkValveOutput) {
    invariant(channelCount >= 1, "a watermark valve has an input channel");
    this.output = output;
    this.watermarks = new Array<TimestampMs>(channelCount).fill(MIN_WATERMARK);
    this.active = new Array<boolean>(channelCount).fill(true);
    this.aligned = new Array<boolean>(channelCount).fill(true);
    this.activeCount = channelCount;
  }

  /** The watermark last emitted, MIN_WATERMARK before any. */
  get watermarkMs(): TimestampMs {
    return this.lastMs;
  }

  /** True while no channel is active. */
  get idle(): boolean {
    return this.activeCount === 0;
  }

  inputWatermark(channel: number, watermarkMs: TimestampMs): void {
    invariant(channel >= 0 && channel < this.active.length, "a watermark comes from a channel of the valve");
    if (!this.active[channel]! || watermarkMs <= this.watermarks[channel]!) return;
    this.watermarks[channel] = watermarkMs;
    if (!this.aligned[channel]! && watermarkMs >= this.lastMs) this.aligned[channel] = true;
    this.emitMinimum();
  }

  inputIdle(channel: number, idle: boolean): void {
    invariant(channel >= 0 && channel < this.active.length, "a status comes from a channel of the valve");
    if (idle === !this.active[channel]!) return;
    if (idle) this.deactivate(channel);
    else this.activate(channel);
  }

  private deactivate(channel: number): void {
    this.active[channel] = false;
    this.aligned[channel] = false;
    this.activeCount--;
    const determined = this.watermarks[channel]! === this.lastMs;
    if (this.activeCount > 0) {
      if (determined) this.emitMinimum();
      return;
    }
    if (determined) this.emitMaximum();
    this.output.emitIdle(true);
  }

  private activate(channel: number): void {
    this.active[channel] = true;
    this.aligned[channel] = this.watermarks[channel]! >= this.lastMs;
    this.activeCount++;
    if (this.activeCount === 1) this.output.emitIdle(false);
  }

  private emitMinimum(): void {
    let found = false;
    let minimum: TimestampMs = MAX_WATERMARK;
    for (let i = 0; i < this.watermarks.length; i++) {
      if (!this.aligned[i]!) continue;
      found = true;
      if (this.watermarks[i]! < minimum) minimum = this.watermarks[i]!;
    }
    // The minimum over no channel is no watermark at all.
    if (found && minimum > this.lastMs) this.emit(minimum);
  }

  private emitMaximum(): void {
    let maximum: TimestampMs = MIN_WATERMARK;
    for (const watermarkMs of this.watermarks) if (watermarkMs > maximum) maximum = watermarkMs;
    if (maximum > this.lastMs) this.emit(maximum);
  }

  private emit(watermarkMs: TimestampMs): void {
    this.lastMs = watermarkMs;
    this.output.emitWatermark(watermarkMs);
  }
}
