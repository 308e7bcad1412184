import { PORT_TRACE } from "../trace/kinds.ts";
import type { RunTape } from "./run-tape.ts";

/** Their subject is the number 0, whatever name that is. */
const OF_NOBODY: ReadonlySet<number> = new Set<number>([PORT_TRACE.partitionStarted, PORT_TRACE.partitionHealed, PORT_TRACE.healed]);

/**
 * The number of the first trace point in which two runs differ, by what it says: time, kind, process, subject and
 * numbers, with names and faults in place of the numbers that stand for them. Where one run ends and the other goes
 * on, the number of points of the shorter one. Null: they are the same. Steps in which nothing is to be seen do not
 * count, as those of a fault that did nothing.
 */
export function firstDifference(one: RunTape, other: RunTape): number | null {
  const shared = Math.min(one.points, other.points);
  let step = 0;
  let otherStep = 0;
  for (let point = 0; point < shared; point += 1) {
    while (one.endOf(step) <= point) step += 1;
    while (other.endOf(otherStep) <= point) otherStep += 1;
    if (one.timeUsOf(step) !== other.timeUsOf(otherStep) || !isSame(one, other, point)) return point;
  }
  return one.points === other.points ? null : shared;
}

function isSame(one: RunTape, other: RunTape, point: number): boolean {
  const kind = one.kindOf(point);
  if (kind !== other.kindOf(point)) return false;
  if (kind === PORT_TRACE.faultFired) return faultOf(one, point) === faultOf(other, point);
  if (one.processOf(point) !== other.processOf(point)) return false;
  if (!OF_NOBODY.has(kind) && one.subjectOf(point) !== other.subjectOf(point)) return false;
  if (one.xOf(point) !== other.xOf(point)) return false;
  // The number of a name may be another one in another run.
  const named = one.namedBy(point);
  return named === null ? one.yOf(point) === other.yOf(point) : named === other.namedBy(point);
}

/** The id of a fault that fires: plans may have it in different places. */
function faultOf(tape: RunTape, point: number): string | undefined {
  return tape.result.plan[tape.xOf(point)]?.id;
}
