import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { placeOfInterest } from "../travel/place.ts";

/**
 * A place in a run, by what happens there and not by its number, so that a change of the engine which adds a step
 * moves it along. "violation": where the first oracle saw something.
 */
export type TourPlace =
  | "violation"
  | {
      /** Name of the trace kind. */
      readonly event: string;
      readonly subject: string;
      /** null: any. */
      readonly x: number | null;
      /** 1: the first such point of the run. */
      readonly nth: number;
    };

/** Throws RangeError where the run has no such place. */
export function stepOfPlace(place: TourPlace, tape: RunTape): number {
  if (place === "violation") {
    if (tape.result.findings.length === 0) throw new RangeError("this run has no violation");
    return placeOfInterest(tape);
  }
  let left = place.nth;
  for (let index = 0; index < tape.points; index += 1) {
    if (tape.subjectOf(index) !== place.subject) continue;
    const { event, x, step } = tape.pointAt(index);
    if (event === place.event && (place.x === null || place.x === x)) left -= 1;
    if (left === 0) return step;
  }
  throw new RangeError(`this run has no ${place.event} of ${place.subject}, number ${place.nth}`);
}
