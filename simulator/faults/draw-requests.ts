import { present } from "../../engine/base/assert.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { Census } from "../explore/census.ts";
import type { Profile } from "../run-result.ts";
import type { Scenario } from "../scenario.ts";
import type { Fault, FaultPlan, Trigger } from "./fault.ts";

/** One run in so many takes a savepoint on its way, and one in so many has its pending checkpoints given up. */
const SAVEPOINT_ONE_IN = 8;
const ABORT_ONE_IN = 12;
/** Steps of the checkpoint protocol in the middle of which a request may come. */
const STEPS: ReadonlySet<number> = new Set<number>([
  TRACE.checkpointTriggered,
  TRACE.barrierForwarded,
  TRACE.snapshotTaken,
  TRACE.checkpointAcked,
  TRACE.checkpointCompleted,
]);
/** Of the checkpoints that an undisturbed run completes, the last to upgrade after, in per cent. */
const LATEST_UPGRADE_PERCENT = 60;

/**
 * What a client asks of the job besides another parallelism: now and then a savepoint, or that pending checkpoints be
 * given up, both in the middle of the checkpoint protocol; and of a job with an upgrade always that it stops with a
 * savepoint, or is cancelled, behind a checkpoint that is not the first, while most of the input is still to come.
 */
export function drawRequests({ upgrade }: Scenario, census: Census, profile: Profile, random: RandomStream): FaultPlan {
  const plan: Fault[] = [];
  const at = (): Trigger | null => drawStep(census, random);
  const isQuiet = profile === "calm" || profile === "matrix";
  const savepointAt = random.below(SAVEPOINT_ONE_IN) === 0 && !isQuiet ? at() : null;
  if (savepointAt !== null) plan.push({ id: "savepoint", kind: "savepoint", at: savepointAt });
  const abortAt = random.below(ABORT_ONE_IN) === 0 && !isQuiet ? at() : null;
  if (abortAt !== null) plan.push({ id: "checkpoint-abort", kind: "checkpoint-abort", at: abortAt });
  if (upgrade === undefined) return plan;
  const completions = census.groups.find(({ kind }) => kind === TRACE.checkpointCompleted)?.calm ?? [];
  const subject = completions[0]?.subject ?? "jm-1";
  const latest = Math.max(2, Math.floor((completions.length * LATEST_UPGRADE_PERCENT) / 100));
  const nth = 2 + random.below(latest - 1);
  const upgradeAt = { on: "event", event: "checkpointCompleted", subject, x: null, nth, when: "after" } as const;
  if (upgrade.from === "checkpoint") return [...plan, { id: "upgrade", kind: "cancel-job", at: upgradeAt }];
  return [...plan, { id: "upgrade", kind: "stop-with-savepoint", mode: "suspend", at: upgradeAt }];
}

function drawStep(census: Census, random: RandomStream): Trigger | null {
  const groups = census.groups.filter(({ kind, calm }) => STEPS.has(kind) && calm.length > 0);
  if (groups.length === 0) return null;
  const { calm } = present(groups[random.below(groups.length)], "there is a group");
  const { event, subject, x, calmCount } = present(calm[random.below(calm.length)], "a group has an entry");
  return { on: "event", event, subject, x, nth: 1 + random.below(calmCount), when: "after" };
}
