import type { TimeUs } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { OracleContext } from "./oracle.ts";

export const FAILOVER_PATHS: readonly string[] = [
  "a region restarted while another kept running",
  "a failure during a region's restart",
  "a region failover right after a checkpoint completed",
];

/** A checkpoint that completed so long ago has just completed. */
const RIGHT_AFTER_US = 100_000;

/** The attempts of one leader. */
interface Term {
  readonly leader: SimProcess;
  /** Deployed and not declared dead, with the moment since when all their tasks run; -1 while they do not. */
  readonly living: Map<number, TimeUs>;
  /** Regions that failed and do not run again yet. */
  recovering: number;
  failedStep: number;
  completedUs: TimeUs;
}

/**
 * Counts paths of failover by region:
 *
 * - "a region restarted while another kept running": a region runs again, and another one has run since before
 *   it was deployed;
 * - "a failure during a region's restart": in a later step than a region failed, and before it runs again,
 *   something fails, the region itself or another one, while one lives;
 * - "a region failover right after a checkpoint completed": a region fails at most RIGHT_AFTER_US later, and
 *   another one goes on.
 */
export class FailoverPaths {
  readonly #context: OracleContext;
  #term: Term | null = null;
  /** When the attempts that do not run yet were deployed. */
  readonly #deployedUs: Map<number, TimeUs> = new Map();

  constructor(context: OracleContext) {
    this.#context = context;
  }

  watch(): void {
    const { kernel } = this.#context.world;
    kernel.on(TRACE.leadershipGained, (leader) => {
      if (leader !== null) this.#term = { leader, living: new Map(), recovering: 0, failedStep: -1, completedUs: -RIGHT_AFTER_US - 1 };
    });
    kernel.on(TRACE.jobDeploying, (process, _subject, attempt) => {
      this.#of(process)?.living.set(attempt, -1);
      this.#deployedUs.set(attempt, kernel.nowUs);
    });
    kernel.on(TRACE.checkpointCompleted, (process) => {
      const term = this.#of(process);
      if (term !== null) term.completedUs = kernel.nowUs;
    });
    kernel.on(TRACE.jobRunning, (process, _subject, attempt) => this.#running(process, attempt));
    kernel.on(TRACE.jobFailing, (process, _subject, attempt) => this.#failing(process, attempt));
  }

  #running(process: SimProcess | null, attempt: number): void {
    const term = this.#of(process);
    if (term === null) return;
    const deployedUs = this.#deployedUs.get(attempt) ?? 0;
    this.#deployedUs.delete(attempt);
    term.living.set(attempt, this.#context.world.nowUs);
    if (term.recovering === 0) return;
    term.recovering -= 1;
    const keptRunning = [...term.living].some(([other, sinceUs]) => other !== attempt && sinceUs >= 0 && sinceUs < deployedUs);
    if (keptRunning) this.#context.sometimes("a region restarted while another kept running");
  }

  #failing(process: SimProcess | null, attempt: number): void {
    const term = this.#of(process);
    if (term === null) return;
    const { nowUs, kernel } = this.#context.world;
    const ran = (term.living.get(attempt) ?? -1) >= 0;
    term.living.delete(attempt);
    const goesOn = [...term.living.values()].some((sinceUs) => sinceUs >= 0);
    if (term.living.size > 0 && term.recovering > 0 && kernel.stepNumber > term.failedStep) this.#context.sometimes("a failure during a region's restart");
    if (goesOn && nowUs - term.completedUs <= RIGHT_AFTER_US) this.#context.sometimes("a region failover right after a checkpoint completed");
    if (ran) term.recovering += 1;
    term.failedStep = kernel.stepNumber;
  }

  #of(process: SimProcess | null): Term | null {
    return this.#term !== null && this.#term.leader === process ? this.#term : null;
  }
}
