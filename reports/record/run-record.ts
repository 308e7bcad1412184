import { createHash } from "node:crypto";
import type { FaultPlan } from "../../simulator/faults/fault.ts";
import type { Finding, Profile, VerdictKind } from "../../simulator/run-result.ts";
import type { RunOptions } from "../../simulator/scenario.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import type { FailedRun } from "../sweep/run-seed.ts";

export const RECORD_FORMAT = "whitewater-record";
export const RECORD_VERSION = 1;

/** Everything needed to make one run happen again, and what it gave. */
export interface RunRecord {
  readonly format: typeof RECORD_FORMAT;
  readonly version: typeof RECORD_VERSION;
  /** Version of whitewater that wrote it. */
  readonly tool: string;
  readonly scenario: {
    readonly name: string;
    /** The user's own scenario file, as it was given; null: it comes with whitewater. */
    readonly file: string | null;
    /** The file given by --input, or null. */
    readonly input: string | null;
  };
  readonly combination: string;
  readonly options: RunOptions;
  /** The options that were fixed rather than drawn. */
  readonly fixed: Partial<RunOptions>;
  /** Decimal u64. */
  readonly seed: string;
  readonly profile: Profile;
  readonly checked: boolean;
  readonly maxSteps: number;
  readonly plan: FaultPlan;
  /** What it gave. */
  readonly verdict: VerdictKind;
  readonly digest: string;
  readonly counts: { readonly steps: number; readonly tracePoints: number; readonly virtualTimeUs: number };
  readonly findings: readonly Finding[];
  /** What a replay must give for the record to apply. */
  readonly expected: VerdictKind;
  /** "sha256:" and the hash of all the rest. */
  readonly integrity: string;
}

/** How a run was asked for, beyond its scenario and seed. */
export interface RecordContext {
  readonly tool: string;
  readonly source: ScenarioSource;
  readonly profile: Profile;
  readonly fixed: Partial<RunOptions>;
  readonly maxSteps: number;
}

export function recordOf(run: FailedRun, context: RecordContext): RunRecord {
  const { result } = run;
  const content: Omit<RunRecord, "integrity"> = {
    format: RECORD_FORMAT,
    version: RECORD_VERSION,
    tool: context.tool,
    scenario: {
      name: result.scenario,
      file: context.source.kind === "file" ? context.source.file.shown : null,
      input: context.source.input?.shown ?? null,
    },
    combination: result.combination,
    options: result.options,
    fixed: context.fixed,
    seed: result.seed,
    profile: context.profile,
    checked: run.checked,
    maxSteps: context.maxSteps,
    plan: result.plan,
    verdict: result.verdict,
    digest: result.digest,
    counts: { steps: result.steps, tracePoints: result.tracePoints, virtualTimeUs: result.virtualTimeUs },
    findings: result.findings,
    expected: result.verdict,
  };
  return { ...content, integrity: integrityOf(content) };
}

/** The checksum over a record's content, whatever the order of its keys and however it is indented. */
export function integrityOf(record: object): string {
  const { integrity: _unhashed, ...content } = record as { integrity?: unknown };
  return `sha256:${createHash("sha256").update(canonicalJson(content)).digest("hex")}`;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** The record's file: "flights-9f3ac1d2.json". */
export function recordFileName(record: RunRecord): string {
  return `${record.scenario.name.replace(/[^A-Za-z0-9._-]/g, "_")}-${record.digest.slice(0, 8)}.json`;
}
