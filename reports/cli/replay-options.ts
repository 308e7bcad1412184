import type { RawTargetOptions } from "./replay-target.ts";

/** The options of `replay` as the command line gives them. */
export interface RawReplayOptions extends RawTargetOptions {
  /** Where to stop and look: "612", "1.7s", "ckpt 4", "violation". */
  readonly at?: string;
  /** What to look at: "graph", "state:sum", … */
  readonly show?: string;
  readonly json?: boolean;
  readonly color: boolean;
}
