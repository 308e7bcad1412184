import type { ExecutionId } from "../graph/execution-id.ts";
import type { FailoverRegion } from "../graph/failover-regions.ts";
import type { Execution, ExecutionAttempt } from "./execution-attempt.ts";

/**
 * "waiting": to be deployed as soon as there are slots. "deploying": its tasks restore. "starting": they
 * connect. "failing": they are being cancelled. "restarting": they are gone, and the restart is to come.
 */
export type RegionPhase = "waiting" | "deploying" | "starting" | "running" | "failing" | "restarting";

/** A failover region of the job, and what becomes of it under one leader. */
export class RegionExecution {
  readonly region: FailoverRegion;
  phase: RegionPhase = "waiting";
  /** The latest; null before the first. */
  attempt: ExecutionAttempt | null = null;

  constructor(region: FailoverRegion) {
    this.region = region;
  }

  /** A new attempt: its tasks are about to be deployed. */
  deployed(attempt: ExecutionAttempt): void {
    this.attempt = attempt;
    this.phase = "deploying";
  }

  /** Its latest attempt is deployed and has not failed. */
  get lives(): boolean {
    return this.phase === "deploying" || this.phase === "starting" || this.phase === "running";
  }

  /** That attempt is the latest one, and the region in that phase. */
  isIn(phase: RegionPhase, attempt: ExecutionAttempt): boolean {
    return this.attempt === attempt && this.phase === phase;
  }

  /** An execution of the latest attempt, while that lives. */
  find(id: ExecutionId): Execution | undefined {
    return this.lives ? this.attempt?.find(id) : undefined;
  }

  /** Something that has not finished runs on that worker. */
  needs(worker: string): boolean {
    return this.lives && (this.attempt?.needs(worker) ?? false);
  }

  get isFinished(): boolean {
    return this.lives && (this.attempt?.all("finished") ?? false);
  }
}
