import type { RestartStrategy } from "../graph/stream-graph.ts";
import { requireWhole, requireWholeMs } from "./job-definition-error.ts";

/** What happens after a failure, as Flink's RestartStrategies. */
export const RestartStrategies = {
  /** The job fails with its first failure. */
  none(): RestartStrategy {
    return { kind: "none" };
  },
  /** `attempts` restarts, each `delayMs` after the failure; the next failure fails the job. */
  fixedDelay(attempts: number, delayMs: number): RestartStrategy {
    return {
      kind: "fixed-delay",
      attempts: requireWhole(attempts, 0, "RestartStrategies.fixedDelay", "the number of attempts"),
      delayMs: requireWholeMs(delayMs, 0, "RestartStrategies.fixedDelay", "the delay"),
    };
  },
} as const;
