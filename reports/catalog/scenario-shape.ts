import { z } from "zod";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { UsageError } from "../files/usage-error.ts";
import { schemaComplaint } from "./schema-error.ts";

const aFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === "function", {
  message: "expected a function",
});
const count = z.int().min(0);

/** Names end up in tokens, file names and terminals. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "expected letters, digits, '.', '_' and '-'");

const scenarioSchema = z.looseObject({
  name,
  title: z.string(),
  doc: z.string(),
  job: aFunction,
  upgrade: z
    .looseObject({
      before: aFunction,
      after: aFunction,
      from: z.enum(["savepoint", "checkpoint"]).exactOptional(),
      claim: z.enum(["claim", "no-claim"]),
      allowNonRestoredState: z.boolean().exactOptional(),
      migrated: aFunction,
    })
    .exactOptional(),
  workload: aFunction,
  outputs: z.array(z.looseObject({ topic: z.string(), partitions: z.int().min(1), keyOf: z.union([aFunction, z.null()]) })),
  cluster: z.looseObject({
    jobManagers: z.int().min(1).max(3),
    workers: z.int().min(1).max(8),
    slotsPerWorker: z.int().min(1),
    processRestartUs: count,
    hostRestartUs: count,
    elementUs: z.int().min(1).exactOptional(),
  }),
  budget: z.looseObject({ most: z.record(z.string(), count), jobMayFail: z.boolean() }),
  backends: z.array(z.enum(STATE_BACKENDS)).min(1).exactOptional(),
  drawnBackends: z.array(z.enum(STATE_BACKENDS)).min(1).exactOptional(),
  modes: z.array(z.enum(CHECKPOINT_MODES)).min(1).exactOptional(),
  restores: z.array(z.enum(RESTORE_STRATEGIES)).min(1).exactOptional(),
  failovers: z.array(z.enum(FAILOVER_SCOPES)).min(1).exactOptional(),
  rescales: z.boolean().exactOptional(),
  parallelisms: z.array(z.int().min(1)).min(1),
  bufferSizes: z.array(z.int().min(1).max(64)).min(1).exactOptional(),
  confluent: z.boolean(),
  sometimes: z.array(z.string()),
  sometimesWith: z
    .partialRecord(z.enum([...STATE_BACKENDS, ...CHECKPOINT_MODES, ...RESTORE_STRATEGIES, ...FAILOVER_SCOPES]), z.array(z.string()))
    .exactOptional(),
});

/**
 * The value as a Scenario, or UsageError that names the first wrong field. Judged by shape alone: it may
 * come from a second copy of the package.
 */
export function checkScenarioShape(value: unknown, shown: string): Scenario {
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) return value as Scenario;
  throw new UsageError(
    `scenario file ${shown}`,
    `its scenario is malformed: ${schemaComplaint(parsed.error)}`,
    "correct that field (defineScenario lets the compiler check them all)",
  );
}
