import { z } from "zod";
import { RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import { COST_FORMAT, COST_INCIDENTS, COST_VERSION, type CostDocument } from "./cost-document.ts";

const count = z.int().min(0);
const text = z.string();
const medianAndLast = z.strictObject({ median: count, last: count });
const recovery = z.strictObject({
  from: z.int().min(1),
  remoteBytes: count,
  requests: count,
  localBytes: count,
  files: count,
  restoreUs: count,
  downUs: count,
});
const pair = { backend: z.enum(STATE_BACKENDS), strategy: z.enum(RESTORE_STRATEGIES) };

/** What `whitewater cost --json` prints, for whoever reads it. */
export const costSchema: z.ZodType<CostDocument> = z.strictObject({
  format: z.literal(COST_FORMAT),
  version: z.literal(COST_VERSION),
  tool: text,
  scenario: text,
  seed: z.string().regex(/^\d{1,20}$/),
  parallelism: z.int().min(1),
  afterCheckpoints: z.int().min(1),
  rows: z.array(
    z.strictObject({
      ...pair,
      checkpoints: z.strictObject({ count, bytes: medianAndLast, durationUs: medianAndLast }),
      recoveries: z.record(z.enum(COST_INCIDENTS), recovery),
    }),
  ),
  notMeasured: z.array(z.strictObject({ ...pair, reason: text })),
});
