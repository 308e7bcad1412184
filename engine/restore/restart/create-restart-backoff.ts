import { unreachable } from "../../base/assert.ts";
import type { RestartStrategy } from "../../graph/stream-graph.ts";
import type { ProcessPorts } from "../../ports/process-ports.ts";
import { ExponentialDelay } from "./exponential-delay.ts";
import { FailureRate } from "./failure-rate.ts";
import { FixedDelay } from "./fixed-delay.ts";
import { NoRestart } from "./no-restart.ts";
import type { RestartBackoff } from "./restart-backoff.ts";

/** A fresh object for what the job asks for. */
export function createRestartBackoff(strategy: RestartStrategy, ports: Pick<ProcessPorts, "clock" | "rng">): RestartBackoff {
  switch (strategy.kind) {
    case "none":
      return new NoRestart();
    case "fixed-delay":
      return new FixedDelay(strategy.attempts, strategy.delayMs);
    case "failure-rate":
      return new FailureRate(ports.clock, strategy.maxFailures, strategy.intervalMs, strategy.delayMs);
    case "exponential-delay":
      return new ExponentialDelay(ports.clock, strategy, () => ports.rng.stream("restart-jitter"));
    default:
      return unreachable(strategy, "createRestartBackoff");
  }
}
