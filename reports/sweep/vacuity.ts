import type { Profile } from "../../simulator/run-result.ts";
import type { Totals } from "./tally.ts";

/** Runs of a scenario from which on every declared path must have been reached. */
export const SOMETIMES_RUNS = 200;
/** Runs from which on shares are judged; fewer say too little. */
export const SHARE_RUNS = 20;
export const EXPECTED_FAILURES_PERCENT = 5;
export const INEFFECTIVE_FAULTS_PERCENT = 20;

/**
 * Why the sweep of one scenario proves nothing, in sentences; empty if it proves something. A sweep that
 * ended before its last seed is judged by what it ran.
 */
export function vacuity(
  scenario: string,
  totals: Totals,
  declared: readonly string[],
  reached: ReadonlyMap<string, number>,
  profile: Profile,
): string[] {
  if (totals.runs === 0) return [`${scenario}: nothing ran`];
  const reasons: string[] = [];
  if (totals.runs >= SHARE_RUNS) reasons.push(...shareReasons(scenario, totals));
  if (profile === "swarm" && totals.runs >= SOMETIMES_RUNS) {
    const never = declared.filter((name) => (reached.get(name) ?? 0) === 0);
    if (never.length > 0) reasons.push(`${scenario}: never reached in ${totals.runs} runs: ${never.join(", ")}`);
  }
  return reasons;
}

function shareReasons(scenario: string, totals: Totals): string[] {
  const reasons: string[] = [];
  const expected = totals.verdicts["expected-failure"];
  if (expected * 100 > totals.runs * EXPECTED_FAILURES_PERCENT) {
    reasons.push(
      `${scenario}: ${expected} of ${totals.runs} runs ended as expected failures ` +
        `(more than ${EXPECTED_FAILURES_PERCENT}%)`,
    );
  }
  const { fired, dud, downgraded } = totals.faults;
  const planned = fired + dud + downgraded;
  if ((dud + downgraded) * 100 > planned * INEFFECTIVE_FAULTS_PERCENT) {
    reasons.push(
      `${scenario}: ${dud + downgraded} of ${planned} faults had no effect, ${dud} duds and ` +
        `${downgraded} downgraded (more than ${INEFFECTIVE_FAULTS_PERCENT}%)`,
    );
  }
  return reasons;
}
