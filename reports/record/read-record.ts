import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import { PROFILES } from "../../simulator/run-result.ts";
import { UsageError, fileErrorReason } from "../files/usage-error.ts";
import { schemaComplaint } from "../catalog/schema-error.ts";
import { faultPlanSchema } from "./fault-schema.ts";
import { RECORD_FORMAT, RECORD_VERSION, integrityOf, type RunRecord } from "./run-record.ts";

/** Largest record that is read. */
const RECORD_BYTES_LIMIT = 64 * 1024 * 1024;
const ANOTHER = "give a record that `whitewater run` wrote";

const count = z.int().min(0);
const text = z.string();
const digest = z.string().regex(/^[0-9a-f]{16}$/, "expected 16 hexadecimal digits");
const verdict = z.enum(["ok", "violation", "stuck", "expected-failure", "invalid-plan", "diverged", "crashed"]);
const options = z.strictObject({
  backend: z.enum(STATE_BACKENDS),
  mode: z.enum(CHECKPOINT_MODES),
  restore: z.enum(RESTORE_STRATEGIES),
  parallelism: z.int().min(1),
  parallelismAfter: z.int().min(1),
  failover: z.enum(FAILOVER_SCOPES),
  bufferElements: z.int().min(1).max(64),
});

const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  version: z.literal(RECORD_VERSION),
  tool: text,
  scenario: z.strictObject({ name: text, file: text.nullable(), input: text.nullable() }),
  combination: text,
  options,
  fixed: options.partial(),
  seed: z.string().regex(/^\d{1,20}$/, "expected a decimal number"),
  profile: z.enum(PROFILES),
  checked: z.boolean(),
  maxSteps: z.int().min(1),
  plan: faultPlanSchema,
  verdict,
  digest,
  counts: z.strictObject({ steps: count, tracePoints: count, virtualTimeUs: count }),
  findings: z.array(z.strictObject({ oracle: text, message: text, step: count, atUs: count })),
  expected: verdict,
  integrity: text,
});

/** Reads and checks a record; throws UsageError that says what is wrong with the file. */
export function readRecord(path: string, shown: string): RunRecord {
  const input = `record ${shown}`;
  const value = parseJson(readText(path, input), input);
  const header = z.looseObject({ format: z.literal(RECORD_FORMAT), version: z.number() }).safeParse(value);
  if (!header.success) throw new UsageError(input, "is no run record", ANOTHER);
  if (header.data.version > RECORD_VERSION) {
    throw new UsageError(input, "was written by a later version", "install that version of whitewater");
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) throw new UsageError(input, `is malformed: ${schemaComplaint(parsed.error)}`, ANOTHER);
  if (parsed.data.integrity !== integrityOf(value as object)) {
    throw new UsageError(
      input,
      "was changed after it was written: its content does not match its checksum",
      "use the file as it was written",
    );
  }
  return value as RunRecord;
}

function readText(path: string, input: string): string {
  try {
    if (statSync(path).size > RECORD_BYTES_LIMIT) throw new UsageError(input, "is too large for a record", ANOTHER);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(input, `cannot be read (${fileErrorReason(error)})`, "check the path");
  }
}

function parseJson(json: string, input: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new UsageError(input, "is not JSON", ANOTHER);
  }
}
