import type { Line } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import type { TourStep } from "./tour-stops.ts";
import type { UiState } from "./ui-state.ts";

/** What the tour says at its present stop: a title, and the text below it. Empty where there is no tour, or it is over. */
export function tourLines(tour: readonly TourStep[] | null, { tour: stop, step }: UiState): readonly Line[] {
  const tourStep = stop === null ? undefined : tour?.[stop];
  if (tour === null || stop === null || tourStep === undefined) return [];
  const { title, step: place, text } = tourStep;
  const hints = [...(stop < tour.length - 1 ? ["n next"] : []), ...(stop > 0 ? ["p previous"] : []), "T ends it"];
  const away = step === place ? "" : `  (it is about step ${place})`;
  const head = line(span(`Tour ${stop + 1}/${tour.length}: ${title}`, "strong"), span(away, "warn"), span(`  ${hints.join("  ")}`, "dim"));
  return [head, ...text.map((words) => line(`  ${words}`))];
}
