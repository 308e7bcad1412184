import type { Journey } from "../travel/journey.ts";
import type { Line } from "../views/line.ts";
import { line, span } from "../views/line.ts";

/** The run in one line, with the step that is looked at. */
export function timelineOf({ tape }: Journey, step: number, columns: number): readonly Line[] {
  const width = Math.max(1, columns - 1);
  const at = tape.steps === 0 ? 0 : Math.round((step / tape.steps) * (width - 1));
  return [line(span("-".repeat(at), "dim"), span("|", "strong"), span("-".repeat(width - 1 - at), "dim"))];
}
