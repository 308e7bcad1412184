import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";

/** Something wrong that a control saw. */
export interface ControlFinding {
  readonly oracle: string;
  readonly message: string;
}

/** What one seed of a control gave. */
export interface ControlRun {
  /** Whatever the run consisted of, as a number in hexadecimal digits: equal for equal runs. */
  readonly digest: string;
  readonly findings: readonly ControlFinding[];
}

/**
 * A seeded experiment with one component of the engine alone: for mistakes that no job can notice, because a
 * job begins again from its checkpoint wherever a reopened store would show them. Named like a scenario.
 */
export interface Control {
  readonly name: string;
  run(seed: string, libraries: StateLibraries): ControlRun;
}

const MESSAGE_LENGTH = 400;

/** What is said of an error that nobody expects. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(/\s+/g, " ").slice(0, MESSAGE_LENGTH);
}
