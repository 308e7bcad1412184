import { unreachable } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import { US_PER_MS } from "../../engine/base/units.ts";
import type { RestartStrategy, StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { Register } from "../../engine/ports/coordination.ts";
import type { CoordinationObserver } from "../hosts/service-observers.ts";
import type { InputTopic, Scenario } from "../scenario.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { SimProcess } from "../world/kernel.ts";
import { isCheckpointRecord } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";

/** Not below what the World gives its processes (a test compares them). */
const HEARTBEAT_US = 4_000_000;
const LEASE_US = 4_000_000;
const CALLS_US = 4_000_000;
/** What one recovery takes beyond the waits above: reading the store, deploying, restoring, at outlier latencies. */
const RESTORE_US = 6_000_000;
/** A failure before the end of chaos, one that is noticed only behind it, and what the first recovery trips over. */
const RECOVERIES = 3;
/** One that chaos spoilt, one with all the data, the one that ends the job. */
const CHECKPOINTS = 3;
const MARGIN_US = 10_000_000;

/**
 * When a run that is still going counts as stuck. From the end of chaos, or the arrival of the last record
 * where that is later, the job may need: a few recoveries in a row (notice the loss, elect a leader, start the
 * process, wait the restart delay, restore), then a few checkpoints (interval, pause, timeout), then a margin
 * in which it works off what waits in its input (a record costs microseconds).
 */
export function livenessDeadlineUs(
  scenario: Scenario,
  graph: StreamGraph,
  inputs: readonly InputTopic[],
  healAtUs: TimeUs,
): TimeUs {
  let fromUs = healAtUs;
  for (const { partitions } of inputs) {
    for (const partition of partitions) fromUs = Math.max(fromUs, partition.at(-1)?.arrivesAtUs ?? 0);
  }
  const { processRestartUs, hostRestartUs } = scenario.cluster;
  const { checkpoint, restart } = graph.config;
  const restartDelayUs = longestRestartDelayMs(restart) * US_PER_MS;
  const recoveryUs =
    HEARTBEAT_US + LEASE_US + CALLS_US + RESTORE_US + Math.max(processRestartUs, hostRestartUs) + restartDelayUs;
  const checkpointUs =
    checkpoint === null ? 0 : (checkpoint.intervalMs + checkpoint.minPauseMs + checkpoint.timeoutMs) * US_PER_MS;
  return fromUs + RECOVERIES * recoveryUs + CHECKPOINTS * checkpointUs + MARGIN_US;
}

function longestRestartDelayMs(restart: RestartStrategy): number {
  switch (restart.kind) {
    case "none":
      return 0;
    case "fixed-delay":
    case "failure-rate":
      return restart.delayMs;
    case "exponential-delay":
      return restart.maxBackoffMs;
    default:
      return unreachable(restart, "longestRestartDelayMs");
  }
}

/**
 * Liveness: once everything has healed, a new checkpoint completes, and the job ends, before
 * `livenessDeadlineUs`; and the job never ends as failed where the scenario's budget does not allow it, nor as
 * cancelled where nobody asked for that.
 *
 * Seen from the records in Coordination: those of checkpoints, and the one of the job's end (the World reads
 * it). Not seen: how fast anything is below the bound. Allowed for: everything before the healing.
 */
export const livenessOracle: OracleKind = {
  name: "liveness",
  create: (context) => new Liveness(context),
};

class Liveness implements Oracle, CoordinationObserver {
  readonly name: string = livenessOracle.name;
  readonly #context: OracleContext;
  #healed = false;
  #completedAfterHealing = false;

  constructor(context: OracleContext) {
    this.#context = context;
    const { world } = context;
    world.kernel.on(PORT_TRACE.healed, () => {
      this.#healed = true;
    });
    world.coordinationObservers.push(this);
  }

  onWrite(_process: SimProcess, _before: Register, after: Register): void {
    const { world } = this.#context;
    const healed = this.#healed || world.nowUs >= world.options.healAtUs;
    if (healed && after.value !== null && isCheckpointRecord(after.key)) this.#completedAfterHealing = true;
  }

  finish(end: RunEnd): void {
    const { world, scenario, graph, report } = this.#context;
    if (world.kernel.crash !== null) return;
    if (end.job === "failed" && !scenario.budget.jobMayFail) {
      const { reason } = world.jobEnd ?? { reason: null };
      report(`the job ended as failed, which the scenario's budget does not allow${reason === null ? "" : `: ${reason}`}`);
    }
    if (end.job === "cancelled" && !this.#wasCancelled()) report("the job ended as cancelled, which nobody had asked for");
    if (end.job !== "stuck") return;
    const { healAtUs } = world.options;
    const sinceUs = world.nowUs - healAtUs;
    if (sinceUs <= 0) {
      report(`the job did not end within the steps allowed, which took it to ${seconds(world.nowUs)}`);
      return;
    }
    if (graph.config.checkpoint !== null && !this.#completedAfterHealing) {
      report(`no checkpoint completed in ${seconds(sinceUs)} after everything healed at ${seconds(healAtUs)}`);
    }
    report(`the job did not end in ${seconds(sinceUs)} after everything healed at ${seconds(healAtUs)}`);
  }

  #wasCancelled(): boolean {
    const { kernel } = this.#context.world;
    return kernel.faultOutcomes().some(({ kind, outcome }) => kind === "cancel-job" && outcome === "fired");
  }
}

function seconds(us: TimeUs): string {
  return `${Math.floor(us / US_PER_MS) / 1000} s`;
}
