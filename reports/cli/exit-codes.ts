/** What the command's exit status says. */
export const EXIT = {
  ok: 0,
  violation: 1,
  usage: 2,
  stuck: 3,
  notDeterministic: 4,
  vacuous: 5,
  stale: 6,
  internal: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODE_HELP = `
Exit codes:
  0    ok
  1    violation found (also: a run crashed, or its fault plan was not valid)
  2    wrong usage or configuration
  3    a run got stuck
  4    a run was not deterministic
  5    vacuous: nothing ran, a declared path was never reached, or too few faults had an effect
  6    stale record: it no longer applies, or gives another digest or verdict
  70   internal error
  130  interrupted (what was found so far is reported and kept)
`;
