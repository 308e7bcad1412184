import { present } from "../base/assert.ts";
import { NO_CHECKPOINT } from "../base/units.ts";
import type { CompletedCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import { TRACE } from "../ports/tracer.ts";
import type { RestoreRequest } from "../restore/restore-strategy.ts";
import type { Execution, ExecutionAttempt } from "./execution-attempt.ts";
import type { JobCalls } from "./job-calls.ts";
import type { JobParallelism } from "./job-parallelism.ts";
import type { LeaderTerm } from "./leader-term.ts";
import type { ControlMessage } from "./messages.ts";
import type { RegionExecution } from "./region-execution.ts";

export interface DeploymentListener {
  /** A worker does not do its part. */
  failed(region: RegionExecution, reason: string): void;
  /** Every task of the region runs. */
  running(region: RegionExecution): void;
}

/**
 * Brings attempts of regions to life, in two steps: every task restores, and once all of them have, they
 * connect and go. Takes them down again, too.
 */
export class RegionDeployment {
  readonly #term: LeaderTerm;
  readonly #calls: JobCalls;
  readonly #parallelism: JobParallelism;
  readonly #listener: DeploymentListener;

  constructor(term: LeaderTerm, calls: JobCalls, parallelism: JobParallelism, listener: DeploymentListener) {
    this.#term = term;
    this.#calls = calls;
    this.#parallelism = parallelism;
    this.#listener = listener;
  }

  /** `hasFinished`: tasks that had finished in the latest checkpoint. */
  deploy(region: RegionExecution, latest: CompletedCheckpoint | null, hasFinished: (id: ExecutionId) => boolean): void {
    const attempt = present(region.attempt, "a deployed region has an attempt");
    this.#term.point(TRACE.jobDeploying, attempt.attempt, latest?.metadata.checkpointId ?? NO_CHECKPOINT);
    for (const execution of attempt.executions) this.#deployTask(region, attempt, execution, latest, hasFinished(execution.id));
  }

  #deployTask(
    region: RegionExecution,
    attempt: ExecutionAttempt,
    { id, slot }: Execution,
    latest: CompletedCheckpoint | null,
    isFinished: boolean,
  ): void {
    const { slots } = attempt;
    const { current, highest } = this.#parallelism;
    const message: ControlMessage = {
      kind: "deploy-task",
      subject: this.#calls.subjectOf(id),
      checkpointId: latest?.metadata.checkpointId ?? NO_CHECKPOINT,
      epoch: this.#term.fence.epoch,
      descriptor: {
        id,
        region: region.region.index,
        parallelism: current,
        highestParallelism: Math.max(highest, slots.length),
        slots,
        restore: restoreRequest(latest),
        isFinished,
      },
    };
    this.#calls.untilAnswered(slot, message, () => region.isIn("deploying", attempt), (reply) => {
      if (reply.kind === "refused") this.#listener.failed(region, `${slot.worker} refused a task: ${reply.reason}`);
    });
  }

  /** A task is ready to start; the last one starts them all. */
  initialized(region: RegionExecution, execution: Execution): void {
    const attempt = present(region.attempt, "a deployed region has an attempt");
    if (execution.state === "deploying") execution.state = "initialized";
    if (region.isIn("deploying", attempt) && attempt.all("initialized")) this.#start(region, attempt);
  }

  #start(region: RegionExecution, attempt: ExecutionAttempt): void {
    region.phase = "starting";
    const workers = attempt.workers();
    let started = 0;
    for (const slot of workers) {
      const message = this.#calls.order("start-attempt", region.region.index, attempt.attempt);
      this.#calls.untilAnswered(slot, message, () => region.isIn("starting", attempt), (reply) => {
        if (reply.kind === "refused") {
          this.#listener.failed(region, `${slot.worker} cannot start: ${reply.reason}`);
          return;
        }
        started += 1;
        if (started < workers.length) return;
        region.phase = "running";
        this.#term.point(TRACE.jobRunning, attempt.attempt, 0);
        this.#listener.running(region);
      });
    }
  }

  /** `done`: every worker confirmed that no task of the attempt runs any more, or is lost. */
  cancel(region: RegionExecution, attempt: ExecutionAttempt, done: () => void): void {
    const workers = attempt.workers();
    let waiting = workers.length;
    for (const slot of workers) {
      const message = this.#calls.order("cancel-attempt", region.region.index, attempt.attempt);
      this.#calls.untilAnswered(slot, message, () => true, () => {
        waiting -= 1;
        if (waiting === 0) done();
      });
    }
  }
}

function restoreRequest(latest: CompletedCheckpoint | null): RestoreRequest | null {
  if (latest === null) return null;
  const { checkpointId, vertices } = latest.metadata;
  return { checkpointId, vertices, isOwned: latest.isOwned };
}
