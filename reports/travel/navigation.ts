import { placeOfCheckpoint } from "./checkpoint-span.ts";
import type { RunIndex } from "./run-index.ts";

/*
 * Where to go from a step: each of these is the nearest step of its kind strictly behind it, or before it, or null
 * where there is none.
 */

/** A checkpoint stands where it completed or was given up; one that never was, where it began. */
export function nextCheckpoint({ checkpoints }: RunIndex, step: number): number | null {
  return leastAbove(checkpoints.map(placeOfCheckpoint), step);
}

export function previousCheckpoint({ checkpoints }: RunIndex, step: number): number | null {
  return greatestBelow(checkpoints.map(placeOfCheckpoint), step);
}

/** Those that fired. */
export function nextFault({ faults }: RunIndex, step: number): number | null {
  return leastAbove(faults.map(stepOf), step);
}

export function previousFault({ faults }: RunIndex, step: number): number | null {
  return greatestBelow(faults.map(stepOf), step);
}

export function nextFinding({ findings }: RunIndex, step: number): number | null {
  return leastAbove(findings.map(stepOf), step);
}

export function previousFinding({ findings }: RunIndex, step: number): number | null {
  return greatestBelow(findings.map(stepOf), step);
}

/** The next step with a trace point of this subject ("sum[1]"). */
export function nextEventOf({ tape, subjects }: RunIndex, subject: string, step: number): number | null {
  const points = subjects.get(subject) ?? [];
  const point = points[firstNotBefore(points, tape.endOf(step))];
  return point === undefined || step === tape.steps ? null : tape.stepOf(point);
}

export function previousEventOf({ tape, subjects }: RunIndex, subject: string, step: number): number | null {
  const points = subjects.get(subject) ?? [];
  const point = points[firstNotBefore(points, tape.firstPointOf(step)) - 1];
  return point === undefined ? null : tape.stepOf(point);
}

function stepOf({ step }: { readonly step: number }): number {
  return step;
}

function leastAbove(steps: readonly number[], bound: number): number | null {
  let best: number | null = null;
  for (const step of steps) if (step > bound && (best === null || step < best)) best = step;
  return best;
}

function greatestBelow(steps: readonly number[], bound: number): number | null {
  let best: number | null = null;
  for (const step of steps) if (step < bound && (best === null || step > best)) best = step;
  return best;
}

/** Position of the first number of an ascending list that is at least `bound`; its length where none is. */
export function firstNotBefore(ascending: readonly number[], bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
