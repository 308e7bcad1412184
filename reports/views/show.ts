import type { Journey } from "../travel/journey.ts";
import { UsageError } from "../files/usage-error.ts";
import { nearest } from "../text/format.ts";
import { checkpointsView } from "./checkpoints-view.ts";
import { eventsView } from "./events-view.ts";
import { faultsView } from "./faults-view.ts";
import { graphViewAt } from "./graph-view.ts";
import { INSPECTED, inspectedByName } from "./inspect/inspected.ts";
import { recordView, stepsOfKeyIn } from "./record-view.ts";
import { timelineView } from "./timeline-view.ts";
import { failureOf, verdictView } from "./verdict-view.ts";
import type { View } from "./view.ts";

type Show = (journey: Journey, step: number, argument: string) => View;

/** Of the timeline: as wide as every terminal is. */
const TIMELINE_COLUMNS = 78;

/** By name; those that take an argument ("state:sum") say what of. */
const SHOWN: Readonly<Record<string, Show>> = {
  events: (journey, step, filter) => eventsView(journey.tape, step, filter, stepsOfKeyIn(journey)),
  record: recordView,
  timeline: ({ tape }, step) => timelineView(tape, TIMELINE_COLUMNS, step),
  verdict: (journey, step) => verdictView(journey.tape, step, failureOf(journey)),
  graph: (journey, step) => graphViewAt(journey, step),
  checkpoints: checkpointsView,
  faults: faultsView,
  ...INSPECTED,
};

/** What `what` names of the run, at the end of a step. Throws UsageError for what is not to be seen. */
export function show(what: string, journey: Journey, step: number): View {
  const colon = what.indexOf(":");
  const name = colon < 0 ? what : what.slice(0, colon);
  const shown = Object.hasOwn(SHOWN, name) ? SHOWN[name] : inspectedByName(name);
  if (shown !== undefined && shown !== null) return shown(journey, step, colon < 0 ? "" : what.slice(colon + 1));
  const names = Object.keys(SHOWN);
  const near = nearest(name, names);
  const reason = near === null ? "is nothing to look at" : `is nothing to look at (did you mean ${near}?)`;
  throw new UsageError(`--show ${what}`, reason, `choose one of: ${names.join(", ")}`);
}
