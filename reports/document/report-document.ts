import type { Finding, Profile, VerdictKind } from "../../simulator/run-result.ts";
import type { RunOptions } from "../../simulator/scenario.ts";
import type { FaultCounts } from "../sweep/run-seed.ts";
import type { RunRow, SweepEnd } from "../sweep/sweep.ts";
import type { Totals } from "../sweep/tally.ts";

export const REPORT_FORMAT = "whitewater-report";
export const REPORT_VERSION = 1;

/** Sums over the runs of one scenario and one row of the matrix (backend/mode/restore). */
export interface GroupReport {
  readonly combination: string;
  readonly totals: Totals;
}

export interface ScenarioReport {
  readonly name: string;
  readonly title: string;
  readonly totals: Totals;
  readonly groups: readonly GroupReport[];
  readonly faults: Readonly<Record<string, FaultCounts>>;
  /** Every declared path and every one that was reached, with how often. */
  readonly sometimes: Readonly<Record<string, number>>;
}

/** A combination of the matrix. */
export interface CellReport {
  /** "lsm/unaligned/local/fewer/job": backend, mode, restore strategy, parallelism after the restore, failover scope. */
  readonly combination: string;
  readonly runs: number;
  /** Runs that count: restored as the combination says, from a checkpoint that is not the first, with input still to come. */
  readonly covered: number;
  readonly failed: number;
}

export interface MatrixReport {
  readonly cells: readonly CellReport[];
  /** Combinations that cannot be, with the reason. */
  readonly invalid: readonly { readonly combination: string; readonly reason: string }[];
}

/** What `--profile crash-everywhere` tried in one scenario. */
export interface CrashReport {
  readonly scenario: string;
  /** The seed and the options that it was tried with. */
  readonly seed: string;
  readonly combination: string;
  /** Trace points of the run without faults: a crash may follow each of them. */
  readonly points: number;
  /** A point and a process that lives at it. */
  readonly crashes: number;
  /** Of these: what was to be tried, as what follows. What was, in a sweep that stopped early, its runs say. */
  readonly crashesRun: number;
  /** Runs with a second crash, during the recovery from the first. */
  readonly pairsRun: number;
  /** Input records of a run, and of the scenario as it is. */
  readonly records: number;
  readonly recordsWhole: number;
}

/** One finding of one run. */
export interface FindingReport extends Finding {
  readonly scenario: string;
  readonly combination: string;
  readonly seed: string;
  readonly verdict: VerdictKind;
}

/** A fault that fired, in words. */
export interface FaultLine {
  readonly atUs: number;
  /** "process crash worker-2". */
  readonly what: string;
  /** "after snapshotTaken of sum[1], checkpoint 4"; empty where the time says it. */
  readonly where: string;
}

/** All that is shown of a failing run. */
export interface FailureReport {
  readonly scenario: string;
  readonly combination: string;
  readonly seed: string;
  readonly verdict: VerdictKind;
  readonly digest: string;
  readonly findings: readonly Finding[];
  readonly faults: readonly FaultLine[];
  readonly faultsPlanned: number;
  readonly restoredFrom: number | null;
  /** Runs of this seed that were compared, and how many agreed. */
  readonly runs: number;
  readonly agreeing: number;
  /** Arguments of `whitewater` that show it again. */
  readonly reproduce: readonly string[];
  /** The run record's file, or null where none was written. */
  readonly record: string | null;
}

/** What a report says before the first run. */
export interface ReportHead {
  readonly tool: string;
  readonly profile: Profile;
  readonly fixed: Partial<RunOptions>;
  readonly seeds: {
    readonly first: string;
    readonly last: string;
    /** The commit that the first seed was derived from, or null. */
    readonly commit: string | null;
  };
}

/** The outcome of a sweep: what every renderer renders. Plain data, versioned. */
export interface ReportDocument extends ReportHead {
  readonly format: typeof REPORT_FORMAT;
  readonly version: typeof REPORT_VERSION;
  readonly end: SweepEnd;
  readonly exitCode: number;
  readonly totals: Totals;
  readonly scenarios: readonly ScenarioReport[];
  /** Of a sweep through the matrix; else null. */
  readonly matrix: MatrixReport | null;
  /** Of a sweep of crashes; else empty. */
  readonly crashes: readonly CrashReport[];
  readonly faults: Readonly<Record<string, FaultCounts>>;
  readonly sometimes: Readonly<Record<string, number>>;
  /** Findings of the failing runs that were kept whole. */
  readonly findings: readonly FindingReport[];
  readonly failures: readonly FailureReport[];
  /** All failing runs, kept or not. */
  readonly failureCount: number;
  /** Why scenarios are not determined by their seed; empty if nothing speaks against it. */
  readonly impure: readonly string[];
  /** Why the sweep proves nothing; empty if it proves something. */
  readonly vacuous: readonly string[];
  /** Each run; null where no reporter asked for them. */
  readonly runs: readonly RunRow[] | null;
}
