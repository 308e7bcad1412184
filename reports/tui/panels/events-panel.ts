import type { Journey } from "../../travel/journey.ts";
import { eventsAround, eventsView } from "../../views/events-view.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** What happened around the step. */
export function eventsPanel({ tape }: Journey, { step }: UiState): PanelView {
  const lines = eventsView(tape, step).lines;
  const { points } = eventsAround(tape, step);
  const choices = choicesOf(points.map((point, i) => ({ id: String(point.index), step: point.step, fold: null, line: i })));
  return panelOf(lines, { anchor: choices.at(choices.indexAt(step))?.line ?? null, choices, shown: "events" });
}
