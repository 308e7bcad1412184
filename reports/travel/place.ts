import { TRACE } from "../../engine/ports/tracer.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { UsageError } from "../files/usage-error.ts";
import { nearest } from "../text/format.ts";

const WORDS = ["start", "end", "violation"] as const;
const FORMS = "give a step (612), a time (1.7s, 1700ms), a checkpoint (ckpt:4), violation, start or end";

/**
 * The step that somebody names: "612" (also ":612"), "1.7s" ("t 1.7s"), "ckpt:4" ("ckpt 4": where it completed, or
 * was given up, or else began), "violation" (the first finding), "start", "end". Throws UsageError for what is none.
 */
export function parsePlace(text: string, tape: RunTape): number {
  const place = text.trim().replace(/^:/, "").trim();
  const input = `the place ${JSON.stringify(text)}`;
  if (/^\d+$/.test(place)) return stepNumber(place, tape, input);
  const time = /^(?:t\s*=?\s*)?(\d+(?:\.\d+)?)\s*(us|ms|s)$/.exec(place);
  if (time !== null) return stepAt(Number(time[1]), time[2] as "us" | "ms" | "s", tape, input);
  const checkpoint = /^ckpt[\s:]*(\d+)$/.exec(place);
  if (checkpoint !== null) return stepOfCheckpoint(Number(checkpoint[1]), tape, input);
  switch (place) {
    case "start":
      return 0;
    case "end":
      return tape.steps;
    case "violation":
      return stepOfViolation(tape, input);
    default: {
      const near = nearest(place, WORDS);
      throw new UsageError(input, near === null ? "is none" : `is none (did you mean ${near}?)`, FORMS);
    }
  }
}

/** Where a run is most worth looking at: where something was found, else its end. */
export function placeOfInterest(tape: RunTape): number {
  return firstFinding(tape) ?? tape.steps;
}

function stepNumber(place: string, tape: RunTape, input: string): number {
  const step = Number(place);
  if (step > tape.steps) throw new UsageError(input, `lies behind the end of the run, which has ${tape.steps} steps`, FORMS);
  return step;
}

const US: Readonly<Record<"us" | "ms" | "s", number>> = { us: 1, ms: 1000, s: 1_000_000 };

function stepAt(value: number, unit: "us" | "ms" | "s", tape: RunTape, input: string): number {
  const atUs = Math.round(value * US[unit]);
  const endUs = tape.timeUsOf(tape.steps);
  if (atUs > endUs) throw new UsageError(input, `lies behind the end of the run, which is at ${endUs / US.s}s`, FORMS);
  return tape.stepAtTime(atUs);
}

const ENDS: readonly number[] = [TRACE.checkpointCompleted, TRACE.savepointCompleted, TRACE.checkpointAborted, TRACE.checkpointTriggered];

function stepOfCheckpoint(checkpointId: number, tape: RunTape, input: string): number {
  let best: { readonly rank: number; readonly step: number } | null = null;
  const ids = new Set<number>();
  for (let point = 0; point < tape.points; point += 1) {
    const rank = ENDS.indexOf(tape.kindOf(point));
    if (rank < 0) continue;
    ids.add(tape.xOf(point));
    if (tape.xOf(point) === checkpointId && (best === null || rank < best.rank)) best = { rank, step: tape.stepOf(point) };
  }
  if (best !== null) return best.step;
  const known = ids.size === 0 ? "it has no checkpoints" : `it has checkpoints ${Math.min(...ids)} to ${Math.max(...ids)}`;
  throw new UsageError(input, `is not in this run: ${known}`, FORMS);
}

function stepOfViolation(tape: RunTape, input: string): number {
  const step = firstFinding(tape);
  if (step === null) throw new UsageError(input, "is not in this run: nothing was found", FORMS);
  return step;
}

function firstFinding({ result, steps }: RunTape): number | null {
  const found = result.findings.map(({ step }) => step);
  return found.length === 0 ? null : Math.min(steps, ...found);
}
