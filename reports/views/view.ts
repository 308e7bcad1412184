import type { Line } from "./line.ts";

/** What is to be seen of a run at some step: the facts, and the same as lines for people. */
export interface View {
  /** Plain data: what `--json` prints. */
  readonly facts: unknown;
  readonly lines: readonly Line[];
}
