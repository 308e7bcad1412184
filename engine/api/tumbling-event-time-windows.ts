import { JobDefinitionError, requireWholeMs } from "./job-definition-error.ts";

/** Windows [start, start + sizeMs) that neither overlap nor leave gaps, with starts at offsetMs modulo sizeMs. */
export class TumblingEventTimeWindows {
  readonly sizeMs: number;
  readonly offsetMs: number;

  private constructor(sizeMs: number, offsetMs: number) {
    this.sizeMs = sizeMs;
    this.offsetMs = offsetMs;
  }

  /** As in Flink: the size is positive and the offset smaller than the size, in either direction. */
  static of(sizeMs: number, offsetMs: number = 0): TumblingEventTimeWindows {
    const what = "TumblingEventTimeWindows.of";
    requireWholeMs(sizeMs, 1, what, "the window size");
    requireWholeMs(offsetMs, Number.MIN_SAFE_INTEGER, what, "the window offset");
    if (Math.abs(offsetMs) >= sizeMs) {
      throw new JobDefinitionError(
        what,
        `the offset ${offsetMs} ms is not smaller than the window size ${sizeMs} ms`,
        "Use an offset between -size and size, both excluded",
      );
    }
    return new TumblingEventTimeWindows(sizeMs, offsetMs);
  }
}
