import type { Scenario } from "../../simulator/scenario.ts";
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import type { FaultCounts } from "../sweep/run-seed.ts";
import type { SweepOutcome } from "../sweep/sweep.ts";
import { sortedRecord, sumTotals, type Tally, type Totals } from "../sweep/tally.ts";
import { matrixReport, neverTwiceReasons, uncoveredReasons } from "./matrix-report.ts";
import { vacuity } from "../sweep/vacuity.ts";
import {
  REPORT_FORMAT,
  REPORT_VERSION,
  type CrashReport,
  type FailureReport,
  type FindingReport,
  type ReportDocument,
  type ReportHead,
  type ScenarioReport,
} from "./report-document.ts";

/** Makes the report of a sweep. `failures` are those that the outcome kept, in its order. */
export function buildDocument(
  head: ReportHead,
  scenarios: readonly Scenario[],
  outcome: SweepOutcome,
  impure: readonly string[],
  failures: readonly FailureReport[],
  crashes: readonly CrashReport[] = [],
): ReportDocument {
  const totals = sumTotals(outcome.tallies.map((tally) => tally.totals));
  const vacuous = vacuousReasons(head, scenarios, outcome, totals);
  return {
    format: REPORT_FORMAT,
    version: REPORT_VERSION,
    ...head,
    end: outcome.end,
    exitCode: exitCodeOf(outcome, totals, impure, vacuous),
    totals,
    scenarios: scenarios.map((scenario, i) => scenarioReport(scenario, outcome.tallies[i] as Tally)),
    matrix: head.profile === "matrix" ? matrixReport(outcome) : null,
    crashes,
    faults: mergeFaults(outcome.tallies),
    sometimes: mergeSometimes(scenarios, outcome.tallies),
    findings: failures.flatMap(findingsOf),
    failures,
    failureCount: outcome.failureCount,
    impure,
    vacuous,
    runs: outcome.runs,
  };
}

function scenarioReport(scenario: Scenario, tally: Tally): ScenarioReport {
  return {
    name: scenario.name,
    title: scenario.title,
    totals: tally.totals,
    groups: Object.entries(sortedRecord(tally.groups)).map(([combination, totals]) => ({ combination, totals })),
    faults: sortedRecord(tally.faults),
    sometimes: withDeclared(scenario.sometimes, tally.sometimes),
  };
}

/** The declared paths that the runs could reach: some need a certain option, and count once that was drawn. */
function declaredIn({ sometimes, sometimesWith = {} }: Scenario, tally: Tally): readonly string[] {
  const conditional = new Set(Object.values(sometimesWith).flat());
  return [...sometimes, ...[...conditional].filter((name) => tally.sometimes.has(name))];
}

function withDeclared(declared: readonly string[], reached: ReadonlyMap<string, number>): Record<string, number> {
  return sortedRecord([...declared.map((name) => [name, 0] as const), ...reached]);
}

function mergeFaults(tallies: readonly Tally[]): Record<string, FaultCounts> {
  const sums = new Map<string, FaultCounts>();
  for (const tally of tallies) {
    for (const [kind, counts] of tally.faults) {
      const sum = sums.get(kind) ?? { fired: 0, dud: 0, downgraded: 0 };
      sums.set(kind, {
        fired: sum.fired + counts.fired,
        dud: sum.dud + counts.dud,
        downgraded: sum.downgraded + counts.downgraded,
      });
    }
  }
  return sortedRecord(sums);
}

function mergeSometimes(scenarios: readonly Scenario[], tallies: readonly Tally[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const scenario of scenarios) for (const name of scenario.sometimes) sums.set(name, 0);
  for (const tally of tallies) {
    for (const [name, times] of tally.sometimes) sums.set(name, (sums.get(name) ?? 0) + times);
  }
  return sortedRecord(sums);
}

function findingsOf(failure: FailureReport): FindingReport[] {
  const { scenario, combination, seed, verdict } = failure;
  return failure.findings.map((finding) => ({ scenario, combination, seed, verdict, ...finding }));
}

function vacuousReasons(
  head: ReportHead,
  scenarios: readonly Scenario[],
  outcome: SweepOutcome,
  totals: Totals,
): string[] {
  if (totals.runs === 0) return ["nothing ran"];
  const isWhole = outcome.end === "complete" || outcome.end === "time";
  const uncovered = isWhole ? uncoveredReasons(outcome.cells) : [];
  if (isWhole && head.profile === "matrix") uncovered.push(...neverTwiceReasons(outcome.tallies));
  const ofScenarios = scenarios.flatMap((scenario, i) => {
    const tally = outcome.tallies[i] as Tally;
    // A sweep that stopped early never came to its last scenarios.
    if (tally.totals.runs === 0 && (outcome.end === "bail" || outcome.end === "interrupted")) return [];
    // In a short range no seed's turn may come to a job of the matrix; what that leaves out, its cells say.
    if (tally.totals.runs === 0 && head.profile === "matrix") return [];
    return vacuity(scenario.name, tally.totals, declaredIn(scenario, tally), tally.sometimes, head.profile);
  });
  return [...ofScenarios, ...uncovered];
}

/**
 * The worst of what was seen: what is not deterministic comes before a violation, because nothing else can
 * be believed then.
 */
function exitCodeOf(
  outcome: SweepOutcome,
  totals: Totals,
  impure: readonly string[],
  vacuous: readonly string[],
): ExitCode {
  const { verdicts } = totals;
  if (outcome.end === "interrupted") return EXIT.interrupted;
  if (verdicts.diverged > 0 || impure.length > 0) return EXIT.notDeterministic;
  if (verdicts.violation + verdicts.crashed + verdicts["invalid-plan"] > 0) return EXIT.violation;
  if (verdicts.stuck > 0) return EXIT.stuck;
  return vacuous.length > 0 ? EXIT.vacuous : EXIT.ok;
}
