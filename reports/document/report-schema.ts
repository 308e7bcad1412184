import { z } from "zod";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import { PROFILES } from "../../simulator/run-result.ts";
import { REPORT_FORMAT, REPORT_VERSION, type ReportDocument } from "./report-document.ts";

const count = z.int().min(0);
const text = z.string();
const seed = z.string().regex(/^\d{1,20}$/);
const digest = z.string().regex(/^[0-9a-f]{16}$/);
const verdict = z.enum(["ok", "violation", "stuck", "expected-failure", "invalid-plan", "diverged", "crashed"]);
const faultCounts = z.strictObject({ fired: count, dud: count, downgraded: count });
const totals = z.strictObject({
  runs: count,
  verdicts: z.record(verdict, count),
  steps: count,
  tracePoints: count,
  virtualTimeUs: count,
  restarts: count,
  checkpointsCompleted: count,
  selfChecked: count,
  faults: faultCounts,
});
const finding = { oracle: text, message: text, step: count, atUs: count };
const run = { scenario: text, combination: text, seed, verdict, digest };

/** What a JSON report holds, for whoever reads one. */
export const reportSchema: z.ZodType<ReportDocument> = z.strictObject({
  format: z.literal(REPORT_FORMAT),
  version: z.literal(REPORT_VERSION),
  tool: text,
  profile: z.enum(PROFILES),
  fixed: z.strictObject({
    backend: z.enum(STATE_BACKENDS).exactOptional(),
    mode: z.enum(CHECKPOINT_MODES).exactOptional(),
    restore: z.enum(RESTORE_STRATEGIES).exactOptional(),
    parallelism: z.int().min(1).exactOptional(),
    parallelismAfter: z.int().min(1).exactOptional(),
    failover: z.enum(FAILOVER_SCOPES).exactOptional(),
    bufferElements: z.int().min(1).max(64).exactOptional(),
  }),
  seeds: z.strictObject({ first: seed, last: seed, commit: text.nullable() }),
  end: z.enum(["complete", "bail", "time", "interrupted"]),
  exitCode: count,
  totals,
  scenarios: z.array(
    z.strictObject({
      name: text,
      title: text,
      totals,
      groups: z.array(z.strictObject({ combination: text, totals })),
      faults: z.record(text, faultCounts),
      sometimes: z.record(text, count),
    }),
  ),
  matrix: z
    .strictObject({
      cells: z.array(z.strictObject({ combination: text, runs: count, covered: count, failed: count })),
      invalid: z.array(z.strictObject({ combination: text, reason: text })),
    })
    .nullable(),
  crashes: z.array(
    z.strictObject({
      scenario: text,
      seed,
      combination: text,
      points: count,
      crashes: count,
      crashesRun: count,
      pairsRun: count,
      records: count,
      recordsWhole: count,
    }),
  ),
  faults: z.record(text, faultCounts),
  sometimes: z.record(text, count),
  findings: z.array(z.strictObject({ scenario: text, combination: text, seed, verdict, ...finding })),
  failures: z.array(
    z.strictObject({
      ...run,
      findings: z.array(z.strictObject(finding)),
      faults: z.array(z.strictObject({ atUs: count, what: text, where: text })),
      faultsPlanned: count,
      restoredFrom: count.nullable(),
      runs: count,
      agreeing: count,
      reproduce: z.array(text),
      record: text.nullable(),
    }),
  ),
  failureCount: count,
  impure: z.array(text),
  vacuous: z.array(text),
  runs: z.array(z.strictObject({ ...run, steps: count, tracePoints: count, virtualTimeUs: count })).nullable(),
});
