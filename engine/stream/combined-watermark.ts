import { invariant } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../base/units.ts";

/**
 * The watermark of an operator with several inputs (Flink: IndexedCombinedWatermarkStatus): the least of those
 * inputs that are not idle. It only ever grows. An input that comes back from idleness behind it holds it where
 * it is until that input has caught up; an input that gives a watermark is not idle.
 */
export class CombinedWatermark {
  readonly #watermarks: TimestampMs[];
  readonly #idle: boolean[];
  #combinedMs: TimestampMs = MIN_WATERMARK;
  #allIdle = false;

  constructor(inputs: number) {
    invariant(inputs >= 1, "a combined watermark has an input");
    this.#watermarks = new Array<TimestampMs>(inputs).fill(MIN_WATERMARK);
    this.#idle = new Array<boolean>(inputs).fill(false);
  }

  get watermarkMs(): TimestampMs {
    return this.#combinedMs;
  }

  /** True while no input is active. */
  get idle(): boolean {
    return this.#allIdle;
  }

  /** True if the combined watermark rose. */
  updateWatermark(input: number, watermarkMs: TimestampMs): boolean {
    this.#idle[input] = false;
    if (watermarkMs > (this.#watermarks[input] as TimestampMs)) this.#watermarks[input] = watermarkMs;
    return this.#update();
  }

  /** True if the combined watermark rose. */
  updateIdle(input: number, idle: boolean): boolean {
    this.#idle[input] = idle;
    return this.#update();
  }

  #update(): boolean {
    let least: TimestampMs = MAX_WATERMARK;
    let allIdle = true;
    for (let input = 0; input < this.#watermarks.length; input += 1) {
      if (this.#idle[input] === true) continue;
      allIdle = false;
      const watermarkMs = this.#watermarks[input] as TimestampMs;
      if (watermarkMs < least) least = watermarkMs;
    }
    this.#allIdle = allIdle;
    if (allIdle || least <= this.#combinedMs) return false;
    this.#combinedMs = least;
    return true;
  }
}
