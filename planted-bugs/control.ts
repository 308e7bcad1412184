import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";

/** What one seed of a control gave. */
export interface ControlRun {
  /** Whatever the run consisted of, as a number in hexadecimal digits: equal for equal runs. */
  readonly digest: string;
  readonly findings: readonly { readonly oracle: string; readonly message: string }[];
}

/**
 * A seeded experiment with one component of the engine alone: for mistakes that no job can notice, because a
 * job begins again from its checkpoint wherever a reopened store would show them. Named like a scenario.
 */
export interface Control {
  readonly name: string;
  run(seed: string, libraries: StateLibraries): ControlRun;
}
