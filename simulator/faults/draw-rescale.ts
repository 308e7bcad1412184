import { TRACE } from "../../engine/ports/tracer.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { Census } from "../explore/census.ts";
import type { RunOptions } from "../scenario.ts";
import type { FaultPlan } from "./fault.ts";

/** Of the checkpoints that an undisturbed run completes, the last to rescale after, in per cent. */
const LATEST_PERCENT = 60;

/**
 * The request that takes a run from its parallelism to the one after: behind the completion of a checkpoint that
 * is not the first, while most of the input is still to come. Empty where the parallelism stays.
 */
export function drawRescale({ parallelism, parallelismAfter }: RunOptions, census: Census, random: RandomStream): FaultPlan {
  if (parallelism === parallelismAfter) return [];
  const completions = census.groups.find(({ kind }) => kind === TRACE.checkpointCompleted)?.calm ?? [];
  const subject = completions[0]?.subject ?? "jm-1";
  const latest = Math.max(2, Math.floor((completions.length * LATEST_PERCENT) / 100));
  const nth = 2 + random.below(latest - 1);
  const at = { on: "event", event: "checkpointCompleted", subject, x: null, nth, when: "after" } as const;
  return [{ id: "rescale", kind: "rescale", at, parallelism: parallelismAfter }];
}
