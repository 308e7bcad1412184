import { join } from "node:path";
import { STEPS_LIMIT } from "../../engine/base/limits.ts";
import type { FaultPlan } from "../../simulator/faults/fault.ts";
import { sourceArgument } from "../catalog/scenario-source.ts";
import { firedFaults } from "../document/fault-text.ts";
import type { FailureReport } from "../document/report-document.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { UsageError } from "../files/usage-error.ts";
import { recordFileName, recordOf, type RecordContext } from "../record/run-record.ts";
import { formatToken } from "../record/token.ts";
import type { FailedRun } from "../sweep/run-seed.ts";

export interface FailureInContext {
  readonly run: FailedRun;
  readonly context: RecordContext;
}

/** Where records go, and how the user wrote it. */
export interface RecordDirectory {
  readonly directory: string;
  readonly shown: string;
}

/**
 * What is shown of each failing run; writes their records. Where one cannot be written, the finding is
 * reported all the same, without a record; `onProblem` hears of the first.
 */
export function reportFailures(
  failures: readonly FailureInContext[],
  out: RecordDirectory,
  onProblem: (problem: string) => void,
): FailureReport[] {
  let problem: string | null = null;
  const reports = failures.map(({ run, context }) => {
    const record = recordOf(run, context);
    const name = recordFileName(record);
    try {
      const text = `${JSON.stringify(record, null, 2)}\n`;
      writeFileAtomically(join(out.directory, name), [text], "choose another directory with --out");
      return failureReport(run, context, join(out.shown, name));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problem ??= error.message;
      return failureReport(run, context, null);
    }
  });
  if (problem !== null) onProblem(problem);
  return reports;
}

/** What is shown of a failing run. */
export function failureReport(run: FailedRun, context: RecordContext, record: string | null): FailureReport {
  const { result } = run;
  return {
    scenario: result.scenario,
    combination: result.combination,
    seed: result.seed,
    verdict: result.verdict,
    digest: result.digest,
    findings: result.findings,
    faults: firedFaults(result),
    faultsPlanned: result.plan.length,
    restoredFrom: result.restoredFrom,
    runs: run.runs,
    agreeing: run.agreeing,
    reproduce: reproduceArguments(run, context, record),
    record,
  };
}

/** The token, and what it does not hold; the record, where no seed draws the plan. */
export function reproduceArguments({ result }: Pick<FailedRun, "result">, context: RecordContext, record: string | null): string[] {
  if (record !== null && !isDrawn(result.plan, context)) return ["replay", record];
  const { source, profile, maxSteps } = context;
  const token = formatToken(sourceArgument(source), result.combination, result.seed, result.digest);
  return [
    "replay",
    token,
    ...(profile === "swarm" ? [] : ["--profile", profile]),
    ...(maxSteps === STEPS_LIMIT ? [] : ["--max-steps", String(maxSteps)]),
    ...(source.input === null ? [] : ["--input", source.input.shown]),
  ];
}

/** A seed of that profile gives this plan. */
function isDrawn(plan: FaultPlan, { profile }: RecordContext): boolean {
  return profile === "calm" ? plan.length === 0 : profile !== "crash-everywhere";
}
