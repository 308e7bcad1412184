import { present } from "../base/assert.ts";
import type { RestartBackoff, RestartBackoffSnapshot } from "../restore/restart/restart-backoff.ts";
import { TRACE } from "../ports/tracer.ts";
import type { LeaderTerm } from "./leader-term.ts";
import type { RegionDeployment } from "./region-deployment.ts";
import type { RegionExecution } from "./region-execution.ts";

export interface FailoverListener {
  /** The regions of the job, as they are now. */
  regions(): readonly RegionExecution[];
  /** Gives up pending checkpoints; `quiet` once a commit that was under way is decided. */
  stopCheckpoints(quiet: () => void): void;
  /** Some regions wait to be deployed again. */
  restart(): void;
  /** No more restarts, and every task is gone. */
  giveUp(status: "failed" | "cancelled"): void;
}

/**
 * What happens after a failure. The failed regions (all of them, where the whole job fails over) give up what
 * they have: pending checkpoints, for which their tasks are dead from here on, and the tasks. They start again
 * from the latest completed checkpoint when three things are certain: no task of theirs runs any more, a commit
 * under way is decided, and the delay of the restart strategy, counted from the failure, is over.
 *
 * Each region that fails is a failure of its own to the restart strategy, also where a lost worker took several
 * (the exponential delay merges those). Its counts begin anew with each leader. Both are as in Flink.
 */
export class Failover {
  restarts: number = 0;
  /** Why something failed last, for people. */
  lastFailure: string | null = null;
  readonly #term: LeaderTerm;
  readonly #backoff: RestartBackoff;
  readonly #deployment: RegionDeployment;
  readonly #listener: FailoverListener;
  #givenUp: boolean = false;
  #regionGone: () => void = () => undefined;

  constructor(term: LeaderTerm, backoff: RestartBackoff, deployment: RegionDeployment, listener: FailoverListener) {
    this.#term = term;
    this.#backoff = backoff;
    this.#deployment = deployment;
    this.#listener = listener;
  }

  /** For inspection. */
  get backoff(): RestartBackoffSnapshot {
    return this.#backoff.inspect();
  }

  /** The job ends: nothing is deployed any more. */
  get hasGivenUp(): boolean {
    return this.#givenUp;
  }

  /**
   * These regions failed; those of them that are failing already go on doing so. `forGood`: why no restart can help,
   * or null.
   */
  fail(regions: readonly RegionExecution[], reason: string, forGood: string | null = null): void {
    const failed = regions.filter(({ lives }) => lives);
    if ((failed.length === 0 && forGood === null) || this.#givenUp) return;
    this.lastFailure = forGood ?? reason;
    for (const { attempt } of failed) this.#term.point(TRACE.jobFailing, attempt?.attempt ?? 0, 0);
    this.#backoff.notifyFailure();
    if (forGood === null && this.#backoff.canRestart()) this.#restart(failed, this.#backoff.delayUs());
    else this.#giveUp("failed");
  }

  /** Somebody wants the job to end. */
  cancel(): void {
    if (!this.#givenUp) this.#giveUp("cancelled");
  }

  /** Nothing failed: the whole job starts again as soon as it can, with what it was told meanwhile. */
  redeploy(): void {
    const living = this.#living();
    if (living.length > 0 && !this.#givenUp) this.#takeDown(living, this.#waitingFor(2, living));
  }

  #restart(failed: readonly RegionExecution[], delayUs: number): void {
    const oneLess = this.#waitingFor(3, failed);
    this.restarts += 1;
    this.#takeDown(failed, oneLess);
    this.#term.point(TRACE.jobRestarting, this.restarts, failed.length);
    this.#term.ports.scheduler.after(delayUs, () => {
      if (this.#term.isActive) oneLess();
    });
  }

  /** Of so many things to wait for, one less with each call. */
  #waitingFor(count: number, regions: readonly RegionExecution[]): () => void {
    let waits = count;
    return () => {
      waits -= 1;
      if (waits > 0 || this.#givenUp) return;
      for (const region of regions) region.phase = "waiting";
      this.#listener.restart();
    };
  }

  /** The whole job ends; regions that are failing already are waited for. */
  #giveUp(status: "failed" | "cancelled"): void {
    this.#givenUp = true;
    let waits = 2;
    const oneLess = (): void => {
      waits -= 1;
      this.#regionGone();
    };
    this.#regionGone = () => {
      const isGone = this.#listener.regions().every(({ lives, phase }) => !lives && phase !== "failing");
      if (waits === 0 && isGone) this.#listener.giveUp(status);
    };
    this.#takeDown(this.#living(), oneLess);
  }

  /** `done` is called twice: no task of any of them runs any more; no checkpoint is being committed. */
  #takeDown(failed: readonly RegionExecution[], done: () => void): void {
    const dying = failed.map((region) => ({ region, attempt: present(region.attempt, "what lives has an attempt") }));
    for (const { region } of dying) region.phase = "failing";
    this.#listener.stopCheckpoints(done);
    for (const { attempt } of dying) this.#term.point(TRACE.attemptDead, attempt.attempt, 0);
    let running = dying.length;
    if (running === 0) done();
    for (const { region, attempt } of dying) {
      this.#deployment.cancel(region, attempt, () => {
        region.phase = "restarting";
        running -= 1;
        if (running === 0) done();
        this.#regionGone();
      });
    }
  }

  #living(): readonly RegionExecution[] {
    return this.#listener.regions().filter(({ lives }) => lives);
  }
}
