/** The options of `replay` as the command line gives them. */
export interface RawReplayOptions {
  readonly profile: string;
  readonly maxSteps?: string;
  readonly input?: string;
  readonly json?: boolean;
  readonly color: boolean;
}
