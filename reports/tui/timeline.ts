import type { Journey } from "../travel/journey.ts";
import type { Line } from "../views/line.ts";
import { timelineView } from "../views/timeline-view.ts";

/** The run in one line, with the step that is looked at under it. */
export function timelineOf({ tape }: Journey, step: number, columns: number): readonly Line[] {
  return timelineView(tape, Math.max(1, columns - 1), step).lines;
}
