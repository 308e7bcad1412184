import type { RunTape, TapePoint } from "../../simulator/timetravel/run-tape.ts";
import { counted, grouped } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { parseFilter } from "./events-filter.ts";
import { matchesOf, type EventMatches, type StepsOfKey } from "./events-matches.ts";
import { line, span, type Line, type Tone } from "./line.ts";
import { pointColumns, pointMark, pointPhrase, pointTone } from "./point-text.ts";
import type { View } from "./view.ts";

/** Points shown before and behind the step that is looked at, where nobody says which. */
const AROUND = 20;

/** A part of the list of events. */
export interface EventsView {
  readonly step: number;
  readonly filter: string;
  /** How many points match, in the whole run. */
  readonly count: number;
  /** The place of the first match in the step or behind it. */
  readonly place: number;
  /** The steps to go to for the match before and behind this one. */
  readonly previousStep: number | null;
  readonly nextStep: number | null;
  /** The place of the first point in the list. */
  readonly offset: number;
  readonly points: readonly EventFacts[];
}

export interface EventFacts extends TapePoint {
  /** Its place among the matches. */
  readonly place: number;
  /** The same in words. */
  readonly words: string;
}

/** Which part of the list. */
export interface EventsWindow {
  readonly offset: number;
  readonly limit: number;
}

/** What of a run matches a filter; `stepsOfKey` is asked where that names a key. Throws UsageError for no filter. */
export function eventsOf(tape: RunTape, filter: string, stepsOfKey: StepsOfKey): EventMatches {
  return matchesOf(tape, parseFilter(filter), stepsOfKey);
}

/** `window`: absent, the matches around the step. */
export function eventsFacts(matches: EventMatches, filter: string, step: number, window: EventsWindow = around(matches, step)): EventsView {
  const { offset, limit } = window;
  const points = matches.window(offset, limit).map((point, i): EventFacts => ({ ...point, place: offset + i, words: pointPhrase(point) }));
  return {
    step,
    filter,
    count: matches.count,
    place: matches.placeOf(step),
    previousStep: matches.previous(step),
    nextStep: matches.next(step),
    offset,
    points,
  };
}

function around(matches: EventMatches, step: number): EventsWindow {
  const offset = Math.max(0, matches.placeOf(step) - AROUND);
  return { offset, limit: matches.placeBehind(step) + AROUND - offset };
}

export function eventsView(tape: RunTape, step: number, filter: string, stepsOfKey: StepsOfKey): View {
  const facts = eventsFacts(eventsOf(tape, filter, stepsOfKey), filter, step);
  const head = facts.filter === "" ? [] : [headLine(facts), line("")];
  return { facts, lines: [...head, ...facts.points.map((point) => eventLine(point, step))] };
}

/** "12 of 3,400 events match kind:snapshotTaken; 4 before this step". */
function headLine({ filter, count, place, previousStep, nextStep }: EventsView): Line {
  if (count === 0) return line(span(`no event matches ${visible(filter)}`, "warn"));
  const others = [previousStep === null ? "" : `previous at step ${grouped(previousStep)}`, nextStep === null ? "" : `next at step ${grouped(nextStep)}`];
  const where = others.filter((one) => one !== "").join(", ");
  return line(span(`${counted(count, "event")} ${count === 1 ? "matches" : "match"} ${visible(filter)}`, "strong"), `; ${grouped(place)} before this step${where === "" ? "" : `; ${where}`}`);
}

/** ">" marks what happened in the step, "!" what went wrong. */
export function eventLine(point: EventFacts, step: number): Line {
  const isHere = point.step === step;
  const tone = pointTone(point.kind);
  const words: Tone = tone !== "plain" ? tone : isHere ? "changed" : "plain";
  return line(span(isHere ? ">" : " ", "strong"), span(pointColumns(point), "dim"), span(pointMark(point.kind), tone), span(point.words, words));
}
