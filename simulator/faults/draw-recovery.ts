import { present } from "../../engine/base/assert.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { Census, CensusEntry } from "../explore/census.ts";
import type { ClusterShape, FaultBudget, RunOptions } from "../scenario.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { Fault, FaultPlan, Trigger } from "./fault.ts";
import { isClientRequest } from "./fault.ts";

/** What a recovery that is to be provoked depends on. */
export interface RecoverySource {
  readonly census: Census;
  readonly cluster: ClusterShape;
  readonly options: RunOptions;
  readonly random: RandomStream;
}

/** Of the checkpoints of an undisturbed run, and of the calls of its user code: where to strike, in per cent. */
const EARLIEST_PERCENT = 30;
const LATEST_PERCENT = 60;
/** Before a checkpoint with this id, the first may be the only one that has completed. */
const LEAST_CHECKPOINT = 4;
/** One run of a rescaled job in so many is disturbed besides. */
const DISTURBED_ONE_IN = 3;

/**
 * One fault after which the job restores a checkpoint that is not the first while its input is still arriving: an
 * exception in user code, which fails one task and with it at least its region; or a crash of a worker at a step
 * of a checkpoint. Where the parallelism changes, that restores the job already.
 */
export function drawRecovery(source: RecoverySource): FaultPlan {
  const { random, options } = source;
  const rescales = options.parallelism !== options.parallelismAfter;
  if (rescales && random.below(DISTURBED_ONE_IN) !== 0) return [];
  // A crash takes tasks of every region that has one on the worker.
  const crashes = random.below(options.failover === "region" ? 4 : 2) === 0;
  const fault = crashes ? drawCrash(source) : drawException(source);
  return fault === null ? [] : [fault];
}

/** The same budget with room for these faults. */
export function budgetBeside(budget: FaultBudget, plan: FaultPlan): FaultBudget {
  const most = { ...budget.most };
  for (const fault of plan) if (!isClientRequest(fault)) most[fault.kind] = Math.max(0, (most[fault.kind] ?? 0) - 1);
  return { ...budget, most };
}

function drawException({ census, random }: RecoverySource): Fault | null {
  const calls = census.groups.find(({ kind }) => kind === PORT_TRACE.userCall)?.calm ?? [];
  const frequent = calls.filter(({ calmCount }) => calmCount >= 8);
  if (frequent.length === 0) return null;
  const entry = present(frequent[random.below(frequent.length)], "there is an entry");
  const nth = percentOf(entry.calmCount, random);
  const at: Trigger = { on: "event", event: entry.event, subject: entry.subject, x: entry.x, nth, when: "before" };
  return { id: "recovery", kind: "user-exception", at };
}

function drawCrash({ census, cluster, random }: RecoverySource): Fault {
  const steps = census.groups.filter(({ isOfCheckpoint }) => isOfCheckpoint).flatMap(({ calm }) => calm);
  const last = steps.reduce((greatest, { x }) => Math.max(greatest, x ?? 0), 0);
  const from = Math.max(LEAST_CHECKPOINT, Math.ceil((last * EARLIEST_PERCENT) / 100));
  const to = Math.max(from, Math.floor((last * LATEST_PERCENT) / 100));
  const isInTime = ({ kind, x }: CensusEntry): boolean => x !== null && x >= from && x <= to && WORKER_STEPS.has(kind);
  const candidates = steps.filter(isInTime);
  const entry = candidates.length === 0 ? undefined : candidates[random.below(candidates.length)];
  if (entry === undefined) {
    const atUs = Math.floor((census.endedAtUs * (EARLIEST_PERCENT + random.below(LATEST_PERCENT - EARLIEST_PERCENT))) / 100);
    const process = `worker-${1 + random.below(cluster.workers)}`;
    return { id: "recovery", kind: "process-crash", process, at: { on: "time", atUs } };
  }
  const nth = 1 + random.below(entry.calmCount);
  const when = random.below(2) === 0 ? "before" : "after";
  const at: Trigger = { on: "event", event: entry.event, subject: entry.subject, x: entry.x, nth, when };
  return { id: "recovery", kind: "process-crash", process: null, at };
}

/** Those that happen in a worker. */
const WORKER_STEPS: ReadonlySet<number> = new Set<number>([
  TRACE.barrierReceived,
  TRACE.barriersAligned,
  TRACE.barrierForwarded,
  TRACE.snapshotTaken,
  TRACE.snapshotSerialized,
  TRACE.snapshotDurable,
  TRACE.checkpointNotified,
  TRACE.transactionPrepared,
  TRACE.transactionCommitting,
  TRACE.transactionCommitted,
]);

function percentOf(count: number, random: RandomStream): number {
  const percent = EARLIEST_PERCENT + random.below(LATEST_PERCENT - EARLIEST_PERCENT + 1);
  return 1 + Math.floor(((count - 1) * percent) / 100);
}
