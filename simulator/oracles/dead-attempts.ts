import type { CheckpointId, TimeUs } from "../../engine/base/units.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import { failoverRegions } from "../../engine/graph/failover-regions.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";

/** A checkpoint between its trigger and its end, as its leader's points show it. */
interface Pending {
  readonly checkpointId: CheckpointId;
  readonly leader: SimProcess;
  /** Every task acknowledged: its record may be on its way. */
  acknowledged: boolean;
  /** When the first attempt of any of its tasks was declared dead; -1 while none is. */
  deadUs: TimeUs;
  /** That attempt. */
  dead: number;
}

/** How long a commit that was under way when its attempt died may take, once nothing is broken any more. */
const COMMIT_DECIDED_US = 10_000_000;

/**
 * Dead attempts: nobody waits for an attempt that is recorded as dead. Where regions fail over alone, an attempt
 * is that of a region, and every checkpoint spans all regions: the death of one ends whatever is pending.
 *
 * - At the end of the step in which a leader declares an attempt dead, none of its checkpoints is pending any
 *   more, except at most one that every task acknowledged, because its record may be on its way: that one
 *   completes or is given up within COMMIT_DECIDED_US, counted from the healing where that is later.
 * - The leader triggers no checkpoint for that attempt afterwards, nor any before the dead region is deployed
 *   again.
 *
 * Seen from the points checkpointTriggered, checkpointAcked, checkpointCompleted, savepointCompleted,
 * checkpointAborted and attemptDead. Not seen: whether a leader declares an attempt dead that it should.
 *
 * Allowed for: a leader that dies or is deposed decides nothing more; a commit that storage or Coordination
 * holds up until everything heals.
 */
export const deadAttemptsOracle: OracleKind = {
  name: "dead attempts",
  create: (context) => new DeadAttempts(context),
};

class DeadAttempts implements Oracle {
  readonly name: string = deadAttemptsOracle.name;
  readonly #context: OracleContext;
  #pending: Pending[] = [];
  readonly #dead: { readonly leader: SimProcess; readonly attempt: number }[] = [];
  /** Deployed and not declared dead, by leader: one for each region, where all of them are there. */
  readonly #living: Map<SimProcess, Set<number>> = new Map();
  readonly #regions: number;
  /** The step in which an attempt died, until its end was looked at; else -1. */
  #unsettledStep = -1;

  constructor(context: OracleContext) {
    this.#context = context;
    const { kernel, options } = context.world;
    this.#regions = failoverRegions(buildJobGraph(context.graph), options.options.failover).all.length;
    kernel.on(TRACE.jobDeploying, (process, _subject, attempt) => {
      if (process !== null) this.#livingOf(process).add(attempt);
    });
    kernel.on(TRACE.checkpointTriggered, (process, _subject, id, attempt) => {
      if (process !== null) this.#triggered(process, id, attempt);
    });
    kernel.on(TRACE.checkpointAcked, (process, _subject, id, missing) => {
      this.#settle();
      const checkpoint = this.#find(process, id);
      if (checkpoint !== null) checkpoint.acknowledged = missing === 0;
    });
    for (const kind of [TRACE.checkpointCompleted, TRACE.savepointCompleted, TRACE.checkpointAborted]) {
      kernel.on(kind, (process, _subject, id) => this.#closed(process, id));
    }
    kernel.on(TRACE.attemptDead, (process, _subject, attempt) => {
      if (process !== null) this.#died(process, attempt);
    });
    kernel.on(TRACE.leadershipLost, (process) => {
      this.#settle();
      this.#pending = this.#pending.filter(({ leader }) => leader !== process);
    });
    for (const kind of [PORT_TRACE.processCrashed, PORT_TRACE.processStopped]) {
      kernel.on(kind, (_process, subject) => {
        // Whoever dies in that very step had not reached its end.
        this.#pending = this.#pending.filter(({ leader }) => leader.subject !== subject);
        this.#settle();
      });
    }
  }

  finish(): void {
    this.#settle();
    for (const checkpoint of this.#pending) this.#checkDecision(checkpoint);
  }

  #triggered(leader: SimProcess, checkpointId: CheckpointId, attempt: number): void {
    this.#settle();
    if (this.#dead.some((one) => one.leader === leader && one.attempt === attempt)) {
      this.#context.report(`${leader.name} triggered checkpoint ${checkpointId} for attempt ${attempt}, which it had declared dead`);
    } else if (this.#livingOf(leader).size < this.#regions) {
      this.#context.report(`${leader.name} triggered checkpoint ${checkpointId} while a region was dead`);
    }
    this.#pending.push({ checkpointId, leader, acknowledged: false, deadUs: -1, dead: 0 });
  }

  #closed(process: SimProcess | null, checkpointId: CheckpointId): void {
    this.#settle();
    const checkpoint = this.#find(process, checkpointId);
    if (checkpoint === null) return;
    this.#pending.splice(this.#pending.indexOf(checkpoint), 1);
    this.#checkDecision(checkpoint);
  }

  #died(leader: SimProcess, attempt: number): void {
    this.#settle();
    const { kernel } = this.#context.world;
    this.#dead.push({ leader, attempt });
    this.#livingOf(leader).delete(attempt);
    for (const checkpoint of this.#pending) {
      if (checkpoint.leader !== leader || checkpoint.deadUs >= 0) continue;
      checkpoint.deadUs = kernel.nowUs;
      checkpoint.dead = attempt;
    }
    this.#unsettledStep = kernel.stepNumber;
  }

  /** Looks at the end of the step in which an attempt died, as soon as another step has begun. */
  #settle(): void {
    if (this.#unsettledStep < 0 || this.#context.world.kernel.stepNumber === this.#unsettledStep) return;
    this.#unsettledStep = -1;
    const committing: SimProcess[] = [];
    for (const { checkpointId, dead, leader, acknowledged, deadUs } of this.#pending) {
      if (deadUs < 0) continue;
      if (acknowledged && !committing.includes(leader)) {
        committing.push(leader);
        continue;
      }
      const why = acknowledged ? "behind another whose record may be on its way" : "and waits for it";
      this.#context.report(`checkpoint ${checkpointId} is still pending at ${leader.name} after its attempt ${dead} was declared dead, ${why}`);
    }
  }

  #checkDecision({ checkpointId, dead, leader, deadUs }: Pending): void {
    if (deadUs < 0) return;
    const { world, report } = this.#context;
    const tookUs = world.nowUs - Math.max(deadUs, world.options.healAtUs);
    if (tookUs <= COMMIT_DECIDED_US) return;
    report(`checkpoint ${checkpointId} was undecided at ${leader.name} for ${tookUs} us after its attempt ${dead} was declared dead`);
  }

  #livingOf(leader: SimProcess): Set<number> {
    const living = this.#living.get(leader) ?? new Set();
    this.#living.set(leader, living);
    return living;
  }

  #find(process: SimProcess | null, checkpointId: CheckpointId): Pending | null {
    return this.#pending.find((one) => one.leader === process && one.checkpointId === checkpointId) ?? null;
  }
}
