/** What is to be seen of a run at some step: the facts, and the same as lines for people. */
export interface View {
  /** Plain data: what `--json` prints. */
  readonly facts: unknown;
  /** Without line ends. Text from records, names and keys in it has gone through `visible`. */
  readonly lines: readonly string[];
}
