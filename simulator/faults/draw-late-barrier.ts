import { present } from "../../engine/base/assert.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { Census, CensusEntry } from "../explore/census.ts";
import type { FaultBudget, RunOptions } from "../scenario.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { FaultPlan } from "./fault.ts";

/** One run of an at-least-once job in so many. */
const ONE_IN = 2;
/** Of the checkpoints of an undisturbed run, which, in per cent. */
const EARLIEST_PERCENT = 20;
const LATEST_PERCENT = 70;

/**
 * Where barriers wait for nobody, a record is applied twice when it comes behind the barrier of its own channel and
 * before that of another, and the job then goes back to that very checkpoint. Faults that are drawn one by one hardly
 * ever meet so: here the barrier of one channel is late, by half a checkpoint interval to one and a half, and a worker
 * crashes when it hears that the checkpoint completed. Empty for other jobs, and for half of these.
 */
export function drawLateBarrier({ mode }: RunOptions, census: Census, { most }: FaultBudget, random: RandomStream): FaultPlan {
  if (mode !== "at-least-once" || (most["frame-delay"] ?? 0) === 0 || (most["process-crash"] ?? 0) === 0) return [];
  if (random.below(ONE_IN) !== 0) return [];
  const sends = new Set(calmOf(census, PORT_TRACE.frameSent).map(({ subject }) => subject));
  const notified = calmOf(census, TRACE.checkpointNotified);
  const last = notified.reduce((greatest, { x }) => Math.max(greatest, x ?? 0), 0);
  const isInTime = ({ x }: CensusEntry): boolean => x !== null && x * 100 >= last * EARLIEST_PERCENT && x * 100 <= last * LATEST_PERCENT;
  const barriers = calmOf(census, TRACE.barrierForwarded).filter((entry) => sends.has(entry.subject) && isInTime(entry));
  if (barriers.length === 0) return [];
  const { subject, x } = present(barriers[random.below(barriers.length)], "there is a barrier");
  const listeners = notified.filter((entry) => entry.x === x);
  if (listeners.length === 0) return [];
  const listener = present(listeners[random.below(listeners.length)], "somebody hears of it");
  const intervalUs = Math.max(2, Math.floor(census.endedAtUs / last));
  const delayUs = Math.floor(intervalUs / 2) + random.below(intervalUs);
  const late = { on: "event", event: "frameSent", subject, x, nth: 1, when: "before" } as const;
  const heard = { on: "event", event: listener.event, subject: listener.subject, x, nth: 1, when: "after" } as const;
  return [
    { id: "late-barrier", kind: "frame-delay", at: late, delayUs },
    { id: "late-barrier-crash", kind: "process-crash", process: null, at: heard },
  ];
}

function calmOf({ groups }: Census, kind: number): readonly CensusEntry[] {
  return groups.find((group) => group.kind === kind)?.calm ?? [];
}
