import { unreachable } from "../base/assert.ts";
import type { RestoreStrategyName } from "../graph/job-modes.ts";
import { fullRestore } from "./full.ts";
import { incrementalRestore } from "./incremental.ts";
import { localRestore } from "./local.ts";
import type { RestoreStrategy } from "./restore-strategy.ts";

/** The strategy that a job names. */
export function restoreStrategyOf(name: RestoreStrategyName): RestoreStrategy {
  switch (name) {
    case "full":
      return fullRestore;
    case "incremental":
      return incrementalRestore;
    case "local":
      return localRestore;
    default:
      return unreachable(name, "restoreStrategyOf");
  }
}
