import type { Journey } from "../../travel/journey.ts";
import { grouped } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { EventMatches } from "../../views/events-matches.ts";
import { eventLine, eventsFacts, eventsOf } from "../../views/events-view.ts";
import { stepsOfKeyIn } from "../../views/record-view.ts";
import type { Choice, Choices } from "../choices.ts";
import type { PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** Every event of the run that the filter lets through, with those of the step in sight. */
export function eventsPanel(journey: Journey, { step, filter }: UiState): PanelView {
  const matches = matchesOfFilter(journey, filter);
  const note = filter === "" ? "" : `${grouped(matches.count)} with ${visible(filter)}`;
  return {
    length: matches.count,
    lines: (from, to) => eventsFacts(matches, filter, step, { offset: from, limit: to - from }).points.map((point) => eventLine(point, step)),
    anchor: Math.min(matches.placeOf(step), Math.max(0, matches.count - 1)),
    choices: choicesAmong(matches),
    note,
    shown: filter === "" ? "events" : `events:${filter}`,
  };
}

/** What of a run a filter lets through. Throws UsageError for what is no filter. */
export function matchesOfFilter(journey: Journey, filter: string): EventMatches {
  return eventsOf(journey.tape, filter, stepsOfKeyIn(journey));
}

function choicesAmong(matches: EventMatches): Choices {
  const at = (place: number): Choice | null => {
    const point = matches.window(place, 1)[0];
    return point === undefined || place < 0 ? null : { id: String(place), step: point.step, fold: null, line: place };
  };
  return {
    count: matches.count,
    at,
    indexOf: (id) => (at(Number(id)) === null ? -1 : Number(id)),
    indexAt: (step) => (at(matches.placeOf(step))?.step === step ? matches.placeOf(step) : -1),
  };
}
